"""Figures of documents read into JSON, of the greedy answers: the pairs of all documents together, as Efficient Medical
VIE (arXiv 2506.13363) counts them, tree-edit accuracy, and length in tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import NDArray

from bythebook import stats
from bythebook.metrics.extraction import Counts, total
from bythebook.metrics.tree_edit import tree_accuracy
from bythebook.records import Record
from bythebook.stats import Difference
from bythebook.stats.bootstrap import crossed_draws, middle

__all__ = [
    "POOLED",
    "Pooled",
    "Row",
    "document_value",
    "is_pooled",
    "pair_counts",
    "pooled_difference",
    "pooled_figure",
]

Pooled = Literal["f1", "precision", "recall"]
POOLED: tuple[Pooled, ...] = ("f1", "precision", "recall")
_DRAWS, _SEED, _LEVEL = 2000, 0, 0.95


def is_pooled(quantity: str) -> TypeGuard[Pooled]:
    """Whether a quantity is of the pairs of all documents together, and no mean over documents."""
    return quantity in POOLED


class Row(NamedTuple):
    """One document that two arms have read."""

    one: Counts
    other: Counts
    seed: str
    guideline: str


def pair_counts(records: Sequence[Record]) -> Counts | None:
    """The pairs of the greedy answer to a document beside its gold; None where it was not asked so."""
    found = [r.counts["key_values"] for r in records if r.sample < 0 and r.counts and "key_values" in r.counts]
    return Counts(*found[0]) if found else None


def pooled_figure(counts: Sequence[Counts], quantity: Pooled) -> float | None:
    """Precision TP / (TP + FP), recall TP / (TP + FN) or F1 of all documents together; None over nothing."""
    pooled = total(counts)
    return {"f1": pooled.f1, "precision": pooled.precision, "recall": pooled.recall}[quantity]


def pooled_difference(rows: Sequence[Row], quantity: Pooled) -> Difference | None:
    """The pooled figure of one arm minus that of the other, with a 95 % bootstrap interval over seeds × documents; both
    get the same draws. None where either figure is undefined, of all documents or of a draw."""
    ends = [pooled_figure([getattr(row, side) for row in rows], quantity) for side in ("one", "other")]
    if not rows or ends[0] is None or ends[1] is None:
        return None
    mine, theirs = (_drawn(rows, [getattr(row, side) for row in rows], quantity) for side in ("one", "other"))
    if len(mine) != len(theirs):  # a draw that is undefined of one arm alone: the others no longer go in pairs
        return None
    point = ends[0] - ends[1]
    return Difference(point, *(middle(mine - theirs, _LEVEL) or (point, point)))


def _drawn(rows: Sequence[Row], counts: Sequence[Counts], quantity: Pooled) -> NDArray[np.float64]:
    above, below = zip(*(_ratio(c, quantity) for c in counts), strict=True)
    seeds, guidelines = [row.seed for row in rows], [row.guideline for row in rows]
    return crossed_draws(np.array(above), np.array(below), seeds, guidelines, n=_DRAWS, seed=_SEED)


def _ratio(counts: Counts, quantity: Pooled) -> tuple[float, float]:
    """What stands above and below the line of the figure; both sum over documents."""
    if quantity == "f1":
        return 2.0 * counts.tp, float(counts.predicted + counts.gold)
    return float(counts.tp), float(counts.predicted if quantity == "precision" else counts.gold)


def document_value(records: Sequence[Record], quantity: Literal["ted", "length"]) -> float | None:
    """Of the greedy answer to one document: tree-edit accuracy, in [0, 1], of which an answer that can't be read has 0,
    or tokens; None where it was not asked so, or its gold states nothing."""
    greedy = [r for r in records if r.sample < 0]
    if quantity == "length":
        return stats.mean(float(r.tokens) for r in greedy if r.tokens is not None)
    return stats.mean(
        tree_accuracy(json.loads(r.answer) if r.answer else {}, json.loads(r.gold)) for r in greedy if r.gold
    )
