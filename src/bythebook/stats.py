"""Statistics of repeated samples: Avg@k, Pass@k, Maj@k, and intervals. Arrays in, numbers out.

An average over nothing is None.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Difference",
    "PooledDifference",
    "ReliabilityBin",
    "avg_at_k",
    "brier_score",
    "chance_agreement",
    "expected_calibration_error",
    "interval",
    "maj_at_k",
    "majority",
    "mean",
    "mean_pass_at_k",
    "paired_bootstrap",
    "paired_document_bootstrap",
    "pass_at_k",
    "reliability_curve",
]

A = TypeVar("A", bound=Hashable)

_WEIGHTS = 2_000_000
"""How often a document was drawn: so many counts are held at once."""


class Difference(NamedTuple):
    """A difference of two means with the bounds of its interval."""

    difference: float
    low: float
    high: float


class PooledDifference(NamedTuple):
    """A difference of two pooled figures, the bounds of its interval, and how easily chance gives it."""

    difference: float
    low: float
    high: float
    p: float
    """Two-sided: twice the share of draws on the rarer side of 0, at most 1."""
    documents: int


class ReliabilityBin(NamedTuple):
    """The items whose probability lies in one bin."""

    low: float
    high: float
    """Inclusive; `low` is not, but in the first bin."""
    mean_p: float
    accuracy: float
    n: int


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are not None; None if there is none of them."""
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None


