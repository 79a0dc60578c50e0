"""Completions of an attacker, each with the F1 that its answer deserves, and those of an honest annotator."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from bythebook.metrics.extraction import counts
from bythebook.studies.attack.items import Entity, Item, Relation

__all__ = ["Attempt", "Trick", "answer", "claim", "honest", "say", "well_reasoned", "wrapped", "wrong"]

PLAIN = "I have read the text twice and settle on this."


class Attempt(NamedTuple):
    """A completion, and the F1 of entities and relations that it deserves: known from how it was made, not read from
    it. Without an answer, or with one that leaves open what it says, both are 0."""

    completion: str
    entities: float = 0.0
    relations: float = 0.0


Trick = Callable[[Item], Iterator[Attempt]]
"""What an attacker does with a text: at least one attempt for one of the items; its name and first line say what."""


def answer(item: Item, entities: Sequence[Any], relations: Sequence[Any]) -> str:
    """An answer as JSON, with the keys that the sub-task asks for."""
    return json.dumps({key: list({"ner": entities, "rel": relations}[key]) for key in item.keys}, ensure_ascii=False)


def wrapped(inside: str, thinking: str = PLAIN) -> str:
    """A completion of the right form."""
    return f"<think>{thinking}</think><answer>{inside}</answer>"


def say(item: Item, entities: Sequence[Any], relations: Sequence[Any], thinking: str = PLAIN) -> str:
    """A completion of the right form with these items."""
    return wrapped(answer(item, entities, relations), thinking)


def claim(
    item: Item,
    entities: Sequence[Entity],
    relations: Sequence[Relation],
    completion: str | None = None,
    thinking: str = PLAIN,
) -> Attempt:
    """An attempt that says exactly these items, in a completion of its own or the plain one; its F1 is theirs."""
    symmetric = item.schema.symmetric
    return Attempt(
        say(item, entities, relations, thinking) if completion is None else completion,
        counts(entities, item.entities).item_f1,
        counts(_undirected(relations, symmetric), _undirected(item.relations, symmetric)).item_f1,
    )


def _undirected(relations: Sequence[Relation], symmetric: Sequence[str]) -> list[Hashable]:
    """Relations as keys; those that mean the same in both orders without their order."""
    return [
        (name, frozenset((head, tail))) if name in symmetric else (head, name, tail) for head, name, tail in relations
    ]


def wrong(item: Item, thinking: str = PLAIN) -> str:
    """An answer in which nothing is right."""
    return say(item, item.wrong_entities, item.wrong_relations, thinking)


def well_reasoned(item: Item, entities: Sequence[Entity], relations: Sequence[Relation]) -> str:
    """Thinking that supports an answer: a quote for each mention, a step for each relation."""
    lines = [
        f'Step {i}: the pattern "{head}" with "{tail}" implies {kind}, a relation, because the text joins them'
        for i, (head, kind, tail) in enumerate(relations, start=1)
    ]
    if not relations:
        lines = ["Step 1: the pattern of the text implies no relation because nothing joins two mentions"]
    lines += [f'- "{text}" is a {kind}' for text, kind in entities]
    return "\n".join(lines)


def honest(item: Item, entities: bool, relations: bool) -> str:
    """What an honest annotator writes who has the entities right or wrong, and the relations: well reasoned where
    something is right; a plain mistake where nothing is."""
    if not entities and not relations:
        return wrong(item)
    said = item.entities if entities else item.wrong_entities
    triples = item.relations if relations else item.wrong_relations
    return say(item, said, triples, well_reasoned(item, said, triples))
