"""Scores of answers under keys beside their golds, as Efficient Medical VIE reports them (arXiv 2506.13363)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from bythebook.metrics.extraction import total
from bythebook.metrics.key_values import Empties, Lists, compared_values
from bythebook.metrics.tree_edit import tree_accuracy

__all__ = ["key_value_scores"]

Values = Mapping[str, JsonValue]


def key_value_scores(
    rows: Iterable[tuple[Values | None, Values]], *, lists: Lists = "align", empties: Empties = "drop"
) -> dict[str, Any]:
    """Of (answer or None, gold): `precision`, `recall` and `f1` of all pairs together, `ted_accuracy` averaged over the
    documents whose gold states something, `exact`, the share of documents without a mistake, and `n`. Figures over
    nothing are None."""
    kept = [(answer or {}, gold) for answer, gold in rows]
    counts = [compared_values(answer, gold, lists=lists, empties=empties) for answer, gold in kept]
    trees = [accuracy for answer, gold in kept if (accuracy := tree_accuracy(answer, gold)) is not None]
    pooled = total(counts)
    return {
        "n": len(kept),
        "precision": pooled.precision,
        "recall": pooled.recall,
        "f1": pooled.f1,
        "ted_accuracy": sum(trees) / len(trees) if trees else None,
        "exact": sum(c.fp == c.fn == 0 for c in counts) / len(kept) if kept else None,
    }