def _hits(hits: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(hits, dtype=np.float64)
    if array.size and array.ndim != 2:
        raise ValueError(f"hits are items × samples, got {array.ndim} dimensions")
    return array


def avg_at_k(hits: ArrayLike) -> float | None:
    """Avg@k: mean accuracy of single samples. `hits` is N items × k samples of 0 or 1; ValueError otherwise."""
    array = _hits(hits)
    return float(array.mean()) if array.size else None


def pass_at_k(n: int, c: int, k: int) -> float:
    """Probability that one of k samples, drawn from n of which c are right, is right: 1 − C(n−c, k) / C(n, k).

    The unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), section 2.1. ValueError unless 0 ≤ c ≤ n and
    1 ≤ k ≤ n.
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass@{k} of {c} right in {n} samples is undefined")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def mean_pass_at_k(hits: ArrayLike, k: int) -> float | None:
    """Pass@k averaged over items. `hits` is N items × n samples of 0 or 1; ValueError if k > n."""
    array = _hits(hits)
    if not array.size:
        return None
    return mean(pass_at_k(array.shape[1], int(row.sum()), k) for row in array)


def chance_agreement(answers: Sequence[A | None], golds: Sequence[A]) -> float | None:
    """Accuracy to expect if each answer stood against the gold of an item drawn at random: Σ p(answer) · p(gold).

    What is left when a model answers without regard to the item; None for no items, ValueError for unequal lengths.
    """
    if len(answers) != len(golds):
        raise ValueError(f"{len(answers)} answers, {len(golds)} golds")
    if not golds:
        return None
    given, true = Counter(a for a in answers if a is not None), Counter(golds)
    return sum(given[label] * true[label] for label in given) / len(golds) ** 2


def majority(answers: Sequence[A | None]) -> A | None:
    """The most frequent answer; of several, the one sampled first. None does not vote; None if nobody votes."""
    votes = Counter(a for a in answers if a is not None)
    # A counter keeps the order of first occurrence, and max takes the first of equals.
    return max(votes, key=lambda a: votes[a]) if votes else None


def maj_at_k(answers: Sequence[Sequence[A | None]], golds: Sequence[A]) -> float | None:
    """Maj@k: accuracy of the majority answer of each item; an item without any answer is wrong."""
    votes = [majority(row) == gold for row, gold in zip(answers, golds, strict=True)]
    return sum(votes) / len(votes) if votes else None


def _probabilities(p: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    given, true = np.asarray(p, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if given.shape != true.shape or given.ndim > 1:
        raise ValueError("p and right must have one entry per item")
    if given.size and not (given.min() >= 0 and given.max() <= 1):  # NaN fails, too
        raise ValueError("a probability lies between 0 and 1")
    return given.reshape(-1), true.reshape(-1)


def reliability_curve(p: ArrayLike, right: ArrayLike, *, bins: int = 10) -> list[ReliabilityBin]:
    """Accuracy against probability, in `bins` bins of equal width; bins without items are left out.

    Item i was given the probability `p[i]` and is right or not (`right[i]`, 0 or 1). ValueError for unequal lengths,
    for what is no probability and for less than one bin.
    """
    given, true = _probabilities(p, right)
    if bins < 1:
        raise ValueError(f"{bins} bins")
    # A share like 7/10 belongs to the bin that ends there, though 0.7 · 10 is a little more than 7 in floating point.
    number = np.clip(np.ceil(np.round(given * bins, 9)).astype(np.int64) - 1, 0, bins - 1)
    out = []
    for b in np.unique(number):
        inside = number == b
        mean_p, accuracy = float(given[inside].mean()), float(true[inside].mean())
        out.append(ReliabilityBin(float(b) / bins, float(b + 1) / bins, mean_p, accuracy, int(inside.sum())))
    return out


def expected_calibration_error(p: ArrayLike, right: ArrayLike, *, bins: int = 10) -> float | None:
    """Σ over bins of (items in it / all items) · |accuracy − mean p|, of `reliability_curve`; None for no items.

    Guo et al. 2017 (arXiv 1706.04599), equation 3.
    """
    curve = reliability_curve(p, right, bins=bins)
    items = sum(b.n for b in curve)
    return math.fsum(b.n / items * abs(b.accuracy - b.mean_p) for b in curve) if items else None


def brier_score(p: ArrayLike, right: ArrayLike) -> float | None:
    """Mean of (p − right)² (Brier 1950, for two outcomes); None for no items. ValueError as of `reliability_curve`."""
    given, true = _probabilities(p, right)
    return float(((given - true) ** 2).mean()) if given.size else None


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    seeds: Sequence[Hashable],
    guidelines: Sequence[Hashable],
    *,
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference | None:
    """mean(a) − mean(b) of paired scores, with a percentile interval over seeds × guidelines.

    Item i has the scores `a[i]` and `b[i]` on the same input, made by training seed `seeds[i]` under guideline
    `guidelines[i]`. Seeds and guidelines are crossed factors: every draw resamples the seeds and, independently, the
    guidelines, and an item counts as often as its seed times its guideline was drawn (Owen 2007, "The pigeonhole
    bootstrap"). Draws that hit no item, possible when not every pair occurs, are left out. None if there is no item;
    ValueError if lengths differ.
    """
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    if difference.ndim != 1 or not np.size(a) == np.size(b) == len(seeds) == len(guidelines):
        raise ValueError("a, b, seeds and guidelines must have one entry per item")
    if not difference.size:
        return None
    rows, row_count = _codes(seeds)
    columns, column_count = _codes(guidelines)
    total = np.zeros((row_count, column_count))
    count = np.zeros_like(total)
    np.add.at(total, (rows, columns), difference)
    np.add.at(count, (rows, columns), 1.0)
    rng = np.random.default_rng(seed)
    row_weights = rng.multinomial(row_count, np.full(row_count, 1 / row_count), size=n)
    column_weights = rng.multinomial(column_count, np.full(column_count, 1 / column_count), size=n)
    sums = ((row_weights @ total) * column_weights).sum(axis=1)
    sizes = ((row_weights @ count) * column_weights).sum(axis=1)
    draws = sums[sizes > 0] / sizes[sizes > 0]
    point = float(difference.mean())
    if not draws.size:
        return Difference(point, point, point)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Difference(point, float(low), float(high))


def paired_document_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    documents: Sequence[Hashable],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> PooledDifference | None:
    """statistic(Σ a) − statistic(Σ b), with a percentile interval over documents.

    `a` and `b` are items × counts of two systems on the same items; item i is part of `documents[i]`. Sentences of one
    document are no independent draws, so whole documents are resampled, the same for both systems, and the statistic
    (draws × counts → draws, NaN where it is undefined) is computed of the summed counts of every draw. Draws where it
    is undefined are left out; p counts one draw more on the rarer side than there was, so that it is never 0. None if
    there is no item, if n is 0, or if the statistic of all is undefined; ValueError if lengths differ.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or len(first) != len(documents):
        raise ValueError("a, b and documents must have one row per item")
    if not len(documents) or n < 1:
        return None
    codes, count = _codes(documents)
    sums = np.zeros((2, count, first.shape[1]))
    np.add.at(sums[0], codes, first)
    np.add.at(sums[1], codes, second)
    point = float(statistic(sums[0].sum(axis=0)) - statistic(sums[1].sum(axis=0)))
    if math.isnan(point):
        return None
    rng, share, block = np.random.default_rng(seed), np.full(count, 1 / count), max(1, _WEIGHTS // count)
    drawn = []
    for start in range(0, n, block):
        weights = rng.multinomial(count, share, size=min(block, n - start))
        drawn.append(statistic(weights @ sums[0]) - statistic(weights @ sums[1]))
    draws = np.concatenate(drawn)
    draws = draws[~np.isnan(draws)]
    if not draws.size:
        return PooledDifference(point, point, point, 1.0, count)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    rarer = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return PooledDifference(point, float(low), float(high), min(1.0, 2 * (1 + rarer) / (1 + draws.size)), count)


def _codes(names: Sequence[Hashable]) -> tuple[NDArray[np.int64], int]:
    """Names as numbers from 0 in order of first occurrence, and how many there are."""
    number: dict[Hashable, int] = {}
    codes = [number.setdefault(name, len(number)) for name in names]
    return np.array(codes, dtype=np.int64), len(number)


def interval(values: Iterable[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's t interval of the mean over independent values (seeds); None for fewer than two."""
    array = np.array(list(values), dtype=np.float64)
    if array.size < 2:
        return None
    half = _t_quantile(level, array.size - 1) * float(array.std(ddof=1)) / math.sqrt(array.size)
    middle = float(array.mean())
    return middle - half, middle + half


def _t_quantile(level: float, df: int) -> float:
    """t with P(|T| ≤ t) = level for `df` degrees of freedom, by bisection on θ = arctan(t / √df)."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level lies between 0 and 1, got {level}")
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_mass(middle, df) < level else (low, middle)
    return math.sqrt(df) * math.tan((low + high) / 2)


def _t_mass(theta: float, df: int) -> float:
    """P(|T| ≤ √df · tan θ): the finite series of Abramowitz & Stegun 26.7.3 (odd df) and 26.7.4 (even df)."""
    cosine = math.cos(theta)
    odd = df % 2 == 1
    term = cosine if odd else 1.0
    series = 0.0
    for k in range((df - 1) // 2 if odd else df // 2):
        series += term
        term *= cosine * cosine * ((2 * k + 2) / (2 * k + 3) if odd else (2 * k + 1) / (2 * k + 2))
    if odd:
        return 2 / math.pi * (theta + math.sin(theta) * series)
    return math.sin(theta) * series
