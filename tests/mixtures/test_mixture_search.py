"""Both searches, behind one name: the maximum of a planted quadratic, inside the simplex and on its border."""

from __future__ import annotations

import sys
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bythebook.errors import MissingExtraError
from bythebook.mixtures import OPTIMIZERS, Surrogate, fit_quadratic, fit_scheffe, search
from bythebook.mixtures.search import gaussian_search, on_simplex

Array = NDArray[np.float64]


@pytest.fixture(params=[*OPTIMIZERS])
def optimizer(request: pytest.FixtureRequest) -> str:
    """Each of them; that of CMA-ES where it is installed."""
    if request.param == "cma":
        pytest.importorskip("cma", reason="the extra 'mixtures' is not installed")
    return str(request.param)


def _runs(rng: np.random.Generator) -> Array:
    """15 runs that determine a quadratic of five domains, and 10 more."""
    pairs = [(np.eye(5)[i] + np.eye(5)[j]) / 2 for i, j in combinations(range(5), 2)]
    return np.vstack([np.eye(5), *pairs, rng.dirichlet(np.ones(5), 10)])


def _hill(peak: Array) -> Surrogate:
    """.5 − ‖w − peak‖²"""
    return Surrogate(0.5 - float(peak @ peak), 2 * peak, -np.eye(len(peak)), 0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_maximum_is_found_from_its_runs(optimizer: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    peak = rng.dirichlet(np.full(5, 4.0))
    runs, truth = _runs(rng), _hill(peak)
    for fitted in (fit_scheffe(runs, truth(runs)), fit_quadratic(runs, truth(runs), splits=0)):
        found = search(optimizer, fitted, runs, seed=seed)[0]
        assert np.abs(np.array(found.weights) - peak).sum() < 0.05
        assert found.predicted == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_fifteen_runs_are_enough(optimizer: str, seed: int) -> None:
    rng = np.random.default_rng(10 + seed)
    peak = rng.dirichlet(np.full(5, 4.0))
    runs, truth = _runs(rng)[:15], _hill(peak)
    found = search(optimizer, fit_scheffe(runs, truth(runs), ridge=1e-9), runs, seed=seed)[0]
    assert np.abs(np.array(found.weights) - peak).sum() < 0.05


def test_under_noise_the_choice_is_near_the_maximum_and_worth_nearly_as_much(optimizer: str) -> None:
    off, lost = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        peak = rng.dirichlet(np.full(5, 4.0))
        runs, truth = np.vstack([_runs(rng), rng.dirichlet(np.ones(5), 15)]), _hill(peak)
        fitted = fit_scheffe(runs, truth(runs) + rng.normal(0, 0.02, len(runs)))
        found = np.array(search(optimizer, fitted, runs, seed=seed)[0].weights)
        off.append(np.abs(found - peak).sum())
        lost.append(0.5 - truth(found)[0])
    # The uniform mixture is .42 (L1) off and loses .05; noise of .02 is that of the paper's seed runs, about.
    assert 0.01 < np.mean(off) < 0.25
    assert np.mean(lost) < 0.02


def test_a_maximum_on_the_border_is_found_by_cma_and_neared_by_the_gaussian(optimizer: str) -> None:
    rng = np.random.default_rng(1)
    truth = Surrogate(0.0, np.array([0.4, 0.4, -0.5, -0.5, -0.5]), -0.2 * np.eye(5), 0, 0)
    found = search(optimizer, truth, _runs(rng))[0]
    off = np.abs(np.array(found.weights) - [0.5, 0.5, 0, 0, 0]).sum()
    assert off < (1e-4 if optimizer == "cma" else 0.2)


@pytest.mark.parametrize("seed", range(4))
def test_cma_leaves_a_lower_hill_for_the_higher_one(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cma", reason="the extra 'mixtures' is not installed")
    # w₁² + .75 w₂: from the uniform mixture it rises faster towards the second corner, which is the lower one.
    truth = Surrogate(0.0, np.array([0.0, 0.75, 0.0]), np.diag([1.0, 0.0, 0.0]), 0, 0)
    runs = np.vstack([np.eye(3), np.full((1, 3), 1 / 3)])
    found = search("cma", truth, runs, top=2, seed=seed)
    assert found[0].weights == pytest.approx((1, 0, 0), abs=1e-4)
    assert capsys.readouterr().out == ""  # standard output belongs to results


def test_results_are_mixtures_in_order_and_the_same_twice(optimizer: str) -> None:
    rng = np.random.default_rng(2)
    runs, truth = _runs(rng), _hill(np.array([0.3, 0.1, 0.25, 0.2, 0.15]))
    found = search(optimizer, truth, runs, top=3, seed=5)
    assert 1 <= len(found) <= 3
    assert [c.predicted for c in found] == sorted((c.predicted for c in found), reverse=True)
    for choice in found:
        assert min(choice.weights) >= 0
        assert sum(choice.weights) == pytest.approx(1)
        assert truth(choice.weights)[0] == pytest.approx(choice.predicted)
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    assert search(optimizer, truth, runs, top=3, seed=5) == found
    assert (np.random.get_state()[1] == before).all()  # type: ignore[index]  # noqa: NPY002


def test_the_gaussian_stays_where_runs_were() -> None:
    near = np.array([[0.5, 0.5], [0.45, 0.55], [0.55, 0.45]])
    far = Surrogate(0.0, np.array([1.0, 0.0]), np.zeros((2, 2)), 0, 0)
    assert gaussian_search(far, near)[0].weights[0] < 0.75


def test_no_draw_on_the_simplex_is_an_error() -> None:
    with pytest.raises(ValueError, match="negative share"):
        gaussian_search(lambda w: w[:, 0], np.eye(40), draws=10)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cma", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[mixtures\]"):
        search("cma", lambda w: w[:, 0], np.eye(2))


@pytest.mark.parametrize(
    ("name", "top", "runs"),
    [
        ("simplex", 1, np.eye(3)),
        ("gaussian", 0, np.eye(3)),
        ("gaussian", 1, np.ones((3, 1))),
        ("gaussian", 1, np.eye(3)[:1]),
    ],
)
def test_what_makes_no_sense_is_an_error(name: str, top: int, runs: Array) -> None:
    with pytest.raises(ValueError, match=r"optimizer|at least"):
        search(name, lambda w: w[:, 0], runs, top=top)


@given(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=4))
def test_the_nearest_mixture_is_one_and_none_is_nearer(points: list[list[float]]) -> None:
    x = np.array(points)
    found = on_simplex(x)
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(len(x)))
    others = np.random.default_rng(0).dirichlet(np.ones(3), 200)
    nearest = ((x[:, None] - others[None]) ** 2).sum(axis=2).min(axis=1)
    assert (((x - found) ** 2).sum(axis=1) <= nearest + 1e-9).all()
    assert on_simplex(found) == pytest.approx(found, abs=1e-12)
