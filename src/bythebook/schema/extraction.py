"""Which extractions a guideline admits: JSON schema, validator and canonical form from one source.

An answer of joint extraction is one JSON object, `{"ner": [["text", "type"], …], "rel": [["head text", "relation",
"tail text"], …]}`. The sub-task `ner` has the key `ner` only, `re` and `re_plus` have the key `rel` only, `end2end`
has both. A pair without a relation is left out; nothing found is an empty list.

Deviations, by code, of what the guideline does not admit.

empty_mention      an entity, a head or a tail without text
unknown_type       an entity type that the guideline does not declare
unknown_relation   a relation that the guideline does not declare
stated_negative    an item with the no-relation label: pairs without a relation are left out
type_signature     a head or a tail of a type that the relation does not take
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, Self

from pydantic import Field

from bythebook.types import (
    Deviation,
    ExtractedEntity,
    ExtractedRelation,
    Extraction,
    Guideline,
    LabelName,
    Noun,
    RelationType,
    SubTask,
)

__all__ = ["ExtractionSchema", "MentionOrder", "RelationSignature"]

_KEYS: dict[SubTask, tuple[str, ...]] = {
    "ner": ("ner",),
    "re": ("rel",),
    "re_plus": ("rel",),
    "end2end": ("ner", "rel"),
}
_SHOWN = 40
"""Characters of a mention that a message quotes."""


class RelationSignature(Noun):
    """A relation and the entity types of its arguments; no types: any."""

    name: LabelName
    head_types: tuple[LabelName, ...] = ()
    tail_types: tuple[LabelName, ...] = ()
    symmetric: bool = False

    @classmethod
    def of(cls, relation: RelationType) -> Self:
        """The signature in a section of a guideline."""
        return cls(
            name=relation.name,
            head_types=relation.head_types,
            tail_types=relation.tail_types,
            symmetric=relation.symmetric,
        )

    def takes(self, head: str | None, tail: str | None) -> bool:
        """Whether arguments of these types fit; a type that is not known fits. A symmetric relation means the same in
        both orders, so either order may fit."""
        if self._fits(head, tail):
            return True
        return self.symmetric and self._fits(tail, head)

    def _fits(self, head: str | None, tail: str | None) -> bool:
        return all(
            given is None or not taken or given in taken
            for given, taken in ((head, self.head_types), (tail, self.tail_types))
        )


class ExtractionSchema(Noun):
    """Which entities and relations a guideline admits."""

    entity_types: tuple[LabelName, ...] = ()
    """Empty where the guideline declares none: then every type is admitted."""
    relations: tuple[RelationSignature, ...] = Field(min_length=1)
    no_relation: LabelName | None = None

    @classmethod
    def of(cls, guideline: Guideline) -> Self:
        """The schema of a guideline."""
        return cls(
            entity_types=tuple(t.name for t in guideline.entity_types),
            relations=tuple(RelationSignature.of(r) for r in guideline.relation_types),
            no_relation=guideline.no_relation,
        )

    @staticmethod
    def keys(sub_task: SubTask) -> tuple[str, ...]:
        """The keys of an answer, in order. ValueError for `label`, whose answer is no JSON."""
        if sub_task not in _KEYS:
            raise ValueError(f"the sub-task {sub_task!r} is no joint extraction")
        return _KEYS[sub_task]

    @property
    def relation_names(self) -> tuple[str, ...]:
        """The relations' names in the guideline's order, without the no-relation label."""
        return tuple(r.name for r in self.relations)

    @property
    def symmetric(self) -> tuple[str, ...]:
        """The names of the symmetric relations."""
        return tuple(r.name for r in self.relations if r.symmetric)

    def signature(self, relation: str) -> RelationSignature | None:
        """The signature of the relation of that name; None if the guideline does not declare it."""
        return self._signatures.get(relation)

    @cached_property
    def _signatures(self) -> dict[str, RelationSignature]:
        return {r.name: r for r in self.relations}

    @cached_property
    def _types(self) -> frozenset[str]:
        return frozenset(self.entity_types)

    # ---------------------------------------------------------------------------------------------- JSON, both ways

    def json_schema(self, sub_task: SubTask) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of the answers of a sub-task, in the subset that constrained decoders take.

        An item is a closed tuple with its label as an enumeration. Beyond a JSON Schema are: that mentions occur in
        the source, and type signatures, since a relation names its arguments by text. `admits` checks the latter. No
        least length of a mention is set, since xgrammar then admits no escape in it, so no quotation mark.
        ValueError for `label`.
        """
        mention: dict[str, Any] = {"type": "string"}
        kind = {"enum": list(self.entity_types)} if self.entity_types else mention
        items = {"ner": [mention, kind], "rel": [mention, {"enum": list(self.relation_names)}, mention]}
        keys = self.keys(sub_task)
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {key: {"type": "array", "items": _closed_tuple(items[key])} for key in keys},
            "required": list(keys),
            "additionalProperties": False,
        }

    def write(self, extraction: Extraction, sub_task: SubTask) -> str:
        """An extraction as the JSON of an answer, items in order, on one line. ValueError for `label`, and for an
        entity without a type where the answer has to name it."""
        answer: dict[str, list[list[str]]] = {}
        for key in self.keys(sub_task):
            if key == "ner":
                answer[key] = [[e.text, _typed(e)] for e in extraction.entities]
            else:
                answer[key] = [[r.head.text, r.type, r.tail.text] for r in extraction.relations]
        return json.dumps(answer, ensure_ascii=False)

    # --------------------------------------------------------------------------------------------------- validation

    def admits(self, extraction: Extraction) -> tuple[Deviation, ...]:
        """What the guideline does not admit of an extraction, in its order; empty if it admits all. Types that are not
        known break no signature."""
        found = [self.entity_fault(e) for e in extraction.entities]
        found += [self.relation_fault(r) for r in extraction.relations]
        return tuple(d for d in found if d is not None)

    def entity_fault(self, entity: ExtractedEntity) -> Deviation | None:
        """Why the guideline does not admit an entity; None if it does."""
        if not entity.text.strip():
            return Deviation(code="empty_mention", message="an entity without text")
        if entity.type is not None and self.entity_types and entity.type not in self._types:
            message = f"{_shown(entity.type)} is no entity type of the guideline"
            return Deviation(code="unknown_type", message=message)
        return None

    def relation_fault(self, relation: ExtractedRelation) -> Deviation | None:
        """Why the guideline does not admit a relation; None if it does. Unknown types break no signature."""
        head, tail = relation.head, relation.tail
        if not head.text.strip() or not tail.text.strip():
            return Deviation(code="empty_mention", message="a relation without head or tail")
        if relation.type == self.no_relation:
            message = f"{_shown(relation.type)} says that there is no relation: leave the pair out"
            return Deviation(code="stated_negative", message=message)
        signature = self.signature(relation.type)
        if signature is None:
            message = f"{_shown(relation.type)} is no relation of the guideline"
            return Deviation(code="unknown_relation", message=message)
        if not signature.takes(head.type, tail.type):
            message = f"{relation.type} does not join {head.type or 'any type'} with {tail.type or 'any type'}"
            return Deviation(code="type_signature", message=message)
        return None

    # ----------------------------------------------------------------------------------------------- canonical form

    def canonical(self, extraction: Extraction, source: str | None = None) -> Extraction:
        """`extraction` with every symmetric relation in canonical order, all else as it is.

        First stands the argument whose text occurs first in `source` (exactly; else regardless of letter case; else
        last), then the one whose text is smaller. Where it occurs *first* counts, not the span: gold, which has spans,
        and an answer, which has none, come out alike. Without `source` the texts decide.
        """
        if not any(r.type in self.symmetric for r in extraction.relations):
            return extraction
        order = MentionOrder(source)
        relations = tuple(self.canonical_relation(r, order) for r in extraction.relations)
        return Extraction(entities=extraction.entities, relations=relations)

    def canonical_relation(self, relation: ExtractedRelation, order: MentionOrder) -> ExtractedRelation:
        """One relation in canonical order: see `canonical`."""
        signature = self.signature(relation.type)
        if signature is None or not signature.symmetric or order(relation.head) <= order(relation.tail):
            return relation
        return ExtractedRelation(head=relation.tail, type=relation.type, tail=relation.head)


class MentionOrder:
    """The order of mentions by which symmetric relations are canonical. Every text is looked up once."""

    def __init__(self, source: str | None) -> None:
        self._source = source or ""
        self._lower: str | None = None
        self._places: dict[str, int] = {}

    def __call__(self, mention: ExtractedEntity) -> tuple[int, str, int]:
        start = 0 if mention.span is None else mention.span.start
        return self._place(mention.text), mention.text, start

    def _place(self, text: str) -> int:
        place = self._places.get(text)
        if place is None:
            place = self._places[text] = self._found(text)
        return place

    def _found(self, text: str) -> int:
        place = self._source.find(text)
        if place < 0 and self._source:
            if self._lower is None:
                self._lower = self._source.lower()
            place = self._lower.find(text.lower())
        return place if place >= 0 else len(self._source)


def _closed_tuple(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items), "maxItems": len(items)}


def _typed(entity: ExtractedEntity) -> str:
    if entity.type is None:
        raise ValueError(f"the entity {_shown(entity.text)} has no type to write")
    return entity.type


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
