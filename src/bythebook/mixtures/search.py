"""The mixture that a surrogate likes best, by either of the two searches that MoDoMoDo names (arXiv 2505.24871).

Its Algorithm 4 draws from a Gaussian that is fitted to the mixtures that were run, its text says CMA-ES (Hansen 2016,
arXiv 1604.00772). Both stand here behind one name. They answer different questions: the first stays where runs were,
the second follows the surrogate wherever it leads.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bythebook.errors import MissingExtraError

__all__ = ["OPTIMIZERS", "Choice", "cma_search", "gaussian_search", "on_simplex", "search"]

Array = NDArray[np.float64]
Predict = Callable[[Array], Array]
"""Scores (n,) of mixtures (n, m)."""

_COVARIANCE_FLOOR = 1e-6
"""Added to the variances: shares have sum 1, so that their covariance is singular."""
_BLOCK = 100_000
"""Draws that are held at once."""
_APART = 0.02
"""L1 distance within which two results of CMA-ES are the same."""


class Choice(NamedTuple):
    """A mixture and what the surrogate predicts for it."""

    weights: tuple[float, ...]
    predicted: float


def gaussian_search(
    predict: Predict, observed: ArrayLike, *, top: int = 1, seed: int = 0, draws: int = 1_000_000
) -> list[Choice]:
    """The `top` draws with the best prediction from one Gaussian fitted to the observed mixtures (n, m).

    Draws with a negative share are dropped, the others divided by their sum (Alg. 4, which does not say how many draws;
    a million is our choice and leaves about .04, L1, around an optimum of five domains). ValueError where none is left.
    """
    known = _observed(observed)
    covariance = np.cov(known.T, bias=True) + _COVARIANCE_FLOOR * np.eye(known.shape[1])
    rng = np.random.default_rng(seed)
    best, scores = np.empty((0, known.shape[1])), np.empty(0)
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        drawn = rng.multivariate_normal(known.mean(axis=0), covariance, size=size, method="eigh")
        drawn = drawn[(drawn >= 0).all(axis=1) & (drawn.sum(axis=1) > 0)]
        drawn /= drawn.sum(axis=1, keepdims=True)
        best, scores = np.vstack([best, drawn]), np.concatenate([scores, predict(drawn)])
        order = np.argsort(-scores, kind="stable")[:top]
        best, scores = best[order], scores[order]
    if not len(best):
        raise ValueError(f"none of {draws} draws is a mixture: every one has a negative share")
    return [Choice(tuple(w.tolist()), float(score)) for w, score in zip(best, scores, strict=True)]


def cma_search(
    predict: Predict, observed: ArrayLike, *, top: int = 1, seed: int = 0, evaluations: int = 3_000
) -> list[Choice]:
    """The best ends of CMA-ES from the uniform mixture and from the `top` + 1 observed ones with the best prediction,
    at most `top`, none within .02 (L1) of a better one.

    A point off the simplex is worth its nearest mixture less its squared distance in units of the predictions' spread,
    so that shares of exactly 0 can be found. `evaluations` bounds each start. MissingExtraError without `cma`.
    """
    known = _observed(observed)
    at_known = predict(known)
    spread = float(np.ptp(at_known)) or 1.0
    best = known[np.argsort(-at_known, kind="stable")[: top + 1]]
    rng = np.random.default_rng(seed)
    found: list[Choice] = []
    for start in (np.full(known.shape[1], 1 / known.shape[1]), *best):
        end = _climb(predict, start, spread, rng, evaluations)
        found.append(Choice(tuple(end.tolist()), float(predict(end[None])[0])))
    kept: list[Choice] = []
    for choice in sorted(found, key=lambda c: -c.predicted):
        if all(math.fsum(abs(a - b) for a, b in zip(choice.weights, k.weights, strict=True)) > _APART for k in kept):
            kept.append(choice)
    return kept[:top]


def _climb(predict: Predict, start: Array, spread: float, rng: np.random.Generator, evaluations: int) -> Array:
    options = {
        "randn": lambda *shape: rng.standard_normal(shape),
        "seed": math.nan,  # its own seeding is that of the whole process
        "verbose": -9,
        "verb_log": 0,
        "maxfevals": evaluations,
        "tolfun": 1e-10,
        "tolx": 1e-7,
    }
    strategy = _cma().CMAEvolutionStrategy(start, 0.2, options)
    best, best_loss = start, math.inf
    while not strategy.stop():
        points = strategy.ask()
        x = np.asarray(points)
        mixtures = on_simplex(x)
        losses = -predict(mixtures) / spread + ((x - mixtures) ** 2).sum(axis=1)
        strategy.tell(points, losses.tolist())
        at = int(np.argmin(losses))
        if losses[at] < best_loss:
            best, best_loss = mixtures[at], float(losses[at])
    return best


def _cma() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so where it can't plot
            import cma
    except ImportError:
        raise MissingExtraError("a search by CMA-ES", "mixtures") from None
    return cma


def on_simplex(points: ArrayLike) -> Array:
    """The nearest mixtures (n, m) of points (n, m), in Euclidean distance, by sorting (Duchi et al. 2008, fig. 1)."""
    x = np.atleast_2d(np.asarray(points, dtype=np.float64))
    falling = -np.sort(-x, axis=1)
    excess = (np.cumsum(falling, axis=1) - 1) / np.arange(1, x.shape[1] + 1)
    last = (falling > excess).sum(axis=1) - 1
    mixtures = np.maximum(x - excess[np.arange(len(x)), last][:, None], 0.0)
    return np.asarray(mixtures / mixtures.sum(axis=1, keepdims=True))


OPTIMIZERS: dict[str, Callable[..., list[Choice]]] = {"gaussian": gaussian_search, "cma": cma_search}


def search(optimizer: str, predict: Predict, observed: ArrayLike, *, top: int = 1, seed: int = 0) -> list[Choice]:
    """`top` mixtures, best prediction first. ValueError for an unknown optimizer, for fewer than two domains or
    observed mixtures, or for `top` below 1; else as of the optimizer."""
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"no optimizer {optimizer!r}: {', '.join(OPTIMIZERS)}")
    if top < 1:
        raise ValueError(f"at least one mixture is asked for, got {top}")
    return OPTIMIZERS[optimizer](predict, observed, top=top, seed=seed)


def _observed(observed: ArrayLike) -> Array:
    known = np.asarray(observed, dtype=np.float64)
    if known.ndim != 2 or min(known.shape) < 2:
        raise ValueError("at least two mixtures of two domains are needed")
    return known
