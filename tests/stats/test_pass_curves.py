"""pass@k of many problems against exact fractions, at any size, and the difference of two curves."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.stats.pass_curves import (
    curve_difference,
    mean_pass_curve,
    overtaken_at,
    pass_curve,
    pass_curve_of,
    powers_of_two,
)
from bythebook.stats.samples import pass_at_k

HUGE = 2**20


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(math.comb(n - c, k), math.comb(n, k))


# ------------------------------------------------------------------------------------------------------------ unbiased


def test_two_right_of_five_by_hand() -> None:
    """1 − C(3, k) / C(5, k): 2/5, 1 − 3/10, 1 − 1/10, 1, 1."""
    assert pass_curve(5, [2], [1, 2, 3, 4, 5])[0] == pytest.approx([0.4, 0.7, 0.9, 1.0, 1.0], rel=1e-15)


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_every_count_and_every_k_equals_the_exact_fraction(n: int) -> None:
    ks = range(1, n + 1)
    found = pass_curve(n, range(n + 1), ks)
    for c, k in itertools.product(range(n + 1), ks):
        assert found[c, k - 1] == pytest.approx(float(exact(n, c, k)), rel=1e-14, abs=0)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_counts_of_thousands_equal_the_exact_fraction(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3000))
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    assert pass_curve(n, [c], [k])[0, 0] == pytest.approx(float(exact(n, c, k)), rel=1e-12, abs=0)


def test_brute_force_over_all_subsets_agrees_as_does_the_function_for_one_problem() -> None:
    for n, k in itertools.product(range(1, 7), range(1, 7)):
        for c in range(n + 1) if k <= n else ():
            subsets = list(itertools.combinations([1] * c + [0] * (n - c), k))
            share = sum(map(any, subsets)) / len(subsets)
            assert pass_curve(n, [c], [k])[0, 0] == pytest.approx(share) == pass_at_k(n, c, k)


def test_problems_with_other_numbers_of_samples_stand_in_one_table() -> None:
    found = pass_curve([4, 8, 4], [1, 2, 4], [1, 2, 4])
    rows = [[float(exact(n, c, k)) for k in (1, 2, 4)] for n, c in ((4, 1), (8, 2), (4, 4))]
    assert found == pytest.approx(np.array(rows))


def test_a_million_samples_stay_exact_where_the_truth_is_known() -> None:
    ks = powers_of_two(HUGE)
    assert len(ks) == 21
    none, one, half, all_but_one, every = pass_curve(HUGE, [0, 1, HUGE // 2, HUGE - 1, HUGE], ks)
    assert (none == 0).all()
    assert one == pytest.approx(np.array(ks) / HUGE, rel=1e-14)  # exactly k/n
    assert (every == 1).all()
    assert all_but_one == pytest.approx([1 - 1 / HUGE, *[1.0] * 20], rel=1e-15)
    by_hand = [1 - math.prod(Fraction(HUGE // 2 - j, HUGE - j) for j in range(k)) for k in (1, 2, 4, 8)]
    assert half[:4] == pytest.approx([float(x) for x in by_hand], rel=1e-13)
    assert (np.diff(half) >= 0).all()
    assert half[-1] == 1


@pytest.mark.parametrize(("c", "k"), [(2, 2**19), (3, 1000), (1000, 3), (50, 2**14), (2**14, 50), (40, 2**19 + 7)])
def test_a_million_samples_equal_the_exact_fraction(c: int, k: int) -> None:
    few, many = sorted((c, k))  # the formula is symmetric in c and k
    truth = 1 - math.prod(Fraction(HUGE - many - j, HUGE - j) for j in range(few))
    assert pass_curve(HUGE, [c], [k])[0, 0] == pytest.approx(float(truth), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 300), st.data())
def test_it_rises_with_k_and_with_what_is_right_and_starts_at_the_accuracy(n: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, n - 1))
    one, more = pass_curve(n, [c, c + 1], range(1, n + 1))
    assert one[0] == pytest.approx(c / n, rel=1e-13)
    assert (np.diff(one) >= 0).all()
    assert (more >= one).all()
    assert one[-1] == (1.0 if c else 0.0)
    assert ((one >= 0) & (one <= 1)).all()


@pytest.mark.parametrize(
    ("n", "c", "ks", "said"),
    [
        (4, [5], [1], "0 to n"),
        (4, [-1], [1], "0 to n"),
        (0, [0], [1], "0 to n"),
        (4, [2], [5], "pass@5 of 4"),
        ([4, 8], [2, 2], [5], "pass@5 of 4"),
        (4, [2], [0], "pass@0"),
        (4, [2.0], [1], "right are whole numbers"),
        (4.0, [2], [1], "samples are whole numbers"),
        (4, [[2]], [1], "one count per problem"),
    ],
)
def test_what_is_undefined_is_an_error(n: int, c: list[int], ks: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pass_curve(n, c, ks)


# ------------------------------------------------------------------------------------------------------------- plug-in


def test_the_plug_in_form_by_hand_and_beyond_the_samples() -> None:
    found = pass_curve(4, [0, 1, 4], [1, 2, 8], form="plug_in")
    assert found == pytest.approx(np.array([[0, 0, 0], [1 / 4, 7 / 16, 1 - 0.75**8], [1, 1, 1]]), rel=1e-14)
    with pytest.raises(ValueError, match="undefined"):
        pass_curve(4, [1], [0], form="plug_in")


def test_a_known_probability_gives_its_curve_however_small_it_is() -> None:
    assert pass_curve_of([0.5, 0.0, 1.0], [1, 3]) == pytest.approx(np.array([[0.5, 0.875], [0, 0], [1, 1]]), rel=1e-15)
    assert pass_curve_of([1e-18], [10**6])[0, 0] == pytest.approx(1e-12, rel=1e-6)
    for bad in ([-0.1], [1.5], [math.nan], [[0.5]]):
        with pytest.raises(ValueError, match="one probability"):
            pass_curve_of(bad, [1])
    with pytest.raises(ValueError, match="pass@0"):
        pass_curve_of([0.5], [1, 0])


def test_over_all_draws_the_unbiased_form_is_right_and_the_plug_in_form_too_low() -> None:
    """The expectation over c ~ Binomial(n, p), summed exactly, against 1 − (1 − p)^k."""
    n, p, k = 12, 0.2, 5
    weights = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    truth = 1 - (1 - p) ** k
    unbiased, plug_in = (
        float(weights @ pass_curve(n, range(n + 1), [k], form=f)[:, 0]) for f in ("unbiased", "plug_in")
    )  # type: ignore[operator, arg-type]
    assert unbiased == pytest.approx(truth, rel=1e-12)
    assert plug_in < truth - 0.02


# ---------------------------------------------------------------------------------------------------------------- mean


def test_the_mean_curve_averages_problems_and_of_none_there_is_none() -> None:
    assert mean_pass_curve(4, [1, 0, 4, 0], [4, 2]) == pytest.approx({4: 0.5, 2: (0.5 + 1) / 4})
    assert mean_pass_curve(4, [], [1, 2]) == {1: None, 2: None}
    assert pass_curve(4, [], [1, 2]).shape == (0, 2)


def test_powers_of_two_end_with_the_number_itself() -> None:
    assert powers_of_two(8) == (1, 2, 4, 8)
    assert powers_of_two(12) == (1, 2, 4, 8, 12)
    assert powers_of_two(1) == (1,)
    assert powers_of_two(0) == powers_of_two(-3) == ()


# ---------------------------------------------------------------------------------------------------------- difference


def test_the_interval_of_a_difference_is_that_of_all_resamples_of_three_problems() -> None:
    trained, base = np.array([[0.9, 1.0], [0.2, 0.4], [0.5, 0.5]]), np.array([[0.5, 1.0], [0.3, 0.7], [0.1, 0.9]])
    found = curve_difference(trained, base, n=40_000)
    assert found is not None
    for column, out in enumerate(found):
        gain = (trained - base)[:, column]
        assert out.difference == pytest.approx(gain.mean())
        means = [np.mean([gain[i] for i in draw]) for draw in itertools.product(range(3), repeat=3)]
        assert (out.low, out.high) == pytest.approx(np.quantile(np.repeat(means, 1000), [0.025, 0.975]), abs=1e-9)


def test_blocks_change_nothing_and_one_seed_gives_one_result(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    trained, base = rng.random((20, 3)), rng.random((20, 3))
    before = curve_difference(trained, base, n=300, seed=4)
    assert curve_difference(trained, base, n=300, seed=5) != before
    monkeypatch.setattr("bythebook.stats.pass_curves._WEIGHTS", 140)
    # A product of other blocks may be summed in another order, which depends on the processor.
    again = curve_difference(trained, base, n=300, seed=4)
    assert np.array(again) == pytest.approx(np.array(before), abs=1e-12)


def test_no_problem_has_no_difference_and_unequal_tables_are_refused() -> None:
    assert curve_difference(np.zeros((0, 2)), np.zeros((0, 2))) is None
    with pytest.raises(ValueError, match="problems × ks"):
        curve_difference([[0.5]], [[0.5, 0.5]])
    with pytest.raises(ValueError, match="problems × ks"):
        curve_difference([0.5], [0.5])


@pytest.mark.parametrize(
    ("trained", "base", "k"),
    [
        ([0.5, 0.6, 0.7], [0.3, 0.6, 0.9], 2),
        ([0.5, 0.6, 0.7], [0.3, 0.5, 0.9], 4),
        ([0.5, 0.4, 0.7], [0.3, 0.5, 0.6], None),  # the base is ahead in between only
        ([0.2, 0.3, 0.4], [0.3, 0.5, 0.9], None),  # never ahead: nothing is overtaken
        ([0.5, 0.6, 0.7], [0.3, 0.5, 0.6], None),
        ([0.5, 0.4, 0.6, 0.7], [0.3, 0.5, 0.5, 0.8], 8),
    ],
)
def test_the_base_overtakes_where_it_stays_ahead(trained: list[float], base: list[float], k: int | None) -> None:
    assert overtaken_at((1, 2, 4, 8)[: len(base)], trained, base) == k
