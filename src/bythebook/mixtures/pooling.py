"""Runs of several seeds as one mixture with its mean, so that a mixture counts once, however often it was run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bythebook.readers.mixture_runs import MixtureRun

__all__ = ["Mixture", "is_even", "pooled", "score_of"]

_SAME = 1e-9
_EVEN = 0.04
"""Shares are even within this part of the largest one: .33, .33 and .34 are thirds."""


class Mixture(NamedTuple):
    """Runs with the same weights."""

    name: str
    """Of its first run."""
    weights: tuple[float, ...]
    """Shares in the order of the domains; all 0: the model before training."""
    seeds: tuple[int | None, ...]
    scores: tuple[float, ...]
    """One a seed."""
    methods: tuple[str | None, ...] = (None,)
    """How it was found, each once: a search may end at a mixture that was run before."""

    @property
    def mean(self) -> float:
        return math.fsum(self.scores) / len(self.scores)

    @property
    def sd(self) -> float | None:
        """Sample standard deviation over seeds; None for one run."""
        return float(np.std(self.scores, ddof=1)) if len(self.scores) > 1 else None


def score_of(run: MixtureRun, tests: Sequence[str]) -> float:
    """Mean score of these tests, weighted by their items where the run names those of all of them (the paper's In- and
    Out-Score), else each test alike. KeyError for a test without a score; ValueError for no test."""
    if not tests:
        raise ValueError("a score needs at least one test")
    known = all(test in run.items for test in tests)
    sizes = [run.items[test] if known else 1 for test in tests]
    return math.fsum(run.scores[test] * n for test, n in zip(tests, sizes, strict=True)) / sum(sizes)


def pooled(runs: Sequence[MixtureRun], domains: Sequence[str], tests: Sequence[str]) -> list[Mixture]:
    """Mixtures in the order of their first run; runs whose weights are equal are one, whatever they are called."""
    members: list[tuple[tuple[float, ...], list[MixtureRun]]] = []
    for run in runs:
        weights = tuple(run.weights.get(name, 0.0) for name in domains)
        same = next((of for known, of in members if math.dist(known, weights) < _SAME), None)
        if same is None:
            members.append((weights, [run]))
        else:
            same.append(run)
    return [
        Mixture(
            of[0].name,
            weights,
            tuple(run.seed for run in of),
            tuple(score_of(run, tests) for run in of),
            tuple(dict.fromkeys(run.method for run in of)),
        )
        for weights, of in members
    ]


def is_even(weights: ArrayLike) -> bool:
    """Whether every domain that is drawn has the same share: what the seed runs are (single, all but one, uniform)."""
    shares = np.asarray(weights, dtype=np.float64)
    drawn = shares[shares > 0]
    return bool(drawn.size and np.ptp(drawn) <= _EVEN * drawn.max())
