"""Records → scores.

Accuracy reads the single answer; whether the form is right is a rate of its own, so that a model which answers
without reasoning is judged fairly on its answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bythebook import stats
from bythebook.evaluation.extraction_scoring import extraction_scores
from bythebook.records import Record

__all__ = ["GREEDY", "scores", "scores_by_domain"]

GREEDY = -1
"""The sample number of the greedy answer."""


def scores(records: Iterable[Record]) -> dict[str, Any]:
    """Scores of some records, fractions; None where there is nothing to average.

    `n` examples; `greedy`, accuracy of the greedy answers; `k` samples of each example and their `avg_at_k`,
    `maj_at_k`, `pass_at_k`; `format_rate`, `no_answer_rate`, `truncated_rate` and `tokens` (mean) of the samples, or
    of the greedy completions where there are no samples. Examples without gold count in the rates only. `unscored`
    records, whose generation failed, count nowhere, and neither does an example of which a sample failed in what is
    said of its k samples.
    """
    by_id: dict[str, list[Record]] = defaultdict(list)
    for r in records:
        by_id[r.id].append(r)
    rows = [r for group in by_id.values() for r in group if r.finish_reason != "error"]
    greedy = [r for r in rows if r.sample == GREEDY]
    sampled = [r for r in rows if r.sample >= 0]
    drawn = [sorted((r for r in group if r.sample >= 0), key=lambda r: r.sample) for group in by_id.values()]
    drawn = [group for group in drawn if group and group[0].gold is not None]
    k = min((len(group) for group in drawn), default=0)
    drawn = [group for group in drawn if all(r.finish_reason != "error" for r in group[:k])]
    hits = [[float(bool(r.correct)) for r in group[:k]] for group in drawn]
    answers = [[r.answer for r in group[:k]] for group in drawn]
    shown = sampled or greedy
    return {
        "n": len(by_id),
        "k": k,
        "greedy": stats.mean(float(r.correct) for r in greedy if r.correct is not None),
        "avg_at_k": stats.avg_at_k(hits),
        "maj_at_k": stats.maj_at_k(answers, [group[0].gold for group in drawn]),
        "pass_at_k": stats.mean_pass_at_k(hits, k) if k else None,
        "format_rate": stats.mean(float(r.well_formed) for r in shown),
        "no_answer_rate": stats.mean(float(r.answer is None) for r in shown),
        "truncated_rate": stats.mean(float(r.finish_reason == "length") for r in shown),
        "tokens": stats.mean(float(r.tokens) for r in shown if r.tokens is not None),
        "unscored": sum(r.finish_reason == "error" for group in by_id.values() for r in group),
    } | extraction_scores(greedy, drawn, k)


def scores_by_domain(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """`scores` of each domain, in order of appearance."""
    by_domain: dict[str, list[Record]] = defaultdict(list)
    for r in records:
        by_domain[r.domain].append(r)
    return {domain: scores(rows) for domain, rows in by_domain.items()}
