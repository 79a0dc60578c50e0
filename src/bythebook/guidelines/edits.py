"""Edits of a guideline, each a pure function to a new valid one: what an annotator might change, and what tests change.

A gold answer follows its guideline: whoever edits one must ask for the gold again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from bythebook.errors import GuidelineError
from bythebook.guidelines.mentions import rewrite_mentions
from bythebook.types import Guideline, RelationType

__all__ = [
    "add_restriction",
    "drop_restrictions",
    "flip_direction",
    "rename_labels",
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


def rename_labels(guideline: Guideline, names: Mapping[str, str]) -> Guideline:
    """The same guideline under other label names, all changed at once: a permutation is possible. The names change
    wherever the guideline mentions them (see `mentions`): in answers of examples and near misses, and in its prose.

    GuidelineError for a label that it does not declare, and for new names that are no names or not distinct.
    """
    known = [label.name for label in guideline.labels]
    if unknown := sorted(set(names).difference(known)):
        raise GuidelineError(f"no relation {unknown[0]!r} in {guideline.title!r}")
    tree = guideline.model_dump()
    new = {name: names.get(name, name) for name in known}

    def prose(text: str, overlap: bool = False) -> str:
        return rewrite_mentions(text, new, lambda name: new[name], overlap=overlap)

    def answer(text: str) -> str:
        name, bracket, rest = text.partition("(")
        return new.get(name, name) + bracket + rest

    for r in tree["relation_types"]:
        r["name"] = new[r["name"]]
        r["definition"], r["direction"] = prose(r["definition"]), prose(r["direction"])
        r["restrictions"] = [prose(x) for x in r["restrictions"]]
        r["overlaps"] = [prose(x, overlap=True) for x in r["overlaps"]]
        r["examples"] = [(sentence, answer(label)) for sentence, label in r["examples"]]
        for miss in r["near_misses"]:
            miss["answer"], miss["reason"] = answer(miss["answer"]), prose(miss["reason"])
    tree["preamble"] = prose(tree["preamble"])
    tree["no_relation_definition"] = prose(tree["no_relation_definition"])
    if tree["no_relation"]:
        tree["no_relation"] = new[tree["no_relation"]]
    try:
        return Guideline.model_validate(tree)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise GuidelineError(f"the new names of {guideline.title!r} won't do: {message}") from None


def rename_relation(guideline: Guideline, old: str, new: str) -> Guideline:
    """`old` is called `new`; its definition stays."""
    return rename_labels(guideline, {old: new})


def swap_names(guideline: Guideline, first: str, second: str) -> Guideline:
    """The two relations exchange names; definitions, directions and order stay."""
    for name in (first, second):
        if guideline.relation(name) is None:
            raise GuidelineError(f"no relation {name!r} in {guideline.title!r}")
    return rename_labels(guideline, {first: second, second: first})


def rotate_names(guideline: Guideline) -> Guideline:
    """Every relation takes the name of the next one; the definitions stay where they are."""
    names = [r.name for r in guideline.relation_types]
    return rename_labels(guideline, dict(zip(names, names[1:] + names[:1], strict=True)))


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
