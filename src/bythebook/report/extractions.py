"""Answers of joint extraction as records keep them: read again as items, and gold beside predicted item by item.

Nothing is judged here: what is right was counted when the record was made, with the keys that tell items apart here.

| item | stands for |
|---|---|
| right | gold and answer have it |
| type | the other side has the mention, or the pair in this direction, under another type |
| direction | the other side has the relation turned round |
| alone | the other side has nothing of the kind: of the gold, it was missed; of the answer, it was invented |
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, NamedTuple, get_args

from bythebook.metrics.extraction import entity_key, relation_key
from bythebook.records import Record, loads
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction

__all__ = ["FOUND", "Found", "Kept", "beside", "extraction_of", "is_extraction", "of_both"]

Found = Literal["right", "type", "direction", "alone"]
FOUND: tuple[Found, ...] = get_args(Found)
_DIGEST = "sha256:"
_MOST_ITEMS = 1_024


class Kept(NamedTuple):
    """Gold or answer, and what the other side has of each of its items."""

    extraction: Extraction
    entities: tuple[Found, ...]
    relations: tuple[Found, ...]


def is_extraction(record: Record) -> bool:
    """Whether a record is of joint extraction, and not of relation classification: it has counts, or its gold or its
    answer is an object of JSON or the digest of one."""
    if record.counts is not None:
        return True
    said = [text for text in (record.gold, record.answer) if text is not None]
    return any(text.startswith(_DIGEST) or _object(text) is not None for text in said)


def extraction_of(text: str | None) -> Extraction | None:
    """What a record's gold or answer says, each item once; None where it says nothing, or only a digest was kept."""
    found = None if text is None else _object(text)
    if found is None:
        return None
    entities = [ExtractedEntity(text=e[0], type=e[1]) for e in _items(found.get("ner"), 2) if e[0].strip()]
    relations = [
        ExtractedRelation(head=ExtractedEntity(text=r[0]), type=r[1], tail=ExtractedEntity(text=r[2]))
        for r in _items(found.get("rel"), 3)
        if r[0].strip() and r[2].strip()
    ]
    return Extraction(entities=tuple(dict.fromkeys(entities)), relations=tuple(dict.fromkeys(relations)))


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and ("ner" in found or "rel" in found) else None


def _items(value: Any, arity: int) -> list[list[str]]:
    items = value[:_MOST_ITEMS] if isinstance(value, list) else []
    return [
        item
        for item in items
        if isinstance(item, list) and len(item) == arity and all(isinstance(field, str) for field in item)
    ]


def beside(gold: Extraction | None, answer: Extraction | None) -> tuple[Kept | None, Kept | None]:
    """Gold and answer, each item with what the other side has of it; None for a side that is unknown. Without an
    answer everything was missed, without gold nothing is known of the answer but its items."""
    if gold is None:
        return None, None if answer is None else Kept(answer, (), ())
    said = answer or Extraction()
    return _kept(gold, said), None if answer is None else _kept(said, gold)


def _kept(own: Extraction, other: Extraction) -> Kept:
    entities = {entity_key(e) for e in other.entities}
    mentions = {e.text for e in other.entities}
    relations = {relation_key(r) for r in other.relations}
    pairs = {(r.head.text, r.tail.text) for r in other.relations}
    return Kept(
        own,
        tuple(_entity(e, entities, mentions) for e in own.entities),
        tuple(_relation(r, relations, pairs) for r in own.relations),
    )


def _entity(entity: ExtractedEntity, keys: set[Hashable], mentions: set[str]) -> Found:
    if entity_key(entity) in keys:
        return "right"
    return "type" if entity.text in mentions else "alone"


def _relation(relation: ExtractedRelation, keys: set[Hashable], pairs: set[tuple[str, str]]) -> Found:
    if relation_key(relation) in keys:
        return "right"
    if relation_key(relation.model_copy(update={"head": relation.tail, "tail": relation.head})) in keys:
        return "direction"
    return "type" if (relation.head.text, relation.tail.text) in pairs else "alone"


def of_both(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """(records of relation classification, records of joint extraction), each in order."""
    kinds = [is_extraction(r) for r in records]
    labels = [r for r, joint in zip(records, kinds, strict=True) if not joint]
    return labels, [r for r, joint in zip(records, kinds, strict=True) if joint]
