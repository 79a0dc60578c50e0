"""An answer of joint extraction beside its gold: what of it is right, and what to call a completion without one.

Items are compared by the functions with which an evaluation compares them, as sets: entities by text and type,
relations by the texts of their arguments and their type (NER and REL of SciER).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from bythebook.metrics.extraction import Counts, counts, entity_key, relation_key
from bythebook.parsing import UNREAD_ANSWER
from bythebook.schema import ExtractionGold, ExtractionSchema
from bythebook.types import ExtractedEntity, ExtractedRelation, FinishReason, ParsedExtraction, Status

__all__ = ["Compared", "Half", "compared", "extraction_status"]

Item = TypeVar("Item", ExtractedEntity, ExtractedRelation)


@dataclass(frozen=True)
class Half(Generic[Item]):
    """The entities of an answer, or its relations."""

    right: tuple[Item, ...]
    """Gold items that the answer has, each once, in the gold's order."""
    wrong: tuple[Item, ...]
    """Items of the answer that the gold has not, each once."""
    missed: tuple[Item, ...]
    counts: Counts
    """An item that could not be read is a false positive."""
    given: bool
    """Whether the answer has this half at all, be it empty."""

    @property
    def f1(self) -> float:
        """1 where there is nothing to find and the answer says so; 0 where it says nothing."""
        return self.counts.item_f1 if self.given else 0.0


@dataclass(frozen=True)
class Compared:
    """An answer beside its gold; None for the half that the sub-task does not ask for."""

    entities: Half[ExtractedEntity] | None
    relations: Half[ExtractedRelation] | None

    @property
    def right(self) -> bool:
        """Whether all is found and nothing else is said."""
        return all(half.f1 == 1.0 for half in (self.entities, self.relations) if half is not None)

    @property
    def scoreable(self) -> bool:
        """Whether the answer says something, or there is nothing to say."""
        halves = [half for half in (self.entities, self.relations) if half is not None]
        said = any(half.right or half.wrong for half in halves)
        return all(half.given for half in halves) and (said or not any(half.counts.gold for half in halves))


def compared(parsed: ParsedExtraction, gold: ExtractionGold) -> Compared | None:
    """The answer beside the gold; None where there is no answer."""
    if parsed.extraction is None:
        return None
    keys = ExtractionSchema.keys(gold.sub_task)
    codes = Counter(d.code for d in parsed.deviations)
    said, wanted = parsed.extraction, gold.extraction
    entities, relations = None, None
    if "ner" in keys:
        unread = parsed.dropped - sum(codes[code] for code in _RELATIONS_ONLY)
        entities = _half(said.entities, wanted.entities, entity_key, unread, _MISSING in codes)
    if "rel" in keys:
        unread = parsed.dropped - codes[_ENTITIES_ONLY]
        key = partial(relation_key, symmetric=gold.extraction_schema.symmetric)
        relations = _half(said.relations, wanted.relations, key, unread, _MISSING in codes)
    return Compared(entities, relations)


_MISSING = "missing_key"
# Any other code of an item that is left out may be that of an entity or of a relation: it counts in both halves.
_ENTITIES_ONLY, _RELATIONS_ONLY = "unknown_type", ("unknown_relation", "stated_negative")


def _half(
    answer: Sequence[Item],
    gold: Sequence[Item],
    key: Callable[[Item], Hashable],
    unread: int,
    key_missing: bool,
) -> Half[Item]:
    given, wanted = {key(item): item for item in reversed(answer)}, {key(item): item for item in reversed(gold)}
    found = counts(given, wanted)
    return Half(
        right=tuple(item for k, item in reversed(wanted.items()) if k in given),
        wrong=tuple(item for k, item in reversed(given.items()) if k not in wanted),
        missed=tuple(item for k, item in reversed(wanted.items()) if k not in given),
        counts=Counts(found.tp, found.fp + unread, found.fn),
        # Where one of two keys is missing, the half that has no item may be the one.
        given=bool(answer) or not key_missing,
    )


def extraction_status(parsed: ParsedExtraction, finish_reason: FinishReason) -> Status:
    """What to call a completion without an answer: cut off, without any answer block, or malformed."""
    if finish_reason == "length":
        return "truncated"
    written = any(d.code in (UNREAD_ANSWER, "unparseable_answer") for d in parsed.deviations)
    return "malformed" if written or parsed.answer_span is not None else "no_answer"
