"""What to run next: the weights of the heuristics, and what the surrogates choose, each with what speaks for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bythebook.errors import MissingExtraError
from bythebook.mixtures import (
    Mixture,
    Surrogate,
    alpha_weights,
    coli_weights,
    fit_quadratic,
    fit_scheffe,
    leave_one_out,
    norm_weights,
    search,
)
from bythebook.mixtures.surrogates import Fit, identifiable
from bythebook.studies.mixture.measured import Measured

__all__ = ["SURROGATES", "chosen", "heuristic_rows", "surrogate_row"]

Array = NDArray[np.float64]

_SAME = 0.01
"""L1 distance within which a proposal was run already."""

SURROGATES: dict[str, Callable[[int], Fit]] = {
    "quadratic": lambda seed: lambda w, y: fit_quadratic(w, y, seed=seed),
    "scheffe": lambda _: fit_scheffe,
}
"""By name, from a seed: the paper's fit, and ours."""


def heuristic_rows(measured: Measured, *, single: float = 1.0) -> list[dict[str, Any]]:
    """The three heuristics from the seed runs, `name`, `weights` (None where a rule gives none, and then `why`) and
    `measured`, the score of a run with these weights; Alpha needs in-domain scores for two of its three forms."""
    even = measured.even
    used = np.array([m.weights for m in even]).reshape(len(even), len(measured.domains)) > 0
    out = np.array([m.mean for m in even])
    near = None if measured.inside is None else np.array([measured.inside[m.weights] for m in even])
    rules: dict[str, Callable[[], Array | None]] = {
        "norm": lambda: norm_weights(used, out, names=measured.domains),
        "coli": lambda: coli_weights(used, out),
        "alpha, out": lambda: alpha_weights(used, out, out, balance=0.0, single=single),
    }
    if near is not None:
        rules["alpha, in"] = lambda: alpha_weights(used, near, out, balance=1.0, single=single)
        rules["alpha, balanced"] = lambda: alpha_weights(used, near, out, single=single)
    return [_heuristic(name, rule, measured) for name, rule in rules.items()]


def _heuristic(name: str, rule: Callable[[], Array | None], measured: Measured) -> dict[str, Any]:
    try:
        weights, why = rule(), None
    except ValueError as error:
        weights, why = None, str(error)
    if weights is None:
        return {"name": name, "weights": None, "measured": None, "why": why or "every domain gets the share 0"}
    return {"name": name, **_proposal(weights.tolist(), measured), "why": None}


def surrogate_row(name: str, measured: Measured, *, seed: int = 0) -> tuple[dict[str, Any], Surrogate | None]:
    """(what a surrogate is worth, the fit to all mixtures).

    `columns`, `rank`, `identifiable`, `ridge`, `test_r2` are of the fit; `error` is the root of the mean squared error
    of each mixture predicted from the others, `error_of_mean` the same of the others' mean: a surrogate that is not
    below it has learnt nothing. None, and `why`, where the runs are too few.
    """
    w, y = np.array([m.weights for m in measured.trained]), np.array([m.mean for m in measured.trained])
    fit = SURROGATES[name](seed)
    try:
        fitted, predicted = fit(w, y), leave_one_out(fit, w, y)
    except ValueError as error:
        return {"name": name, "why": str(error)}, None
    mean_of_others = (y.sum() - y) / (len(y) - 1)
    row = {
        "name": name,
        "columns": fitted.columns,
        "rank": fitted.rank,
        "identifiable": identifiable(len(measured.domains)),
        "ridge": fitted.ridge,
        "test_r2": fitted.test_r2,
        "error": _rmse(y - predicted),
        "error_of_mean": _rmse(y - mean_of_others),
        "left_out": dict(zip((m.name for m in measured.trained), predicted.tolist(), strict=True)),
        "why": None,
    }
    return row, fitted


def chosen(
    name: str, fitted: Surrogate, optimizer: str, measured: Measured, *, top: int = 1, seed: int = 0
) -> list[dict[str, Any]]:
    """What a search finds on a surrogate, best first: `surrogate`, `optimizer`, `weights`, `predicted`, `distance` (L1
    to the nearest mixture that was run), `measured`; or one row with `why`."""
    w = np.array([m.weights for m in measured.trained])
    try:
        found = search(optimizer, fitted, w, top=top, seed=seed)
    except (MissingExtraError, ValueError) as error:
        return [{"surrogate": name, "optimizer": optimizer, "weights": None, "measured": None, "why": str(error)}]
    return [
        {
            "surrogate": name,
            "optimizer": optimizer,
            **_proposal(choice.weights, measured),
            "predicted": choice.predicted,
            "distance": min(_distance(choice.weights, m) for m in measured.trained),
            "why": None,
        }
        for choice in found
    ]


def _proposal(weights: Sequence[float], measured: Measured) -> dict[str, Any]:
    nearest = min(measured.trained, key=lambda m: _distance(weights, m))
    return {
        "weights": dict(zip(measured.domains, weights, strict=True)),
        "measured": nearest.mean if _distance(weights, nearest) <= _SAME else None,
    }


def _distance(weights: Sequence[float], mixture: Mixture) -> float:
    return math.fsum(abs(a - b) for a, b in zip(weights, mixture.weights, strict=True))


def _rmse(errors: Array) -> float:
    return float(np.sqrt((errors**2).mean()))
