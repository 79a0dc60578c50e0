"""McNemar's exact test: published figures, its definition, and its limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.stats.mcnemar import McNemar, mcnemar


def pairs(both: int = 0, lost: int = 0, gained: int = 0, neither: int = 0) -> tuple[list[bool], list[bool]]:
    before = [True] * both + [True] * lost + [False] * gained + [False] * neither
    after = [True] * both + [False] * lost + [True] * gained + [False] * neither
    return before, after


@pytest.mark.parametrize(("lost", "gained", "p"), [(1, 5, 0.2188), (2, 4, 0.6875), (2, 10, 0.0386)])
def test_the_figures_of_perception_r1(lost: int, gained: int, p: float) -> None:
    found = mcnemar(*pairs(both=30, lost=lost, gained=gained, neither=8))
    assert found is not None
    assert round(found.p, 4) == p
    turned = mcnemar(*pairs(both=30, lost=gained, gained=lost, neither=8))
    assert turned is not None
    assert turned.p == found.p


def test_counts_and_effects() -> None:
    found = mcnemar(*pairs(both=3, lost=2, gained=10, neither=5))
    assert found is not None
    assert (found.both, found.lost, found.gained, found.neither, found.n) == (3, 2, 10, 5, 20)
    assert found.difference == pytest.approx(0.4)
    assert found.odds == 5.0


def test_odds_are_absent_where_nothing_was_lost() -> None:
    found = mcnemar(*pairs(gained=6, both=1))
    assert found == McNemar(both=1, lost=0, gained=6, neither=0, p=2 / 64)
    assert found.odds is None


def test_as_many_either_way_is_no_difference() -> None:
    found = mcnemar(*pairs(lost=4, gained=4))
    assert found is not None
    assert (found.p, found.difference) == (1.0, 0.0)


def test_without_pairs_or_changes_there_is_no_test() -> None:
    assert mcnemar([], []) is None
    assert mcnemar(*pairs(both=9, neither=3)) is None


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        mcnemar([True, False], [True])


def test_many_changes_are_neither_rounded_away_nor_too_many() -> None:
    found = mcnemar(*pairs(lost=3000, gained=3300))
    assert found is not None
    # The normal approximation with continuity correction is good to two digits here.
    z = (300 - 1) / math.sqrt(6300)
    assert found.p == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-2)
    tiny = mcnemar(*pairs(gained=900))
    assert tiny is not None
    assert tiny.p == 2.0**-899


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(lost=st.integers(0, 40), gained=st.integers(0, 40))
def test_p_is_that_of_a_sign_test(lost: int, gained: int) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    found = mcnemar(*pairs(lost=lost, gained=gained, both=2))
    if lost + gained == 0:
        assert found is None
    else:
        assert found is not None
        assert found.p == pytest.approx(scipy_stats.binomtest(gained, lost + gained).pvalue, rel=1e-9)
