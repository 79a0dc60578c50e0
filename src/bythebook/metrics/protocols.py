"""Scores of joint extraction by the names that the literature gives them: each protocol is a setting of the matcher.

    ner, rel, rel_plus             exact text, as sets; REL+ compares the types of both arguments, too (SciER)
    *_offsets                      the same by character offsets: NER, REL and REL-strict of PURE (2010.12812)
    typed_text_multiset, …_rel     GoLLIE (2310.03668): entities by type and lower-cased text, relations by type and the
                                   text of their arguments, as multisets; items that the guideline does not declare or
                                   whose text is not in the source are dropped
    normalised_set                 UniversalNER (2308.03279): entities by type and normalised text, as sets
    docred_ign_f1                  DocRED (1906.06127): REL with a precision that leaves out right facts of the training
                                   set; facts are told by the text of their arguments, entity clusters are not read
    r2grpo_release, …_ner          the evaluator released with R2GRPO (2505.22068): where no item of a text is right,
                                   what was predicted for it is forgotten, and costs no precision

Direction: every published protocol takes the order of the arguments as given. Types named as symmetric are compared in
both orders, in all protocols; the caller says which, and a score tells it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bythebook.metrics.extraction import By, Counts, counts, entity_key, relation_key, with_types
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction

__all__ = ["PROTOCOLS", "Fact", "Protocol", "Row", "Rules", "count_by_type", "facts_of", "forgiven"]

Fact = tuple[str, str, str]
"""Head text, relation type, tail text."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How predictions are matched: the fields are explained in `metrics.extraction`."""

    name: str
    of: Literal["entities", "relations"]
    by: By = "text"
    typed: bool = True
    """Of relations: whether the types of the arguments are compared."""
    multiset: bool = False
    forgiving: bool = False
    """Predictions for a text none of which is right cost nothing."""
    in_source: bool = False
    """Undeclared types, and texts that are not in the source, are dropped before."""
    unseen: bool = False
    """Precision leaves out right facts that the training set has."""


_ALL = (
    Protocol("ner", "entities"),
    Protocol("rel", "relations", typed=False),
    Protocol("rel_plus", "relations"),
    Protocol("ner_offsets", "entities", by="offsets"),
    Protocol("rel_offsets", "relations", by="offsets", typed=False),
    Protocol("rel_plus_offsets", "relations", by="offsets"),
    Protocol("typed_text_multiset", "entities", by="lowered", multiset=True, in_source=True),
    Protocol("typed_text_multiset_rel", "relations", typed=False, multiset=True, in_source=True),
    Protocol("normalised_set", "entities", by="normalised"),
    Protocol("docred_ign_f1", "relations", typed=False, unseen=True),
    Protocol("r2grpo_release", "relations", typed=False, forgiving=True),
    Protocol("r2grpo_release_ner", "entities", forgiving=True),
)
PROTOCOLS: dict[str, Protocol] = {p.name: p for p in _ALL}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a caller may choose within a protocol."""

    raw: bool = False
    """Gold items that stand twice in a text count twice; else once. Multisets are what they are."""
    symmetric: frozenset[str] = frozenset()
    """Relation types whose arguments have no order."""
    seen: frozenset[Fact] = frozenset()
    """The facts of the training set."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text with its gold and the samples that answer it."""

    id: str
    gold: Extraction
    samples: tuple[Extraction, ...]
    text: str = ""
    document: str = ""
    declared: frozenset[str] | None = None
    """The entity and relation types of the guideline; None: whatever is named."""

    @classmethod
    def of(
        cls,
        row_id: str,
        gold: Extraction,
        samples: Iterable[Extraction],
        *,
        text: str = "",
        document: str | None = None,
        declared: frozenset[str] | None = None,
    ) -> Row:
        """A row whose relations have the types and spans of their entities; by default a document of its own."""
        filled = tuple(with_types(sample) for sample in samples)
        return cls(row_id, with_types(gold), filled, text, row_id if document is None else document, declared)


