"""The heuristics against the weights that follow from the paper's seed runs, and what they do at their edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.mixtures import alpha_weights, coli_weights, norm_weights

# Table 2 of arXiv 2505.24871: domains used (COCO, LISA, GeoQAV, SAT, ScienceQA from 1), In-Score, Out-Score.
SEED_RUNS = {
    "1": (0.3254, 0.4589),
    "2": (0.3180, 0.4219),
    "3": (0.2232, 0.4753),
    "4": (0.1990, 0.4915),
    "5": (0.3274, 0.4263),
    "2345": (0.5590, 0.5146),
    "1345": (0.5432, 0.4783),
    "1245": (0.5767, 0.4889),
    "1235": (0.5463, 0.4721),
    "1234": (0.4787, 0.4930),
    "12345": (0.5638, 0.4609),
}
USED = np.array([[str(domain) in name for domain in range(1, 6)] for name in SEED_RUNS])
INSIDE, OUTSIDE = np.array(list(SEED_RUNS.values())).T


def test_norm_gives_the_golden_weights() -> None:
    assert norm_weights(USED, OUTSIDE) == pytest.approx([0.1255, 0.2327, 0.2014, 0.2510, 0.1893], abs=5e-5)


def test_coli_gives_the_golden_weights() -> None:
    assert coli_weights(USED, OUTSIDE) == pytest.approx([0.1839, 0.1833, 0.2161, 0.2413, 0.1754], abs=5e-5)


@pytest.mark.parametrize(
    ("balance", "golden"),
    [
        (1.0, [0.2626, 0.2810, 0.0, 0.0136, 0.4428]),
        (0.0, [0.0685, 0.0642, 0.3308, 0.5364, 0.0]),
        (0.5, [0.1748, 0.1829, 0.1496, 0.2500, 0.2426]),
    ],
)
def test_alpha_gives_the_golden_weights(balance: float, golden: list[float]) -> None:
    assert alpha_weights(USED, INSIDE, OUTSIDE, balance=balance) == pytest.approx(golden, abs=5e-5)


def test_alpha_counts_runs_of_one_domain_as_it_is_told() -> None:
    without = alpha_weights(USED, INSIDE, OUTSIDE, single=0.0)
    assert without == pytest.approx(alpha_weights(USED[5:], INSIDE[5:], OUTSIDE[5:]))
    assert without != pytest.approx(alpha_weights(USED, INSIDE, OUTSIDE), abs=1e-3)


def test_coli_by_hand() -> None:
    # Two runs of one domain each: β = y / (1 + λ), the inverse's diagonal 1 / (1 + λ); shares are y over its sum.
    found = coli_weights([[True, False], [False, True]], [0.3, 0.1])
    assert found == pytest.approx([0.75, 0.25])


def test_coli_gives_nothing_to_a_domain_that_harms() -> None:
    found = coli_weights([[True, False], [False, True], [True, True]], [0.5, -0.5, 0.1])
    assert found is not None
    assert (found[0], found[1]) == (pytest.approx(1.0), 0.0)


def test_norm_halves_the_domain_whose_absence_helps_most() -> None:
    found = norm_weights(~np.eye(3, dtype=bool), [0.9, 0.1, 0.1])
    assert found == pytest.approx([0.2, 0.4, 0.4])


def test_where_all_scores_are_equal_norm_is_uniform_and_alpha_has_no_answer() -> None:
    flat = np.full(3, 0.5)
    assert norm_weights(~np.eye(3, dtype=bool), flat) == pytest.approx([1 / 3] * 3)
    assert alpha_weights(~np.eye(3, dtype=bool), flat, flat) is None
    assert coli_weights(~np.eye(3, dtype=bool), -flat) is None


def test_norm_names_the_domain_that_no_run_leaves_out() -> None:
    with pytest.raises(ValueError, match="no run leaves out SAT alone"):
        norm_weights(USED[[0, 5, 6, 7, 9]], OUTSIDE[[0, 5, 6, 7, 9]], names=["COCO", "LISA", "GeoQAV", "SAT", "QA"])
    with pytest.raises(ValueError, match="two runs leave out domain 0 alone"):
        norm_weights(USED[[5, 5]], OUTSIDE[[5, 6]])


@pytest.mark.parametrize(("used", "scores"), [([[True]], [0.1, 0.2]), ([], []), ([[True, False]], [float("nan")])])
def test_what_does_not_fit_is_an_error(used: list[list[bool]], scores: list[float]) -> None:
    with pytest.raises(ValueError, match=r"one score|finite"):
        coli_weights(used, scores)
    with pytest.raises(ValueError, match=r"one score|finite"):
        norm_weights(used, scores)
    with pytest.raises(ValueError, match=r"one score|finite"):
        alpha_weights(used, scores, scores)


def test_options_out_of_range_are_errors() -> None:
    with pytest.raises(ValueError, match="balance"):
        alpha_weights(USED, INSIDE, OUTSIDE, balance=1.1)
    with pytest.raises(ValueError, match="ridge"):
        coli_weights(USED, OUTSIDE, ridge=0)


@given(st.lists(st.floats(0, 1), min_size=11, max_size=11), st.floats(0.1, 10), st.permutations(range(5)))
def test_shares_lie_on_the_simplex_and_follow_the_domains(scores: list[float], factor: float, order: list[int]) -> None:
    for rule in (norm_weights, coli_weights, lambda used, out: alpha_weights(used, INSIDE, out)):
        found = rule(USED, scores)
        if found is not None:
            assert (found >= 0).all()
            assert found.sum() == pytest.approx(1)
            moved = rule(USED[:, order], scores)
            assert moved == pytest.approx(found[order], abs=1e-6)
    same, scaled = norm_weights(USED, scores), norm_weights(USED, factor * np.array(scores))
    assert scaled == pytest.approx(same, abs=1e-6)
