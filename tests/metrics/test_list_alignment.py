from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.list_alignment import best_total

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 6))
MATRICES = SIZES.flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 9), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]
    )
)


@pytest.mark.parametrize(
    ("weights", "total"),
    [
        ([], 0),
        ([[]], 0),
        ([[3]], 3),
        ([[1, 2], [2, 4]], 5),
        ([[5, 4], [5, 0]], 9),  # the greedy choice, 5 and 0, is worse
        ([[0, 0], [0, 0]], 0),
        ([[1, 9, 2]], 9),
        ([[1], [9], [2]], 9),
    ],
)
def test_by_hand(weights: list[list[int]], total: int) -> None:
    assert best_total(weights) == total


@settings(deadline=None)
@given(MATRICES)
def test_as_scipy_has_it(weights: list[list[int]]) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    matrix = np.array(weights)
    rows, columns = optimize.linear_sum_assignment(matrix, maximize=True)
    assert best_total(weights) == matrix[rows, columns].sum()


@settings(deadline=None)
@given(MATRICES)
def test_transposed_it_is_the_same(weights: list[list[int]]) -> None:
    assert best_total(weights) == best_total([list(column) for column in zip(*weights, strict=True)])