def facts_of(extractions: Iterable[Extraction]) -> frozenset[Fact]:
    """Every relation, told by the texts of its arguments."""
    return frozenset((r.head.text, r.type, r.tail.text) for e in extractions for r in e.relations)


def forgiven(found: Counts) -> Counts:
    """As the R2GRPO release counts a text: a prediction of F1 0 is forgotten, the gold stays missed."""
    return found if found.tp else Counts(0, 0, found.fn)


# ---------------------------------------------------------------------------------------------------------- counting


def count_by_type(protocol: Protocol, predicted: Extraction, row: Row, rules: Rules) -> dict[str, Counts]:
    """One answer to a text against its gold, by entity or relation type; a mention without a type has the type ''.

    Keys of different types never match, so the counts of the text are the sum.
    """
    answered = _keys(protocol, predicted, row, rules, "predicted")
    wanted = _keys(protocol, row.gold, row, rules, "gold")
    found = {
        name: counts(answered.get(name, ()), wanted.get(name, ()), multiset=protocol.multiset, raw=rules.raw)
        for name in {*answered, *wanted}
    }
    if protocol.forgiving and not any(c.tp for c in found.values()):
        return {name: forgiven(c) for name, c in found.items()}
    if protocol.unseen and rules.seen:
        known = _seen(protocol, predicted, row, rules)
        return {name: Counts(c.tp, c.fp, c.fn, known.get(name, 0)) for name, c in found.items()}
    return found


def _keys(protocol: Protocol, extraction: Extraction, row: Row, rules: Rules, side: str) -> dict[str, list[Hashable]]:
    out: dict[str, list[Hashable]] = defaultdict(list)
    if protocol.of == "entities":
        entities: Sequence[ExtractedEntity] = extraction.entities
        for e in _entities_in_source(entities, row) if protocol.in_source else entities:
            out[e.type or ""].append(entity_key(e, by=protocol.by, side=side))
        return out
    relations: Iterable[ExtractedRelation] = extraction.relations
    for r in filter(_in_source(row), relations) if protocol.in_source else relations:
        key = relation_key(r, by=protocol.by, typed=protocol.typed, symmetric=rules.symmetric, side=side)
        out[r.type].append(key)
    return out


def _entities_in_source(entities: Iterable[ExtractedEntity], row: Row) -> Iterable[ExtractedEntity]:
    """Declared types only, and no text more often than the source has it, whatever its types."""
    source, kept = row.text.lower(), Counter[str]()
    room: dict[str, int] = {}
    for e in entities:
        key = e.text.lower().strip()
        if not key or (row.declared is not None and e.type not in row.declared):
            continue
        if key not in room:
            room[key] = source.count(key)
        kept[key] += 1
        if kept[key] <= room[key]:
            yield e


def _in_source(row: Row) -> Callable[[ExtractedRelation], bool]:
    source = row.text.lower()

    def is_in(r: ExtractedRelation) -> bool:
        declared = row.declared is None or r.type in row.declared
        return declared and r.head.text.lower() in source and r.tail.text.lower() in source

    return is_in


def _seen(protocol: Protocol, predicted: Extraction, row: Row, rules: Rules) -> Counter[str]:
    """By type, how many of the true positives are facts of the training set."""
    wanted = [(relation_key(r, typed=protocol.typed, symmetric=rules.symmetric), r) for r in row.gold.relations]
    answered = {relation_key(r, typed=protocol.typed, symmetric=rules.symmetric) for r in predicted.relations}
    right = [(key, r) for key, r in wanted if key in answered and _is_known(r, rules)]
    if not rules.raw:
        right = list({key: (key, r) for key, r in right}.values())
    return Counter(r.type for _, r in right)


def _is_known(r: ExtractedRelation, rules: Rules) -> bool:
    head, tail = r.head.text, r.tail.text
    return (head, r.type, tail) in rules.seen or (r.type in rules.symmetric and (tail, r.type, head) in rules.seen)
