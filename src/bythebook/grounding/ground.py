"""Mentions → offsets in the source: the entities by a monotone assignment, then the arguments of the relations."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from bythebook.grounding.assignment import assign
from bythebook.grounding.occurrences import Occurrence, Occurrences
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span

__all__ = ["ground"]

_ALL_PLACES = 200_000
"""How many occurrences are looked at for all entities together: what bounds the time for a long text."""
_FEWEST_PLACES = 16
_HEADS = 64
"""How many places of a head are compared with the places of the tail around them."""
_AROUND = 2


def ground(extraction: Extraction, source: str, *, given: Extraction | None = None) -> Extraction:
    """`extraction` with the span and the alignment of every mention; what can't be found in `source` is `ungrounded`.

    Mentions that have a span keep it. The entities are aligned in the order of the answer (`assignment`). Head and tail
    of a relation take the spans of entities of the same text (and type, where both are known), or of those `given` in
    the prompt, else of an occurrence in the source: the pair that stands closest together; a relation that is listed
    again takes the next closest.

    Time is near-linear in the source and in the number of items. No more than 200,000 occurrences of all entities
    together are looked at, of each text those that come first.
    """
    limit = max(_FEWEST_PLACES, _ALL_PLACES // max(1, len(extraction.entities)))
    occurrences = Occurrences(source, limit)
    entities = _ground_entities(extraction.entities, occurrences)
    known = entities if given is None else (*entities, *_ground_entities(_mentions(given), occurrences))
    pairs = _Pairs(known, occurrences)
    return Extraction(entities=entities, relations=tuple(pairs.ground(r) for r in extraction.relations))


def _mentions(given: Extraction) -> tuple[ExtractedEntity, ...]:
    both = given.entities + tuple(m for r in given.relations for m in (r.head, r.tail))
    return tuple({(m.text, m.type, m.span): m for m in both}.values())


def _ground_entities(entities: Sequence[ExtractedEntity], occurrences: Occurrences) -> tuple[ExtractedEntity, ...]:
    out = list(entities)
    numbers: list[int] = []
    items: list[tuple[Occurrence, ...]] = []
    for number, entity in enumerate(entities):
        if entity.span is not None:
            numbers.append(number)
            items.append((Occurrence(entity.span.start, entity.span.end, 0),))
        elif places := occurrences.of(entity.text).places:
            numbers.append(number)
            items.append(places)
        else:
            out[number] = entity.model_copy(update={"alignment": "ungrounded"})
    for number, places, at in zip(numbers, items, assign(items, len(occurrences.source)), strict=True):
        if entities[number].span is None:
            out[number] = _at(entities[number], places[at], occurrences)
    return tuple(out)


def _at(mention: ExtractedEntity, place: Occurrence, occurrences: Occurrences) -> ExtractedEntity:
    alignment = occurrences.of(mention.text).alignment
    return mention.model_copy(update={"span": Span(start=place.start, end=place.end), "alignment": alignment})


class _Pairs:
    """Chooses the places of head and tail."""

    def __init__(self, entities: Iterable[ExtractedEntity], occurrences: Occurrences) -> None:
        self._occurrences = occurrences
        self._by_text: dict[str, list[ExtractedEntity]] = {}
        for entity in entities:
            if entity.span is not None:
                self._by_text.setdefault(entity.text, []).append(entity)
        self._ranked: dict[tuple[str, str | None, str, str | None], list[tuple[ExtractedEntity, ExtractedEntity]]] = {}
        self._listed: dict[tuple[str, str, str], int] = {}

    def ground(self, relation: ExtractedRelation) -> ExtractedRelation:
        head, tail = relation.head, relation.tail
        listing = (head.text, relation.type, tail.text)
        before = self._listed.get(listing, 0)
        self._listed[listing] = before + 1
        pairs = self._pairs(head, tail)
        near_head, near_tail = pairs[min(before, len(pairs) - 1)]
        return ExtractedRelation(head=_placed(head, near_head), type=relation.type, tail=_placed(tail, near_tail))

    def _pairs(self, head: ExtractedEntity, tail: ExtractedEntity) -> list[tuple[ExtractedEntity, ExtractedEntity]]:
        """Pairs of places, the closest first; mentions that have a span stay where they are."""
        key = (head.text, head.type, tail.text, tail.type)
        fixed = head.span is not None or tail.span is not None
        if not fixed and key in self._ranked:
            return self._ranked[key]
        pairs = _closest(self._places(head), self._places(tail))
        if not fixed:
            self._ranked[key] = pairs
        return pairs

    def _places(self, mention: ExtractedEntity) -> list[ExtractedEntity]:
        if mention.span is not None:
            return [mention]
        same = self._by_text.get(mention.text, [])
        typed = [e for e in same if mention.type is None or e.type is None or e.type == mention.type]
        if typed or same:
            return typed or same
        places = self._occurrences.of(mention.text).places
        if not places:
            return [mention.model_copy(update={"alignment": "ungrounded"})]
        return [_at(mention, place, self._occurrences) for place in places[:_HEADS]]


def _placed(mention: ExtractedEntity, entity: ExtractedEntity) -> ExtractedEntity:
    return mention.model_copy(update={"span": entity.span, "alignment": entity.alignment})


def _closest(
    heads: list[ExtractedEntity], tails: list[ExtractedEntity]
) -> list[tuple[ExtractedEntity, ExtractedEntity]]:
    """Heads with the tails around them, the closest pair first."""
    tails = sorted(tails, key=_start)
    starts = [_start(tail) for tail in tails]
    pairs = []
    for head in heads[:_HEADS]:
        at = bisect_left(starts, _start(head))
        # One more behind, since the mention itself may be among them.
        pairs += [(head, tail) for tail in tails[max(0, at - _AROUND) : at + _AROUND + 1]]
    # Where the head stands behind or in front of all tails, the slice holds the last or the first ones: never none.
    return sorted(pairs, key=_distance)


def _start(mention: ExtractedEntity) -> int:
    return -1 if mention.span is None else mention.span.start


def _distance(pair: tuple[ExtractedEntity, ExtractedEntity]) -> tuple[int, int]:
    """How far two mentions stand apart, the same place being the farthest; then how early they stand."""
    head, tail = pair[0].span, pair[1].span
    if head is None or tail is None:
        return 0, (head or tail or Span(start=0, end=0)).start
    if head == tail:
        return 1 << 60, head.start
    return max(0, tail.start - head.end, head.start - tail.end), min(head.start, tail.start)
