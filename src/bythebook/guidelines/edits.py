"""Edits of a guideline, each a pure function to a new valid one: what an annotator might change, and what tests change.

A gold answer follows its guideline: whoever edits one must ask for the gold again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from bythebook.errors import GuidelineError, first_fault
from bythebook.guidelines.mentions import rewrite_mentions
from bythebook.types import Guideline, RelationType

__all__ = [
    "add_restriction",
    "drop_restrictions",
    "flip_direction",
    "rename_labels",
    "rename_relation",
    "rotate_names",
    "shuffle_entity_types",
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


def rename_labels(
    guideline: Guideline, names: Mapping[str, str], entity_types: Mapping[str, str] | None = None
) -> Guideline:
    """The same guideline under other names of labels and entity types, all changed at once: a permutation is possible.
    The names change wherever the guideline mentions them (see `mentions`): in type signatures, in answers of examples
    and near misses, and in its prose. A mention of a name that a relation and an entity type share is the relation's.

    GuidelineError for a name that it does not declare, and for new names that are no names or not distinct.
    """
    labels = _new_names(guideline, "relation", [label.name for label in guideline.labels], names)
    types = _new_names(guideline, "entity type", [t.name for t in guideline.entity_types], entity_types or {})
    tree = guideline.model_dump()
    _rename(tree, labels, types)
    try:
        return Guideline.model_validate(tree)
    except ValidationError as error:
        message = first_fault(error)[1].removeprefix("Value error, ")
        raise GuidelineError(f"the new names of {guideline.title!r} won't do: {message}") from None


def _new_names(guideline: Guideline, what: str, known: Sequence[str], names: Mapping[str, str]) -> dict[str, str]:
    """The new name of everything declared."""
    if unknown := sorted(set(names).difference(known)):
        raise GuidelineError(f"no {what} {unknown[0]!r} in {guideline.title!r}")
    new = {name: names.get(name, name) for name in known}
    if twice := sorted(n for n, times in Counter(new.values()).items() if times > 1):
        message = f"{what} declared twice: {twice[0]}"
        raise GuidelineError(f"the new names of {guideline.title!r} won't do: {message}")
    return new


def _rename(tree: dict[str, Any], labels: Mapping[str, str], types: Mapping[str, str]) -> None:
    """Rename within a guideline as a tree of plain values."""
    new = {**types, **labels}

    def prose(text: str, overlap: bool = False) -> str:
        return rewrite_mentions(text, new, lambda name: new[name], overlap=overlap)

    def answer(text: str) -> str:
        name, bracket, rest = text.partition("(")
        return labels.get(name, name) + bracket + rest

    for t in tree["entity_types"]:
        t["name"], t["definition"] = types[t["name"]], prose(t["definition"])
    for r in tree["relation_types"]:
        r["name"] = labels[r["name"]]
        r["head_types"], r["tail_types"] = ([types.get(t, t) for t in r[key]] for key in ("head_types", "tail_types"))
        r["definition"], r["direction"] = prose(r["definition"]), prose(r["direction"])
        r["restrictions"] = [prose(x) for x in r["restrictions"]]
        r["overlaps"] = [prose(x, overlap=True) for x in r["overlaps"]]
        r["examples"] = [(sentence, answer(label)) for sentence, label in r["examples"]]
        for miss in r["near_misses"]:
            miss["answer"], miss["reason"] = answer(miss["answer"]), prose(miss["reason"])
    tree["preamble"] = prose(tree["preamble"])
    tree["no_relation_definition"] = prose(tree["no_relation_definition"])
    if tree["no_relation"]:
        tree["no_relation"] = labels[tree["no_relation"]]


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


def shuffle_entity_types(guideline: Guideline, rng: random.Random) -> Guideline:
    """The same entity types in another order."""
    types = [t.model_dump() for t in guideline.entity_types]
    rng.shuffle(types)
    return Guideline.model_validate({**guideline.model_dump(), "entity_types": types})
