"""Empirical support: which problems two models can solve within k samples, and what chance alone makes of it.

The Invisible Leash (arXiv 2507.14843): definitions in section 2, metrics in section 3. The paper has no control; here
the same counts are taken of two disjoint sets of samples of one model, and of both models' samples mixed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bythebook.stats.bootstrap import Difference, crossed_draws, middle

__all__ = [
    "NullSplit",
    "SupportCounts",
    "SupportIntervals",
    "SupportMetrics",
    "crossed_nscr",
    "detection_limit",
    "exchange_p",
    "interval_coverage",
    "null_split",
    "split_counts",
    "support_counts",
    "support_intervals",
    "support_metrics",
]

_CELLS = 2_000_000
"""So many drawn numbers are held at once."""


class SupportCounts(NamedTuple):
    """Problems by which model solves them."""

    preserved: int
    """P: both."""
    shrunk: int
    """S: the base only."""
    expanded: int
    """E: the trained model only."""
    out: int
    """O: neither."""


class SupportMetrics(NamedTuple):
    """What becomes of the support; None where it is 0/0, which the paper's tables show as 0."""

    srr: float | None
    """Support retention rate, P / (P+S)."""
    ndr: float | None
    """Net discovery rate, E / (P+E)."""
    sds: float | None
    """Support dynamic score, the harmonic mean of the two: 2PE / (P² + 2PE + ES)."""
    nscr: float | None
    """Net support change rate, (E−S) / (P+E+S)."""


class SupportIntervals(NamedTuple):
    """(low, high) of each metric; None where no draw defines it."""

    srr: tuple[float, float] | None
    ndr: tuple[float, float] | None
    sds: tuple[float, float] | None
    nscr: tuple[float, float] | None


class NullSplit(NamedTuple):
    """NSCR between disjoint samples of one model."""

    mean: float
    low: float
    high: float
    """The range of its middle `level` over splits."""
    coverage: float
    """Share of the splits whose bootstrap interval holds 0: near `level` where the interval can be believed."""
    changed: float
    """Problems a split that only one half solves, on average. Below about 4 the intervals cover more than they say."""
    splits: int


def detection_limit(samples: int, miss: float = 0.05) -> float:
    """ε = −ln(miss) / k: what has a higher probability is missed by k samples with a probability below `miss`.

    arXiv 2507.14843: 3.66e-4 for k = 8192. ValueError unless 1 ≤ k and 0 < miss < 1.
    """
    if samples < 1 or not 0 < miss < 1:
        raise ValueError(f"no detection limit of {samples} samples at {miss}")
    return -math.log(miss) / samples


def _member(hits: NDArray[np.int64], samples: int, threshold: float) -> NDArray[np.bool_]:
    return np.asarray(hits / samples > threshold)


def _hits(hits: ArrayLike, samples: int, threshold: float) -> NDArray[np.int64]:
    array = np.asarray(hits)
    if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
        raise ValueError("hits are one whole number per problem")
    if samples < 1 or (array.size and not 0 <= array.min() <= array.max() <= samples):
        raise ValueError(f"hits lie between 0 and the number of samples, {samples}")
    if not 0 <= threshold < 1:
        raise ValueError(f"a threshold lies between 0 and 1, got {threshold}")
    return array.astype(np.int64)


def support_counts(base: ArrayLike, trained: ArrayLike, samples: int, *, threshold: float = 0.0) -> SupportCounts:
    """Problems whose right answer is in the support of both models, of one, of none.

    `base[i]` and `trained[i]` of `samples` samples each solve problem i; the answer is in a model's support where its
    share of the samples is above the threshold, by default: where it was seen once. ValueError for other shapes, hits
    out of range, and a threshold outside [0, 1).
    """
    b, t = _hits(base, samples, threshold), _hits(trained, samples, threshold)
    if b.size != t.size:
        raise ValueError(f"{b.size} problems of the base, {t.size} of the trained model")
    inside, after = _member(b, samples, threshold), _member(t, samples, threshold)
    return SupportCounts(*(int(x.sum()) for x in (inside & after, inside & ~after, ~inside & after, ~inside & ~after)))


def _metrics(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """… × (P, S, E, O) → … × (SRR, NDR, SDS, NSCR), NaN where it is 0/0."""
    p, s, e, _ = np.moveaxis(counts.astype(np.float64), -1, 0)
    above = np.stack([p, e, 2 * p * e, e - s], axis=-1)
    below = np.stack([p + s, p + e, p * p + 2 * p * e + e * s, p + e + s], axis=-1)
    return np.asarray(np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0))


def support_metrics(counts: SupportCounts, *, undefined: float | None = None) -> SupportMetrics:
    """SRR, NDR, SDS and NSCR; `undefined` stands for 0/0 (0 reproduces the paper's tables)."""
    found = _metrics(np.array(counts))
    return SupportMetrics(*(undefined if math.isnan(value) else float(value) for value in found))


def support_intervals(counts: SupportCounts, *, n: int = 2000, seed: int = 0, level: float = 0.95) -> SupportIntervals:
    """Percentile intervals by a bootstrap over problems; draws that leave a metric undefined are left out.

    Resampling problems that fall into four classes is drawing the four counts from a multinomial distribution.
    """
    total = sum(counts)
    if not total:
        return SupportIntervals(None, None, None, None)
    rng = np.random.default_rng(seed)
    draws = _metrics(rng.multinomial(total, np.array(counts) / total, size=n))
    return SupportIntervals(*(middle(column, level) for column in draws.T))


