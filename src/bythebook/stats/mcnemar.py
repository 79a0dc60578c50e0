"""Whether two systems differ on the same items: McNemar's test, exact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["McNemar", "mcnemar"]


class McNemar(NamedTuple):
    """What changed between two rounds of yes and no on the same items, and how easily chance alone gives it."""

    both: int
    """Items that are right before and after."""
    lost: int
    """Right before, wrong after."""
    gained: int
    """Wrong before, right after."""
    neither: int
    p: float
    """Two-sided, exact."""

    @property
    def n(self) -> int:
        """Pairs."""
        return self.both + self.lost + self.gained + self.neither

    @property
    def difference(self) -> float:
        """The effect as a share of all pairs: accuracy after − accuracy before = (gained − lost) / n."""
        return (self.gained - self.lost) / self.n

    @property
    def odds(self) -> float | None:
        """The effect among what changed: gained / lost; None where nothing was lost."""
        return self.gained / self.lost if self.lost else None


def mcnemar(before: Sequence[bool], after: Sequence[bool]) -> McNemar | None:
    """The exact test of item i being right `before[i]` and right `after[i]`; None where no item changed, or none is.

    Under the hypothesis that a change goes either way as easily, the number lost is binomial, Bin(lost + gained, ½):
    p = min(1, 2 · P(X ≤ min(lost, gained))). McNemar 1947, with the binomial in place of his χ², which needs about
    25 changes and more; so Perception-R1 (arXiv 2506.07218) tests it. Items that did not change say nothing in it: a
    large p is no evidence that two systems are alike (`stats.equivalence` has a test for that). Pairs are taken for
    independent. ValueError for unequal lengths.
    """
    counts = [0, 0, 0, 0]
    for was, now in zip(before, after, strict=True):
        counts[2 * (not was) + (not now)] += 1
    both, lost, gained, neither = counts
    if lost + gained == 0:
        return None
    return McNemar(both, lost, gained, neither, _two_sided(lost, gained))


def _two_sided(one: int, other: int) -> float:
    """In whole numbers up to the last division, so that nothing is rounded away however many changes there are."""
    total, term, tail = one + other, 1, 0
    for k in range(min(one, other) + 1):
        tail += term
        term = term * (total - k) // (k + 1)
    possible: int = 2 ** (total - 1)
    return min(1.0, tail / possible)
