"""What was found in a text as sets of items, and how those of windows and of samples go together: pure functions.

A mention is told by its offsets in the whole text and its type, a relation by its type and its two mentions. Since
these are sets, putting windows together counts once what two of them found, whatever their order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Found",
    "Mention",
    "Relation",
    "Shares",
    "agreement",
    "in_order",
    "kept",
    "merged",
    "relations_in_order",
    "shares",
    "within",
]

Mention: TypeAlias = tuple[int, int, str | None]
"""Start and end in the text, end exclusive, and the entity type, where there is one."""
Relation: TypeAlias = tuple[Mention, str, Mention]
"""Head, relation type, tail."""


@dataclass(frozen=True, slots=True)
class Found:
    """Entities and relations of a text, or of a part of it."""

    entities: frozenset[Mention] = frozenset()
    relations: frozenset[Relation] = frozenset()


@dataclass(frozen=True, slots=True)
class Shares:
    """The share of samples that hold an item, for every item that one holds."""

    entities: Mapping[Mention, float]
    relations: Mapping[Relation, float]


def merged(parts: Iterable[Found]) -> Found:
    """What is in any of them."""
    entities, relations = set[Mention](), set[Relation]()
    for part in parts:
        entities |= part.entities
        relations |= part.relations
    return Found(frozenset(entities), frozenset(relations))


def within(found: Found, start: int, end: int) -> Found:
    """The items of which every mention lies in `[start, end)`."""

    def inside(mention: Mention) -> bool:
        return start <= mention[0] and mention[1] <= end

    return Found(
        frozenset(e for e in found.entities if inside(e)),
        frozenset(r for r in found.relations if inside(r[0]) and inside(r[2])),
    )


def shares(samples: Sequence[Found]) -> Shares:
    """How often each item was found: the `p` of a prediction. A sample that found nothing counts, too."""
    entities = Counter(e for sample in samples for e in sample.entities)
    relations = Counter(r for sample in samples for r in sample.relations)
    return Shares(
        {item: n / len(samples) for item, n in entities.items()},
        {item: n / len(samples) for item, n in relations.items()},
    )


def kept(found: Shares, at_least: float | None = None, given: frozenset[Mention] = frozenset()) -> Found:
    """Maj@K of items: those that more than half of the samples hold, and at least the share `at_least` of them.

    A relation is kept only where both its mentions are, or are among the `given` ones.
    """

    def enough(p: float) -> bool:
        return p > 0.5 and (at_least is None or p >= at_least)

    entities = frozenset(e for e, p in found.entities.items() if enough(p))
    there = entities | given
    relations = frozenset(r for r, p in found.relations.items() if enough(p) and r[0] in there and r[2] in there)
    return Found(entities, relations)


def agreement(first: Found, second: Found) -> float:
    """Dice's coefficient of two sets of items, entities and relations together; 1 where both are empty."""
    both = len(first.entities & second.entities) + len(first.relations & second.relations)
    sizes = sum(map(len, (first.entities, first.relations, second.entities, second.relations)))
    return 2 * both / sizes if sizes else 1.0


def in_order(mentions: Iterable[Mention]) -> list[Mention]:
    """In the order of the text: by start, end and type."""
    return sorted(mentions, key=_place)


def relations_in_order(relations: Iterable[Relation]) -> list[Relation]:
    """By head, tail and type."""
    return sorted(relations, key=lambda r: (_place(r[0]), _place(r[2]), r[1]))


def _place(mention: Mention) -> tuple[int, int, str]:
    return mention[0], mention[1], mention[2] or ""
