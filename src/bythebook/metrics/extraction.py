"""Joint extraction: the one matcher of entities and relations that rewards and evaluation share.

A mention or a relation becomes a key, and predicted keys are counted against gold keys. What of a mention is compared
is `by`: its text as written, its text normalised, or its offsets; whether types count is `typed`. The published
protocols are settings of these (`protocols.py`).

Sets and multisets: as a set, an item given twice is one item, on both sides; as a multiset, n copies match at most as
many as the gold has, and each one more is a false positive.

Empty answers: where neither side has an item, nothing was asked and nothing invented. Precision, recall and F1 of such
counts are undefined (None), and pooled counts are unchanged by them; `item_f1`, the score of one text, is 1 there.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction

__all__ = [
    "By",
    "Counts",
    "counts",
    "entity_counts",
    "entity_key",
    "normalised",
    "relation_counts",
    "relation_key",
    "total",
    "with_types",
]

By = Literal["text", "lowered", "normalised", "offsets"]
"""What of a mention is compared: its characters; these in lower case without white space around; these after
`normalised`; its span in the source."""

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives: whole numbers, or expectations of them."""

    tp: float = 0
    fp: float = 0
    fn: float = 0
    seen: float = 0
    """True positives that precision leaves out: facts of the training set, in DocRED's Ign F1; 0 elsewhere."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.seen + other.seen)

    @property
    def predicted(self) -> float:
        return self.tp + self.fp

    @property
    def gold(self) -> float:
        return self.tp + self.fn

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None where nothing is predicted."""
        left = self.predicted - self.seen
        return (self.tp - self.seen) / left if left else None

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN); None where the gold is empty."""
        return self.tp / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """2·TP / (2·TP + FP + FN); None where nothing is predicted and the gold is empty.

        With `seen` facts the harmonic mean of that precision and recall, as DocRED has it: 0 where both are 0.
        """
        if self.seen:
            p, r = self.precision, self.recall
            return None if p is None or r is None else 2 * p * r / (p + r) if p + r else 0.0
        both = self.predicted + self.gold
        return 2 * self.tp / both if both else None

    @property
    def item_f1(self) -> float:
        """F1 of one text, whatever was seen: 1 where nothing is predicted and the gold is empty, which is right."""
        both = self.predicted + self.gold
        return 2 * self.tp / both if both else 1.0


def total(parts: Iterable[Counts]) -> Counts:
    """The sums; micro-averaged figures are those of the sums."""
    out = Counts()
    for part in parts:
        out = out + part
    return out


def normalised(text: str) -> str:
    """Lower case, without ASCII punctuation, then without the words a, an, the; one space between words.

    The normalisation of SQuAD (Rajpurkar et al. 2016, D16-1264, section 6.1), which UniversalNER (2308.03279) and
    SLIMER (2407.01272) apply to entities before they compare sets.
    """
    return " ".join(_ARTICLE.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


# -------------------------------------------------------------------------------------------------------------- keys


def entity_key(entity: ExtractedEntity, *, by: By = "text", typed: bool = True, side: str = "") -> Hashable:
    """What two mentions must share to be the same.

    A mention without a span has by offsets a key of its `side`, `predicted` or `gold`: it matches nothing.
    """
    where: Hashable
    match by:
        case "text":
            where = entity.text
        case "lowered":
            where = entity.text.lower().strip()
        case "normalised":
            where = normalised(entity.text)
        case "offsets":
            span = entity.span
            where = (side, entity.text) if span is None else (span.start, span.end)
    return (where, entity.type) if typed else where


def relation_key(
    relation: ExtractedRelation,
    *,
    by: By = "text",
    typed: bool = False,
    symmetric: Collection[str] = (),
    side: str = "",
) -> Hashable:
    """What two relations must share to be the same: type, head, tail; with `typed` the types of both mentions, too.

    Relations whose type is in `symmetric` have no direction: both orders of their arguments are one key.
    """
    head = entity_key(relation.head, by=by, typed=typed, side=side)
    tail = entity_key(relation.tail, by=by, typed=typed, side=side)
    if relation.type in symmetric:
        return relation.type, frozenset((head, tail))
    return relation.type, head, tail


def with_types(extraction: Extraction) -> Extraction:
    """The same, where mentions of relations that lack a type or a span have those of the first entity of their text.

    An answer names the arguments of a relation by their text alone; REL+ compares their types, too.
    """
    first: dict[str, ExtractedEntity] = {}
    for entity in extraction.entities:
        first.setdefault(entity.text, entity)

    def filled(mention: ExtractedEntity) -> ExtractedEntity:
        known = first.get(mention.text)
        if known is None or (mention.type is not None and mention.span is not None):
            return mention
        update = {"type": mention.type or known.type, "span": mention.span or known.span}
        return mention.model_copy(update=update)

    relations = tuple(
        r.model_copy(update={"head": filled(r.head), "tail": filled(r.tail)}) for r in extraction.relations
    )
    return extraction.model_copy(update={"relations": relations})


# ------------------------------------------------------------------------------------------------------------ counts


def counts(
    predicted: Iterable[Hashable], gold: Iterable[Hashable], *, multiset: bool = False, raw: bool = False
) -> Counts:
    """Predicted against gold keys, as sets (an item counts once however often it is given) or as multisets.

    `raw` counts sets by the gold's rows: an item that the gold gives twice is found twice or missed twice.
    """
    if multiset:
        many, needed = Counter(predicted), Counter(gold)
        tp = (many & needed).total()
        return Counts(tp, many.total() - tp, needed.total() - tp)
    answered = set(predicted)
    if raw:
        needed = Counter(gold)
        tp = sum(n for key, n in needed.items() if key in answered)
        return Counts(tp, len(answered - needed.keys()), needed.total() - tp)
    wanted = set(gold)
    tp = len(answered & wanted)
    return Counts(tp, len(answered) - tp, len(wanted) - tp)


def entity_counts(
    predicted: Iterable[ExtractedEntity],
    gold: Iterable[ExtractedEntity],
    *,
    by: By = "text",
    typed: bool = True,
    multiset: bool = False,
) -> Counts:
    """Entities of one text against its gold: by default the exact set of (text, type)."""
    return counts(
        (entity_key(e, by=by, typed=typed, side="predicted") for e in predicted),
        (entity_key(e, by=by, typed=typed, side="gold") for e in gold),
        multiset=multiset,
    )


def relation_counts(
    predicted: Iterable[ExtractedRelation],
    gold: Iterable[ExtractedRelation],
    *,
    by: By = "text",
    typed: bool = False,
    multiset: bool = False,
    symmetric: Collection[str] = (),
) -> Counts:
    """Relations of one text against its gold: by default the exact set of (head text, type, tail text), as REL."""
    return counts(
        (relation_key(r, by=by, typed=typed, symmetric=symmetric, side="predicted") for r in predicted),
        (relation_key(r, by=by, typed=typed, symmetric=symmetric, side="gold") for r in gold),
        multiset=multiset,
    )
