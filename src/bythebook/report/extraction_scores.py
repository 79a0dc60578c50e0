"""Scores of joint extraction from the counts that records keep, with intervals; and by type, where items are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypedDict

import numpy as np

from bythebook import stats
from bythebook.metrics.best_of import avg_f1, best_at_k
from bythebook.metrics.extraction import Counts, total
from bythebook.metrics.extraction_scores import micro_f1
from bythebook.metrics.protocols import PROTOCOLS, Row, Rules, count_by_type
from bythebook.records import Record
from bythebook.report.extractions import extraction_of
from bythebook.types import Extraction

__all__ = ["PROTOCOL_NAMES", "ExtractionScores", "ProtocolScores", "TypeScores", "extraction_scores", "type_scores"]

PROTOCOL_NAMES = {"ner": "NER", "rel": "REL", "rel_plus": "REL+"}
_RESAMPLES = 2000
_SEED = 20100
_GREEDY = -1
Interval = tuple[float, float]


class ProtocolScores(TypedDict):
    """By one protocol; shares of 0…1, None where nothing is to average."""

    name: str
    f1: float | None
    """Micro-F1 of the greedy answers; of single samples where nothing was greedy."""
    interval: Interval | None
    """95 %, bootstrap over documents."""
    precision: float | None
    recall: float | None
    gold: int
    """Items of the gold."""
    avg_at_k: float | None
    best_at_k: float | None


class ExtractionScores(TypedDict):
    """One model on one set."""

    items: int
    k: int
    """Samples of each text; 0 without any."""
    protocols: list[ProtocolScores]
    exact: float | None
    """Share of the answers without any mistake."""
    false_relations: float | None
    """Share of the answers to texts without relation that name one."""
    false_interval: Interval | None
    relation_free: int
    """Texts without relation."""
    format_rate: float | None
    tokens: float | None
    reward: float | None


class TypeScores(TypedDict):
    """One entity type or relation type by NER or REL."""

    protocol: str
    type: str
    gold: int
    f1: float | None
    precision: float | None
    recall: float | None


def _item(record: Record) -> str:
    """In rollouts one text comes back at several steps: each time is an item of its own."""
    return record.id if record.step is None else f"{record.step}/{record.id}"


def _document(record: Record) -> str:
    """What is drawn as a whole: the texts under one guideline of the world, the sentences of one document."""
    return record.tags.get("guideline_id") or record.tags.get("document") or record.id


def _grouped(records: Iterable[Record]) -> tuple[list[Record], list[list[Record]]]:
    """(the greedy answers, the first K samples of every item); K is the smallest number of samples."""
    greedy: dict[str, Record] = {}
    drawn: dict[str, dict[int, Record]] = defaultdict(dict)
    for record in records:
        if record.counts is None:
            continue
        if record.sample == _GREEDY:
            greedy.setdefault(_item(record), record)
        else:
            drawn[_item(record)].setdefault(record.sample, record)
    k = min((len(samples) for samples in drawn.values()), default=0)
    return list(greedy.values()), [[group[i] for i in sorted(group)[:k]] for group in drawn.values()]


def extraction_scores(records: Sequence[Record]) -> ExtractionScores | None:
    """The scores of one file of records; None if none of them has counts."""
    greedy, drawn = _grouped(records)
    flat = [r for group in drawn for r in group]
    if not greedy and not flat:
        return None
    shown = flat or greedy
    names = [name for name in PROTOCOL_NAMES if any(name in (r.counts or ()) for r in greedy + flat)]
    free = [r for r in shown if "rel" in (r.counts or ()) and not _of(r, "rel").gold]
    invented = [float(_of(r, "rel").fp > 0) for r in free]
    return {
        "items": len(drawn) or len(greedy),
        "k": len(drawn[0]) if drawn else 0,
        "protocols": [_protocol(name, greedy, drawn) for name in names],
        "exact": stats.mean(float(bool(r.correct)) for r in greedy or flat),
        "false_relations": stats.mean(invented),
        "false_interval": _mean_interval(invented, free),
        "relation_free": len({_item(r) for r in free}),
        "format_rate": stats.mean(float(r.well_formed) for r in shown),
        "tokens": stats.mean(None if r.tokens is None else float(r.tokens) for r in shown),
        "reward": stats.mean(r.value for r in shown),
    }


def _of(record: Record, name: str) -> Counts:
    return Counts(*(record.counts or {})[name])


def _protocol(name: str, greedy: Sequence[Record], drawn: Sequence[Sequence[Record]]) -> ProtocolScores:
    asked = [r for r in greedy if name in (r.counts or ())]
    groups = [group for group in drawn if all(name in (r.counts or ()) for r in group)]
    rows = [[_of(r, name) for r in group] for group in groups]
    pooled = [_of(r, name) for r in asked] if asked else [_mean_counts(row) for row in rows]
    whole = total(pooled)
    k = len(rows[0]) if rows else 0
    return {
        "name": PROTOCOL_NAMES[name],
        "f1": whole.f1,
        "interval": _f1_interval(pooled, asked or [group[0] for group in groups]),
        "precision": whole.precision,
        "recall": whole.recall,
        "gold": round(whole.gold),
        "avg_at_k": avg_f1(rows) if rows else None,
        "best_at_k": best_at_k(rows, k).f1 if rows else None,
    }


def _mean_counts(samples: Sequence[Counts]) -> Counts:
    whole, n = total(samples), len(samples)
    return Counts(whole.tp / n, whole.fp / n, whole.fn / n)


def _f1_interval(counts: Sequence[Counts], records: Sequence[Record]) -> Interval | None:
    """95 % bootstrap interval of the micro-F1 over documents; None with fewer than two of them."""
    documents = [_document(r) for r in records]
    if len(set(documents)) < 2:
        return None
    ours = np.array([[c.tp, c.fp, c.fn, 0.0] for c in counts])
    # Against a system that finds nothing, whose F1 is 0 in every draw: the difference is the F1 itself.
    nothing = np.tile([0.0, 0.0, 1.0, 0.0], (len(ours), 1))
    found = stats.paired_document_bootstrap(ours, nothing, documents, micro_f1, n=_RESAMPLES, seed=_SEED)
    return None if found is None else (found.low, found.high)


def _mean_interval(values: Sequence[float], records: Sequence[Record]) -> Interval | None:
    documents = [_document(r) for r in records]
    if len(set(documents)) < 2:
        return None
    zeros = [0.0] * len(values)
    found = stats.paired_bootstrap(values, zeros, [0] * len(values), documents, n=_RESAMPLES, seed=_SEED)
    return None if found is None else (found.low, found.high)


def type_scores(records: Sequence[Record]) -> list[TypeScores]:
    """Every entity type by NER and every relation type by REL, most frequent in the gold first; empty where the
    records hold digests. Of the greedy answers, or of all samples where nothing was greedy."""
    greedy, drawn = _grouped(records)
    found: dict[tuple[str, str], Counts] = defaultdict(Counts)
    for record in greedy or [r for group in drawn for r in group]:
        gold = extraction_of(record.gold)
        if gold is None:
            continue
        row = Row.of(record.id, gold, [extraction_of(record.answer) or Extraction()])
        for name in ("ner", "rel"):
            if name in (record.counts or ()):
                for kind, counts in count_by_type(PROTOCOLS[name], row.samples[0], row, Rules()).items():
                    found[name, kind] += counts
    order = sorted(found, key=lambda key: (key[0], -found[key].gold, key[1]))
    return [
        {
            "protocol": PROTOCOL_NAMES[name],
            "type": kind,
            "gold": round(found[name, kind].gold),
            "f1": found[name, kind].f1,
            "precision": found[name, kind].precision,
            "recall": found[name, kind].recall,
        }
        for name, kind in order
    ]
