from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.stats import ReliabilityBin, brier_score, expected_calibration_error, reliability_curve

JUDGED = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


def test_nothing_has_no_calibration() -> None:
    assert reliability_curve([], []) == []
    assert expected_calibration_error([], []) is None
    assert brier_score([], []) is None


def test_items_of_one_bin_are_averaged_and_empty_bins_left_out() -> None:
    assert reliability_curve([0.1, 0.2, 0.9], [0, 1, 1], bins=2) == [
        ReliabilityBin(0.0, 0.5, pytest.approx(0.15), 0.5, 2),
        ReliabilityBin(0.5, 1.0, 0.9, 1.0, 1),
    ]


@pytest.mark.parametrize(("p", "number"), [(0.0, 0), (0.1, 0), (0.3, 2), (0.7, 6), (0.7000001, 7), (1.0, 9)])
def test_a_bin_holds_its_upper_end(p: float, number: int) -> None:
    (found,) = reliability_curve([p], [1])
    assert (found.low, found.high) == (number / 10, (number + 1) / 10)


def test_error_and_score_by_hand() -> None:
    p, right = [0.25, 0.25, 0.75, 0.75], [0, 1, 1, 1]
    assert expected_calibration_error(p, right, bins=2) == pytest.approx(0.5 * 0.25 + 0.5 * 0.25)
    assert brier_score(p, right) == pytest.approx((0.0625 + 0.5625 + 0.0625 + 0.0625) / 4)


def test_shares_that_are_as_often_right_are_calibrated() -> None:
    p = [0.2] * 5 + [0.6] * 5
    right = [1, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert expected_calibration_error(p, right) == pytest.approx(0)
    assert brier_score(p, right) == pytest.approx(0.2)


@settings(max_examples=100, deadline=None)
@given(JUDGED, st.integers(1, 20))
def test_bins_hold_every_item_once_and_errors_are_shares(judged: list[tuple[float, bool]], bins: int) -> None:
    p, right = [x[0] for x in judged], [x[1] for x in judged]
    curve = reliability_curve(p, right, bins=bins)
    assert sum(b.n for b in curve) == len(judged)
    assert sum(b.n * b.accuracy for b in curve) == pytest.approx(sum(right))
    assert all(b.low - 1e-9 <= b.mean_p <= b.high + 1e-9 for b in curve)
    error, score = expected_calibration_error(p, right, bins=bins), brier_score(p, right)
    assert error is not None
    assert score is not None
    assert 0 <= error <= 1
    assert 0 <= score <= 1
    # Jensen: within a bin no square is smaller than that of the means.
    one = expected_calibration_error(p, right, bins=1)
    assert one is not None
    assert score >= one**2 - 1e-9


@pytest.mark.parametrize(
    ("p", "right", "bins"),
    [([0.5], [], 10), ([1.5], [1], 10), ([-0.1], [1], 10), ([float("nan")], [1], 10), ([0.5], [1], 0)],
)
def test_what_is_no_probability_is_refused(p: list[float], right: list[int], bins: int) -> None:
    with pytest.raises(ValueError, match=r"p and right|probability|bins"):
        reliability_curve(p, right, bins=bins)