def crossed_nscr(
    base: ArrayLike,
    trained: ArrayLike,
    seeds: Sequence[Hashable],
    guidelines: Sequence[Hashable],
    *,
    n: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Difference | None:
    """NSCR of problems that `base[i]` and `trained[i]` say are solved, with a percentile interval over seeds ×
    guidelines, which are resampled as in `paired_bootstrap`: one trained model a seed answers all its problems, and
    problems under one guideline are alike. None where no problem is solved; ValueError if lengths differ.
    """
    b, t = np.asarray(base, dtype=np.bool_), np.asarray(trained, dtype=np.bool_)
    if b.ndim != 1 or not b.size == t.size == len(seeds) == len(guidelines):
        raise ValueError("base, trained, seeds and guidelines must have one entry per problem")
    # NSCR is a ratio of sums over problems: of +1 where only the trained model is right, −1 where only the base is; and
    # of 1 where either is.
    above, below = t.astype(np.float64) - b, (t | b).astype(np.float64)
    if not below.any():
        return None
    draws = crossed_draws(above, below, seeds, guidelines, n=n, seed=seed)
    point = float(above.sum() / below.sum())
    return Difference(point, *(middle(draws, level) or (point, point)))


def split_counts(
    hits: ArrayLike, samples: int, size: int, *, splits: int = 400, seed: int = 0, threshold: float = 0.0
) -> NDArray[np.int64]:
    """Splits × (P, S, E, O) of two disjoint random sets of `size` samples of one model.

    `hits[i]` of its `samples` samples solve problem i. Each split draws anew which samples of a problem go where, so
    the hits of the two sets are hypergeometric. ValueError if 2 · size > samples, and as of `support_counts`.
    """
    solved = _hits(hits, samples, threshold)
    if not 1 <= size <= samples // 2:
        raise ValueError(f"two sets of {size} can't be drawn of {samples} samples")
    # What all samples solve, or none, is the same in every split.
    drawn = solved[(solved > 0) & (solved < samples)]
    fixed = np.array([int((solved == samples).sum()), 0, 0, int((solved == 0).sum())])
    if not drawn.size:
        return np.tile(fixed, (splits, 1))
    rng, block = np.random.default_rng(seed), max(1, _CELLS // drawn.size)
    out = []
    for start in range(0, splits, block):
        shape = (min(block, splits - start), drawn.size)
        one = rng.hypergeometric(drawn, samples - drawn, size, size=shape)
        left = drawn - one
        other = left if samples == 2 * size else rng.hypergeometric(left, samples - size - left, size)
        a, b = _member(one, size, threshold), _member(other, size, threshold)
        out.append(np.stack([x.sum(axis=1) for x in (a & b, a & ~b, ~a & b, ~a & ~b)], axis=1))
    return np.asarray(np.concatenate(out) + fixed)


def interval_coverage(counts: ArrayLike, *, n: int = 2000, seed: int = 0, level: float = 0.95) -> float | None:
    """Share of the rows (P, S, E, O) whose NSCR interval, that of `support_intervals`, holds 0; None if no row has one.

    Measured on splits of one model it says whether the interval can be believed: under no difference each problem that
    only one set solves falls on either side alike, and the interval misses 0 in about 1 − level of the splits.
    """
    rows, times = np.unique(np.asarray(counts, dtype=np.int64).reshape(-1, 4), axis=0, return_counts=True)
    held = known = 0
    for row, count in zip(rows.tolist(), times.tolist(), strict=True):
        found = support_intervals(SupportCounts(*row), n=n, seed=seed, level=level).nscr
        if found is not None:
            known += count
            held += count * (found[0] <= 0 <= found[1])
    return held / known if known else None


def null_split(
    hits: ArrayLike,
    samples: int,
    size: int,
    *,
    splits: int = 400,
    seed: int = 0,
    threshold: float = 0.0,
    n: int = 2000,
    level: float = 0.95,
) -> NullSplit | None:
    """NSCR under no difference: the model against itself, by random splits of its samples into sets of `size`.

    Arguments and errors as of `split_counts`; `n` draws each for `coverage`. None if the model solves nothing.
    """
    counts = split_counts(hits, samples, size, splits=splits, seed=seed, threshold=threshold)
    nscr = _metrics(counts)[:, 3]
    found, coverage = middle(nscr, level), interval_coverage(counts, n=n, seed=seed, level=level)
    if found is None or coverage is None:
        return None
    changed = float(counts[:, 1:3].sum(axis=1).mean())
    return NullSplit(float(np.nanmean(nscr)), *found, coverage, changed, splits)


def exchange_p(
    base: ArrayLike, trained: ArrayLike, samples: int, *, n: int = 2000, seed: int = 0, threshold: float = 0.0
) -> float | None:
    """Two-sided p of NSCR by permutation: `n` times it is drawn anew which samples of a problem are whose.

    Exact under the hypothesis that each problem's samples of both models come from one distribution. At least as far
    from 0 counts as far, and the data itself as one draw. None where NSCR is undefined; ValueError as of
    `support_counts`.
    """
    seen = support_metrics(support_counts(base, trained, samples, threshold=threshold)).nscr
    if seen is None:
        return None
    pooled = np.asarray(base, dtype=np.int64) + np.asarray(trained, dtype=np.int64)
    counts = split_counts(pooled, 2 * samples, samples, splits=n, seed=seed, threshold=threshold)
    drawn = np.abs(np.nan_to_num(_metrics(counts)[:, 3]))
    # Equal fractions may differ in their last digit.
    return float((1 + (drawn >= abs(seen) - 1e-12).sum()) / (1 + n))
