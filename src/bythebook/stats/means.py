"""The mean of what is known, and its interval by Student's t."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["interval", "mean", "t_mass", "trailing_mean"]


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values that are not None; None if there is none of them."""
    known = [v for v in values if v is not None]
    return math.fsum(known) / len(known) if known else None


def trailing_mean(values: Sequence[float], window: int) -> float | None:
    """The mean of the last `window` values, or of all where there are fewer: what a curve that is smoothed over so many
    steps ends with. ValueError for a window below 1."""
    if window < 1:
        raise ValueError(f"a window has at least one value, got {window}")
    return mean(values[-window:])


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
        low, high = (middle, high) if t_mass(middle, df) < level else (low, middle)
    return math.sqrt(df) * math.tan((low + high) / 2)


def t_mass(theta: float, df: int) -> float:
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
