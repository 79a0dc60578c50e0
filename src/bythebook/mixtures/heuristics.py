"""Weights from seed runs without a model of the score: the three heuristics of MoDoMoDo (arXiv 2505.24871, Alg. 1–3).

Shapes: n runs, m domains. `used` (n, m) is true where a run drew from a domain; seed runs draw evenly from what they
use (one domain, all but one, all). Every rule returns shares (m,) with sum 1, or None where it gives every domain 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["alpha_weights", "coli_weights", "norm_weights"]

Shares = NDArray[np.float64]


def alpha_weights(
    used: ArrayLike, inside: ArrayLike, outside: ArrayLike, *, balance: float = 0.5, single: float = 1.0
) -> Shares | None:
    """Alpha (Alg. 1): a domain is worth what the runs scored that used it.

    s_i = Σ_r c_r x_r over the runs r that used i, with c_r = `single` for runs of one domain, else 1; with ŝ for s
    min-maxed over domains, w ∝ `balance` · ŝ(inside) + (1 − `balance`) · ŝ(outside). A share of the paper's α is
    `balance` (1, 0 or .5); its weight of single runs is not stated, 1 gives its published weights. ValueError unless
    both scores have one entry a run and `balance` lies in [0, 1].
    """
    if not 0 <= balance <= 1:
        raise ValueError(f"a balance lies between 0 and 1, got {balance}")
    rows, first = _checked(used, inside)
    _, second = _checked(used, outside)
    counts = rows * np.where(rows.sum(axis=1) == 1, single, 1.0)[:, None]
    return _shares(balance * _min_max(counts.T @ first) + (1 - balance) * _min_max(counts.T @ second))


def coli_weights(used: ArrayLike, outside: ArrayLike, *, ridge: float = 1e-3) -> Shares | None:
    """Coli (Alg. 2): what a domain adds to the score, by how well that is determined.

    β = (XᵀX + λI)⁻¹ Xᵀy without intercept, X = `used` as 0/1; w ∝ max(0, β_i / [(XᵀX + λI)⁻¹]_ii). ValueError unless
    there is one score a run and λ = `ridge` > 0.
    """
    if not ridge > 0:
        raise ValueError(f"a ridge is above 0, got {ridge}")
    rows, scores = _checked(used, outside)
    inverse = np.linalg.inv(rows.T @ rows + ridge * np.eye(rows.shape[1]))
    return _shares(np.maximum(inverse @ rows.T @ scores / np.diag(inverse), 0.0))


def norm_weights(used: ArrayLike, outside: ArrayLike, *, names: Sequence[str] = ()) -> Shares | None:
    """Norm (Alg. 3): the better a run without a domain, the less of it, down to half.

    With ŝ the min-maxed scores of the runs that leave out one domain, w_i ∝ 0.2 − 0.1 ŝ_i, i the one left out. Only
    the ratio of the two constants matters, so they hold for any number of domains. Equal scores give equal shares.
    ValueError unless each domain is left out by exactly one run; it calls the domains by `names`.
    """
    rows, scores = _checked(used, outside)
    names = names or [f"domain {i}" for i in range(rows.shape[1])]
    without = np.full(rows.shape[1], np.nan)
    for row, score in zip(rows, scores, strict=True):
        missing = np.flatnonzero(row == 0)
        if missing.size == 1:
            if not np.isnan(without[missing[0]]):
                raise ValueError(f"two runs leave out {names[missing[0]]} alone")
            without[missing[0]] = score
    if np.isnan(without).any():
        raise ValueError(f"no run leaves out {names[int(np.flatnonzero(np.isnan(without))[0])]} alone")
    return _shares(0.2 - 0.1 * _min_max(without))


def _checked(used: ArrayLike, scores: ArrayLike) -> tuple[Shares, Shares]:
    rows, values = np.asarray(used, dtype=bool).astype(np.float64), np.asarray(scores, dtype=np.float64)
    if rows.ndim != 2 or values.shape != rows.shape[:1] or not rows.size:
        raise ValueError("there must be at least one run, with one score, and one entry a domain")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite")
    return rows, values


def _min_max(values: Shares) -> Shares:
    """(x − min) / (max − min); 0 where all are equal."""
    span = float(np.ptp(values))
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def _shares(raw: Shares) -> Shares | None:
    total = float(raw.sum())
    return raw / total if total > 0 else None
