"""Scores of joint extraction over many texts: micro and macro, per type, on texts with and without relations.

With several samples of each text every figure is the mean over samples of the figure of sample i of all texts; counts
are means, too. A figure that is undefined in a sample (nothing predicted: no precision) is left out of its mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bythebook.metrics.best_of import avg_f1, best_at_k
from bythebook.metrics.extraction import Counts, relation_key, total
from bythebook.metrics.protocols import Protocol, Row, Rules, count_by_type

__all__ = ["CountTable", "count_rows", "false_relations", "micro_f1", "protocol_scores", "summed"]


@dataclass(frozen=True, slots=True)
class CountTable:
    """The counts of every text, sample and type by one protocol."""

    protocol: Protocol
    cells: tuple[tuple[dict[str, Counts], ...], ...]
    """texts × samples: type → counts"""

    @property
    def counts(self) -> list[list[Counts]]:
        """texts × samples"""
        return [[total(cell.values()) for cell in samples] for samples in self.cells]

    @property
    def by_type(self) -> dict[str, list[Counts]]:
        """type, in alphabetical order → the counts of each sample, summed over texts"""
        # An answer may name any number of types: what a text does not have costs no time.
        found: dict[str, list[Counts]] = {}
        for samples in self.cells:
            for number, cell in enumerate(samples):
                for name, counts in cell.items():
                    sums = found.setdefault(name, [Counts()] * len(samples))
                    sums[number] += counts
        return dict(sorted(found.items()))


def count_rows(protocol: Protocol, rows: Iterable[Row], rules: Rules) -> CountTable:
    """Every sample of every text against its gold."""
    return CountTable(
        protocol, tuple(tuple(count_by_type(protocol, sample, row, rules) for sample in row.samples) for row in rows)
    )


def protocol_scores(table: CountTable, rows: Sequence[Row], rules: Rules, ks: Iterable[int] = ()) -> dict[str, Any]:
    """What is reported of one protocol.

    `f1`, `precision`, `recall`, `tp`, `fp`, `fn`: micro; `macro_f1`: mean F1 of the types that the gold has;
    `per_type`; `gold_counts`, how gold items that stand twice were counted: `unique`, `raw`, or `multiset`; `related`,
    of a relation protocol: the micro figures over the texts whose gold has a relation. For every k of `ks` and the N
    samples of a text: `best_f1_at_k`, `best_f1_at_k_release` (as the R2GRPO release counts) and `avg_at_k`. ValueError
    if k > N.
    """
    counts = table.counts
    per_type = {name: _figures(samples) for name, samples in table.by_type.items()}
    in_gold = [s["f1"] for s in per_type.values() if s["tp"] + s["fn"] > 0 and s["f1"] is not None]
    out = _figures(_pooled(counts)) | {
        "macro_f1": _mean(in_gold),
        "gold_counts": "multiset" if table.protocol.multiset else "raw" if rules.raw else "unique",
        "per_type": per_type,
    }
    if table.protocol.unseen:
        out["seen"] = _mean([c.seen for c in _pooled(counts)])
    if table.protocol.of == "relations":
        out["related"] = _figures(_pooled([c for c, row in zip(counts, rows, strict=True) if row.gold.relations]))
    ks = tuple(ks)
    if ks:
        average = avg_f1(counts)
        out["best_f1_at_k"] = {str(k): best_at_k(counts, k).f1 for k in ks}
        out["best_f1_at_k_release"] = {str(k): best_at_k(counts, k, release=True).f1 for k in ks}
        out["avg_at_k"] = {str(k): average for k in ks}
    return out


def _pooled(counts: Sequence[Sequence[Counts]]) -> list[Counts]:
    """texts × samples → the counts of each sample, summed over texts"""
    return [total(sample) for sample in zip(*counts, strict=True)]


def _figures(samples: Sequence[Counts]) -> dict[str, Any]:
    return {
        "f1": _mean([c.f1 for c in samples]),
        "precision": _mean([c.precision for c in samples]),
        "recall": _mean([c.recall for c in samples]),
        "tp": _mean([c.tp for c in samples]) or 0,
        "fp": _mean([c.fp for c in samples]) or 0,
        "fn": _mean([c.fn for c in samples]) or 0,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return known[0] if len(known) == 1 else math.fsum(known) / len(known) if known else None


def false_relations(rows: Sequence[Row], rules: Rules) -> dict[str, Any]:
    """Inventions on the texts whose gold has no relation, means over samples: `rows`, how many texts there are;
    `false_relation_rate`, the share with at least one predicted relation; `false_relations`, how many these are.

    By text, whatever a protocol forgives. The rate is None where every text has a relation.
    """
    free = [row for row in rows if not row.gold.relations]
    found = [
        [len({relation_key(r, symmetric=rules.symmetric) for r in sample.relations}) for sample in row.samples]
        for row in free
    ]
    samples = [list(sample) for sample in zip(*found, strict=True)]
    return {
        "rows": len(free),
        "false_relation_rate": _mean([sum(n > 0 for n in sample) / len(sample) for sample in samples]),
        "false_relations": _mean([sum(sample) for sample in samples]) or 0,
    }


def summed(counts: Iterable[Sequence[Counts]]) -> NDArray[np.float64]:
    """texts × (tp, fp, fn, seen), means over the samples of each text."""
    rows = [[[c.tp, c.fp, c.fn, c.seen] for c in samples] for samples in counts]
    return np.array([np.mean(samples, axis=0) for samples in rows], dtype=np.float64).reshape(-1, 4)


def micro_f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """F1 of pooled counts, as `Counts.f1` has it: … × (tp, fp, fn, seen) → …, NaN where it is undefined."""
    tp, fp, fn, seen = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = 2 * tp / (2 * tp + fp + fn)
        precision, recall = (tp - seen) / (tp + fp - seen), tp / (tp + fn)
        harmonic = 2 * precision * recall / (precision + recall)
    harmonic = np.where(precision + recall == 0, 0.0, harmonic)
    return np.asarray(np.where(seen > 0, harmonic, plain), dtype=np.float64)
