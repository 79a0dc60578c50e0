"""Surrogates: a planted quadratic, what the runs determine, and how good a fit looks beside how good it is."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from numpy.typing import NDArray

from bythebook.mixtures import Surrogate, fit_quadratic, fit_scheffe, leave_one_out
from bythebook.mixtures.surrogates import RIDGES, identifiable, quadratic_columns, scheffe_columns

Array = NDArray[np.float64]


def lattice(domains: int, parts: int) -> Array:
    """Every mixture whose shares are multiples of 1 / parts."""
    places = combinations_with_replacement(range(domains), parts)
    return np.array([np.bincount(p, minlength=domains) / parts for p in places])


def seed_mixtures(domains: int) -> Array:
    """One domain, all but one, all."""
    without = (1 - np.eye(domains)) / (domains - 1)
    return np.vstack([np.eye(domains), without, np.full((1, domains), 1 / domains)])


def _planted(rng: np.random.Generator, domains: int = 5) -> Surrogate:
    c = rng.normal(0, 0.3, (domains, domains))
    return Surrogate(0.4, rng.normal(0, 0.1, domains), (c + c.T) / 2, 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_quadratic_is_found_from_fifteen_runs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, runs = _planted(rng), lattice(5, 2)
    assert len(runs) == 15
    asked = rng.dirichlet(np.ones(5), 50)
    for fitted in (
        fit_quadratic(runs, truth(runs), splits=0),
        fit_scheffe(runs, truth(runs), ridge=1e-10),
    ):
        assert fitted(asked) == pytest.approx(truth(asked), abs=1e-6)


def test_with_more_runs_the_splits_and_the_ridge_choose_themselves() -> None:
    rng = np.random.default_rng(0)
    truth, runs = _planted(rng), np.vstack([lattice(5, 2), rng.dirichlet(np.ones(5), 12)])
    asked = rng.dirichlet(np.ones(5), 50)
    published, ours = fit_quadratic(runs, truth(runs)), fit_scheffe(runs, truth(runs))
    assert published.test_r2 == pytest.approx(1.0)
    assert published(asked) == pytest.approx(truth(asked), abs=1e-6)
    assert ours.ridge == RIDGES[0]
    assert ours(asked) == pytest.approx(truth(asked), abs=1e-5)


def test_of_thirtyone_columns_the_seed_runs_determine_ten_and_the_simplex_fifteen() -> None:
    seeds = seed_mixtures(5)
    everywhere = np.random.default_rng(0).dirichlet(np.ones(5), 400)
    assert quadratic_columns(seeds).shape == (11, 31)
    assert np.linalg.matrix_rank(quadratic_columns(seeds)) == 10
    assert np.linalg.matrix_rank(quadratic_columns(everywhere)) == 15 == identifiable(5)
    # Ours has no column that the simplex could not determine.
    assert scheffe_columns(everywhere).shape == (400, 15)
    assert np.linalg.matrix_rank(scheffe_columns(everywhere)) == 15
    assert fit_quadratic(seeds, np.arange(11.0), splits=0).rank == 10
    assert fit_scheffe(seeds, np.arange(11.0)).rank == 10


def test_every_column_of_ours_reaches_one() -> None:
    assert scheffe_columns(lattice(4, 2)).max(axis=0) == pytest.approx(np.ones(10))


def test_both_forms_span_the_same_functions() -> None:
    rng = np.random.default_rng(1)
    w = rng.dirichlet(np.ones(4), 60)
    both = np.hstack([quadratic_columns(w), scheffe_columns(w)])
    assert np.linalg.matrix_rank(both) == np.linalg.matrix_rank(scheffe_columns(w)) == identifiable(4)


def test_noise_makes_the_prediction_worse_in_proportion() -> None:
    rng = np.random.default_rng(2)
    truth, asked = _planted(rng), rng.dirichlet(np.ones(5), 200)
    runs = np.vstack([lattice(5, 2), rng.dirichlet(np.ones(5), 25)])
    errors = []
    for noise in (0.0, 0.01, 0.02):
        of = []
        for _ in range(20):
            fitted = fit_scheffe(runs, truth(runs) + rng.normal(0, noise, len(runs)))
            of.append(np.sqrt(((fitted(asked) - truth(asked)) ** 2).mean()))
        errors.append(float(np.mean(of)))
    # 15 numbers from 40 runs: the error of the fitted function is about σ √(15 / 40), inside the simplex less.
    assert errors[0] < 1e-5
    assert 0.003 < errors[1] < 0.012
    assert 0.006 < errors[2] < 0.024


def test_scores_that_are_moved_or_scaled_give_predictions_that_are() -> None:
    rng = np.random.default_rng(3)
    runs = rng.dirichlet(np.ones(4), 20)
    scores, asked = rng.normal(0.5, 0.1, 20), rng.dirichlet(np.ones(4), 10)
    for fit in (fit_quadratic, fit_scheffe):
        assert fit(runs, 2 * scores + 7)(asked) == pytest.approx(2 * fit(runs, scores)(asked) + 7, abs=1e-6)


def test_an_endless_ridge_ends_at_the_mean() -> None:
    runs, scores = seed_mixtures(3), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert fit_scheffe(runs, scores, ridge=1e9)(runs) == pytest.approx([scores.mean()] * 7, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_the_ridge_is_the_one_whose_refits_predict_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    runs = np.vstack([seed_mixtures(4), rng.dirichlet(np.ones(4), 5)])
    scores = _planted(rng, 4)(runs) + rng.normal(0, 0.03, len(runs))
    refitted = {}
    for ridge in RIDGES:
        found = leave_one_out(lambda w, y, at=ridge: fit_scheffe(w, y, ridge=at), runs, scores)  # type: ignore[misc]
        refitted[ridge] = float(((scores - found) ** 2).sum())
    assert fit_scheffe(runs, scores).ridge == min(refitted, key=refitted.__getitem__)


def test_on_pure_noise_the_best_of_five_test_r2_looks_better_than_the_fit_is() -> None:
    rng = np.random.default_rng(5)
    looked, was, ours = [], [], []
    for trial in range(30):
        runs = np.vstack([seed_mixtures(5), rng.dirichlet(np.ones(5), 20)])  # as many as the paper fits
        scores = rng.normal(0.48, 0.03, len(runs))
        looked.append(fit_quadratic(runs, scores, seed=trial).test_r2 or 0.0)
        again = leave_one_out(lambda w, y, at=trial: fit_quadratic(w, y, seed=at), runs, scores)  # type: ignore[misc]
        was.append(_r2(scores, again))
        ours.append(_r2(scores, leave_one_out(fit_scheffe, runs, scores)))
    assert np.mean(np.array(looked) > was) > 0.8
    assert np.median(looked) - np.median(was) > 1
    # Ours learns nothing either, and does no harm: nearly the mean of the others.
    assert -0.5 < np.median(ours) < 0.05


def _r2(scores: Array, predicted: Array) -> float:
    return 1 - float(((scores - predicted) ** 2).sum() / ((scores - scores.mean()) ** 2).sum())


def test_the_kept_split_is_the_best_of_those_drawn() -> None:
    rng = np.random.default_rng(6)
    runs, scores = rng.dirichlet(np.ones(3), 30), rng.normal(0, 1, 30)
    r2 = [fit_quadratic(runs, scores, splits=n, seed=9).test_r2 or 0.0 for n in (1, 2, 3, 5)]
    assert r2 == sorted(r2)
    assert fit_quadratic(runs, scores, splits=0).test_r2 is None


def test_leaving_one_out_asks_a_fit_that_has_not_seen_it() -> None:
    runs, scores = seed_mixtures(3), np.arange(7.0)
    asked: list[tuple[int, float]] = []

    def fit(w: Array, y: Array) -> Surrogate:
        asked.append((len(y), float(y.sum())))
        return Surrogate(float(y.mean()), np.zeros(3), np.zeros((3, 3)), 0, 0)

    found = leave_one_out(fit, runs, scores)
    assert asked == [(6, 21.0 - score) for score in scores]
    assert found == pytest.approx([(21 - score) / 6 for score in scores])


@pytest.mark.parametrize(
    ("weights", "scores"),
    [
        ([[0.5, 0.5]], [1.0]),
        ([[0.5, 0.5], [1.0, 0.0]], [1.0]),
        ([[0.5, 0.6], [1.0, 0.0], [0.0, 1.0]], [1.0, 2.0, 3.0]),
        ([[1.5, -0.5], [1.0, 0.0], [0.0, 1.0]], [1.0, 2.0, 3.0]),
        ([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]], [1.0, 2.0, float("inf")]),
    ],
)
def test_what_does_not_fit_a_simplex_is_an_error(weights: list[list[float]], scores: list[float]) -> None:
    for fit in (fit_quadratic, fit_scheffe):
        with pytest.raises(ValueError, match=r"two mixtures|simplex|finite"):
            fit(weights, scores)


def test_too_few_runs_are_an_error() -> None:
    with pytest.raises(ValueError, match="split"):
        fit_quadratic(np.eye(3), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="too few"):
        fit_scheffe(np.eye(2), [1.0, 2.0])
    with pytest.raises(ValueError, match="ridge"):
        fit_scheffe(np.eye(3), [1.0, 2.0, 3.0], ridge=0.0)
