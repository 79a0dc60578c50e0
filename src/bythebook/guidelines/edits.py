"""Edits of a guideline, each a pure function to a new valid one: what an annotator might change, and what tests change.

A gold answer follows its guideline: whoever edits one must ask for the gold again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from bythebook.errors import GuidelineError
from bythebook.types import Guideline, RelationType

__all__ = [
    "add_restriction",
    "drop_restrictions",
    "flip_direction",
    "rename_relation",
    "rotate_names",
    "shuffle_relations",
    "swap_names",
]


def _edit(guideline: Guideline, name: str, change: Callable[[RelationType], RelationType]) -> Guideline:
    if guideline.relation(name) is None:
        raise GuidelineError(f"no relation {name!r} in {guideline.title!r}")
    types = tuple(change(r) if r.name == name else r for r in guideline.relation_types)
    return _with_types(guideline, types)


def _with_types(guideline: Guideline, types: Sequence[RelationType]) -> Guideline:
    return Guideline.model_validate({**guideline.model_dump(), "relation_types": tuple(t.model_dump() for t in types)})


def _renamed(relation: RelationType, name: str) -> RelationType:
    return RelationType.model_validate({**relation.model_dump(), "name": name})


def rename_relation(guideline: Guideline, old: str, new: str) -> Guideline:
    """`old` is called `new`; its definition stays."""
    return _edit(guideline, old, lambda r: _renamed(r, new))


def swap_names(guideline: Guideline, first: str, second: str) -> Guideline:
    """The two relations exchange names; definitions, directions and order stay."""
    for name in (first, second):
        if guideline.relation(name) is None:
            raise GuidelineError(f"no relation {name!r} in {guideline.title!r}")
    other = {first: second, second: first}
    return _with_types(guideline, [_renamed(r, other.get(r.name, r.name)) for r in guideline.relation_types])


def rotate_names(guideline: Guideline) -> Guideline:
    """Every relation takes the name of the next one; the definitions stay where they are."""
    names = [r.name for r in guideline.relation_types]
    moved = names[1:] + names[:1]
    return _with_types(guideline, [_renamed(r, n) for r, n in zip(guideline.relation_types, moved, strict=True)])


def flip_direction(guideline: Guideline, name: str) -> Guideline:
    """The fixed direction of that relation is turned round. GuidelineError if it has none."""

    def flip(r: RelationType) -> RelationType:
        if r.fixed_direction is None:
            raise GuidelineError(f"relation {name!r} has no fixed direction to flip")
        turned = "(e2,e1)" if r.fixed_direction == "(e1,e2)" else "(e1,e2)"
        return RelationType.model_validate({**r.model_dump(), "direction": turned})

    return _edit(guideline, name, flip)


def drop_restrictions(guideline: Guideline, name: str) -> Guideline:
    """That relation loses its restrictions."""
    return _edit(guideline, name, lambda r: RelationType.model_validate({**r.model_dump(), "restrictions": ()}))


def add_restriction(guideline: Guideline, name: str, restriction: str) -> Guideline:
    """That relation gains one more restriction."""
    return _edit(
        guideline,
        name,
        lambda r: RelationType.model_validate({**r.model_dump(), "restrictions": (*r.restrictions, restriction)}),
    )


def shuffle_relations(guideline: Guideline, rng: random.Random) -> Guideline:
    """The same relations in another order."""
    types = list(guideline.relation_types)
    rng.shuffle(types)
    return _with_types(guideline, types)
