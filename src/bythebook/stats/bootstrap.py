"""Intervals of differences by resampling what was measured twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Difference",
    "PooledDifference",
    "crossed_draws",
    "middle",
    "paired_bootstrap",
    "paired_document_bootstrap",
]

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
    draws = crossed_draws(difference, np.ones_like(difference), seeds, guidelines, n=n, seed=seed)
    point = float(difference.mean())
    return Difference(point, *(middle(draws, level) or (point, point)))


def crossed_draws(
    above: NDArray[np.float64],
    below: NDArray[np.float64],
    seeds: Sequence[Hashable],
    guidelines: Sequence[Hashable],
    *,
    n: int,
    seed: int,
) -> NDArray[np.float64]:
    """Draws of Σ above / Σ below over items, with seeds and guidelines resampled as crossed factors (see
    `paired_bootstrap`): at most `n`, since those with nothing below are left out."""
    rows, row_count = _codes(seeds)
    columns, column_count = _codes(guidelines)
    cells = np.zeros((2, row_count, column_count))
    np.add.at(cells[0], (rows, columns), above)
    np.add.at(cells[1], (rows, columns), below)
    rng = np.random.default_rng(seed)
    row_weights = rng.multinomial(row_count, np.full(row_count, 1 / row_count), size=n)
    column_weights = rng.multinomial(column_count, np.full(column_count, 1 / column_count), size=n)
    sums, sizes = (((row_weights @ cell) * column_weights).sum(axis=1) for cell in cells)
    return np.asarray(sums[sizes > 0] / sizes[sizes > 0])


def middle(draws: NDArray[np.float64], level: float) -> tuple[float, float] | None:
    """The bounds of the middle `level` of the draws; NaN is left out, None where nothing is left."""
    known = draws[~np.isnan(draws)]
    if not known.size:
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
    rarer = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    p = min(1.0, 2 * (1 + rarer) / (1 + draws.size))
    return PooledDifference(point, *(middle(draws, level) or (point, point)), p, count)


def _codes(names: Sequence[Hashable]) -> tuple[NDArray[np.int64], int]:
    """Names as numbers from 0 in order of first occurrence, and how many there are."""
    number: dict[Hashable, int] = {}
    codes = [number.setdefault(name, len(number)) for name in names]
    return np.array(codes, dtype=np.int64), len(number)
