"""The score as a quadratic function of the mixture, fitted to runs (MoDoMoDo, arXiv 2505.24871, Alg. 4).

Shapes: n mixtures, m domains; weights (n, m) lie on the simplex, scores (n,). Two fits of a + bᵀw + wᵀCw:

- `fit_quadratic`, as in the paper: least squares on [1, w, w⊗w], which has 1 + m + m² columns and on the simplex never
  more than m (m + 1) / 2 ranks; the best of five random splits by its own test R².
- `fit_scheffe`, ours: the columns w_i and 4 w_i w_j (i < j) after Scheffé (1958), which are that rank, and a ridge that
  is chosen by leaving one mixture out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "RIDGES",
    "Surrogate",
    "fit_quadratic",
    "fit_scheffe",
    "identifiable",
    "leave_one_out",
    "quadratic_columns",
    "scheffe_columns",
]

Array = NDArray[np.float64]

RIDGES = tuple(10.0**exponent for exponent in range(-8, 3))


@dataclass(frozen=True)
class Surrogate:
    """L̂(w) = a + bᵀw + wᵀCw."""

    a: float
    b: Array
    """(m,)"""
    c: Array
    """(m, m), symmetric."""
    columns: int
    """Coefficients that were fitted."""
    rank: int
    """How many of them the runs determine."""
    ridge: float | None = None
    test_r2: float | None = None
    """Of the split that was kept: the best of several, hence too good."""

    def __call__(self, weights: ArrayLike) -> Array:
        """Predicted scores (n,) of mixtures (n, m)."""
        w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        return np.asarray(self.a + w @ self.b + ((w @ self.c) * w).sum(axis=1))


def identifiable(domains: int) -> int:
    """Largest rank that a quadratic has on the simplex of m domains: m (m + 1) / 2."""
    return domains * (domains + 1) // 2


def quadratic_columns(weights: ArrayLike) -> Array:
    """[1, w, w⊗w], (n, 1 + m + m²)."""
    w = np.asarray(weights, dtype=np.float64)
    return np.hstack([np.ones((len(w), 1)), w, (w[:, :, None] * w[:, None, :]).reshape(len(w), -1)])


def scheffe_columns(weights: ArrayLike) -> Array:
    """[w_i, 4 w_i w_j for i < j], (n, m (m + 1) / 2). With the 4 every column reaches 1 on the simplex, so that a ridge
    shrinks what two domains do together no more than what one does alone."""
    w = np.asarray(weights, dtype=np.float64)
    first, second = np.triu_indices(w.shape[1], k=1)
    return np.hstack([w, 4 * w[:, first] * w[:, second]])


def fit_quadratic(
    weights: ArrayLike, scores: ArrayLike, *, splits: int = 5, test_share: float = 0.2, seed: int = 0
) -> Surrogate:
    """Least squares on [1, w, w⊗w], the shortest solution where several fit alike.

    As in the paper, of `splits` random splits the fit with the best R² on its own test share is kept; with 0 splits all
    runs are fitted. ValueError for fewer runs than a test share of two needs, or arrays that don't match.
    """
    w, y = _checked(weights, scores)
    if not splits:
        return _least_squares(w, y)
    test = math.ceil(test_share * len(y))
    if test < 2 or len(y) - test < 2:
        raise ValueError(f"{len(y)} runs can't be split so that fit and test have two each")
    rng, best = np.random.default_rng(seed), None
    for _ in range(splits):
        order = rng.permutation(len(y))
        fitted = _least_squares(w[order[test:]], y[order[test:]])
        r2 = _r2(y[order[:test]], fitted(w[order[:test]]))
        fitted = Surrogate(fitted.a, fitted.b, fitted.c, fitted.columns, fitted.rank, test_r2=r2)
        if best is None or (r2 is not None and (best.test_r2 is None or r2 > best.test_r2)):
            best = fitted
    assert best is not None
    return best


def _least_squares(w: Array, y: Array) -> Surrogate:
    m = w.shape[1]
    columns = quadratic_columns(w)
    solved, _, rank, _ = np.linalg.lstsq(columns, y, rcond=None)
    found = np.asarray(solved, dtype=np.float64)
    c = _symmetric(found[m + 1 :].reshape(m, m))
    return Surrogate(float(found[0]), found[1 : m + 1], c, columns.shape[1], int(rank))


def fit_scheffe(weights: ArrayLike, scores: ArrayLike, *, ridge: float | None = None) -> Surrogate:
    """Ridge on the columns of Scheffé with an intercept that the ridge leaves alone: min Σ (y − a − xᵀβ)² + λ ‖β‖².

    The intercept takes nothing from the simplex (Σ w = 1 is in the columns) and makes the fit independent of where the
    scores have their zero: a large λ ends at their mean. Without `ridge`, λ is that of `RIDGES` with the least sum of
    squared errors of each run predicted from the others, (y_i − ŷ_i) / (1 − h_ii) with h the diagonal of the hat
    matrix. ValueError for fewer than three runs, arrays that don't match, or a ridge that is not above 0.
    """
    w, y = _checked(weights, scores)
    if len(y) < 3:
        raise ValueError(f"{len(y)} runs are too few to leave one out")
    if ridge is not None and not ridge > 0:
        raise ValueError(f"a ridge is above 0, got {ridge}")
    x = scheffe_columns(w)
    centre, mean = x.mean(axis=0), float(y.mean())
    u, s, vt = np.linalg.svd(x - centre, full_matrices=False)
    projected = u.T @ (y - mean)
    chosen = ridge if ridge is not None else min(RIDGES, key=lambda at: _press(u, s, projected, y - mean, at))
    beta = vt.T @ (s / (s * s + chosen) * projected)
    m = w.shape[1]
    c = np.zeros((m, m))
    c[np.triu_indices(m, k=1)] = 4 * beta[m:]
    rank = int(np.linalg.matrix_rank(x))
    return Surrogate(mean - float(centre @ beta), beta[:m], _symmetric(c), x.shape[1], rank, ridge=chosen)


def _press(u: Array, s: Array, projected: Array, y: Array, ridge: float) -> float:
    """Σ ((y_i − ŷ_i) / (1 − h_ii))² of a ridge with an intercept; u, s are those of the centred columns."""
    shrunk = s * s / (s * s + ridge)
    h = 1 / len(y) + (u * u) @ shrunk
    return float((((y - u @ (shrunk * projected)) / np.maximum(1 - h, 1e-12)) ** 2).sum())


Fit = Callable[[Array, Array], Surrogate]


def leave_one_out(fit: Fit, weights: ArrayLike, scores: ArrayLike) -> Array:
    """What the fit to all other mixtures predicts of each, (n,): every choice inside the fit (split, ridge) is made
    anew without it. Mixtures must be pooled over seeds, or a fit has seen what it is asked. ValueError as of the
    fit."""
    w, y = _checked(weights, scores)
    kept = ~np.eye(len(y), dtype=bool)
    return np.array([float(fit(w[others], y[others])(w[i])[0]) for i, others in enumerate(kept)])


def _symmetric(c: Array) -> Array:
    return np.asarray((c + c.T) / 2)


def _r2(y: Array, predicted: Array) -> float | None:
    """1 − Σ (y − ŷ)² / Σ (y − ȳ)²; None where the scores are all equal."""
    total = float(((y - y.mean()) ** 2).sum())
    return 1 - float(((y - predicted) ** 2).sum()) / total if total > 0 else None


def _checked(weights: ArrayLike, scores: ArrayLike) -> tuple[Array, Array]:
    w, y = np.asarray(weights, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    if w.ndim != 2 or y.shape != w.shape[:1] or len(y) < 2:
        raise ValueError("at least two mixtures are needed, with one score each")
    if not np.isfinite(w).all() or not np.isfinite(y).all():
        raise ValueError("weights and scores must be finite")
    if (w < 0).any() or (abs(w.sum(axis=1) - 1) > 1e-6).any():
        raise ValueError("weights lie on the simplex: not negative, with sum 1")
    return w, y
