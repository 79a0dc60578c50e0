"""What records of joint extraction say beyond exact matches: micro-F1 by protocol, and relations that were invented."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bythebook import stats
from bythebook.metrics.best_of import avg_f1, best_at_k
from bythebook.metrics.extraction import Counts, total
from bythebook.records import Record

__all__ = ["extraction_scores"]

_MOST = 1024
"""The largest K of Best F1@K; K are powers of two."""


def extraction_scores(greedy: Sequence[Record], drawn: Sequence[Sequence[Record]], k: int) -> dict[str, Any]:
    """`protocols`: for each of `ner`, `rel`, `rel_plus` that was asked the micro-averaged `precision`, `recall` and
    `f1` of the greedy answers, and of the k samples `avg_at_k` and `best_at_k` by K = 1, 2, 4 … k;
    `false_relation_rate`, the share of answers to texts without relation that name one (of the samples, or of the
    greedy answers where there are none), over `relation_free` texts. Empty where no record is of joint extraction;
    None where nothing is to average.
    """
    groups = [[r for r in group[:k] if r.counts is not None] for group in drawn]
    groups = [group for group in groups if len(group) == k]
    answered = [r for r in greedy if r.counts is not None]
    names = list(dict.fromkeys(name for r in [*answered, *_flat(groups)] for name in r.counts or ()))
    if not names:
        return {}
    protocols = {name: _protocol(answered, groups, name, k) for name in names}
    free = [r for r in (_flat(groups) or answered) if "rel" in (r.counts or ()) and not _of(r, "rel").gold]
    return {
        "protocols": protocols,
        "false_relation_rate": stats.mean(float(_of(r, "rel").fp > 0) for r in free),
        "relation_free": len({r.id for r in free}),
    }


def _protocol(answered: Sequence[Record], groups: Sequence[Sequence[Record]], name: str, k: int) -> dict[str, Any]:
    pooled = total(_of(r, name) for r in answered if name in (r.counts or ()))
    rows = [[_of(r, name) for r in group] for group in groups if all(name in (r.counts or ()) for r in group)]
    sizes = [2**power for power in range(_MOST.bit_length()) if 2**power <= min(k, _MOST)] if rows else []
    return {
        "precision": pooled.precision,
        "recall": pooled.recall,
        "f1": pooled.f1,
        "avg_at_k": avg_f1(rows) if rows else None,
        "best_at_k": {str(size): best_at_k(rows, size).f1 for size in sizes},
    }


def _of(record: Record, name: str) -> Counts:
    return Counts(*(record.counts or {})[name])


def _flat(groups: Iterable[Sequence[Record]]) -> list[Record]:
    return [r for group in groups for r in group]
