"""Which circuits with a description are fit to train on: those whose description leads back to the code.

CodeV-R1 (arXiv 2505.24183) lets one model describe code and another write it again from the description. Where a
regenerated module is equivalent to the original, the description says what the code does; where weak models solve it
at once, it teaches nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from bythebook.hardware.equivalence import Kind
from bythebook.types import Noun

__all__ = ["Filter", "RoundTrip", "Why", "kept_rows"]

Why = Literal["kept", "not_checked", "not_equivalent", "too_easy", "not_synthesisable", "contaminated"]


class RoundTrip(Noun):
    """What is known of one circuit with its description."""

    id: str
    regenerated: tuple[Kind, ...] = ()
    """The outcome of each module that was written again from the description, beside the original."""
    attempts: tuple[Kind, ...] | None = None
    """The same of the attempts of weak models; None where nobody tried."""
    synthesisable: bool | None = None
    overlap: float | None = Field(default=None, ge=0, le=1)
    """The largest ROUGE-L of the code with a benchmark's (`metrics.rouge`)."""


class Filter(Noun):
    """The bounds; the defaults are those of CodeV-R1, as far as they are known."""

    equivalent: int = Field(default=1, ge=0)
    """How many regenerated modules have to be equivalent at least."""
    solved: int = Field(default=0, ge=0)
    """How many attempts of weak models may be at most: none of its five."""
    overlap: float = Field(default=0.5, ge=0, le=1)
    """What overlaps more with a benchmark is left out."""

    def why(self, row: RoundTrip) -> Why:
        """`kept`, or the first reason against a row. What is not known is no reason, but regenerations are needed."""
        if row.synthesisable is False:
            return "not_synthesisable"
        if row.overlap is not None and row.overlap > self.overlap:
            return "contaminated"
        if self.equivalent and not any(kind != "unsupported" for kind in row.regenerated):
            return "not_checked"
        if row.regenerated.count("equivalent") < self.equivalent:
            return "not_equivalent"
        if row.attempts is not None and row.attempts.count("equivalent") > self.solved:
            return "too_easy"
        return "kept"


def kept_rows(rows: Iterable[RoundTrip], bounds: Filter | None = None) -> tuple[list[RoundTrip], dict[Why, int]]:
    """The rows that are fit, in order, and how many there are of each reason."""
    bounds = bounds or Filter()
    kept: list[RoundTrip] = []
    reasons: Counter[Why] = Counter()
    for row in rows:
        reason = bounds.why(row)
        reasons[reason] += 1
        if reason == "kept":
            kept.append(row)
    return kept, dict(reasons)
