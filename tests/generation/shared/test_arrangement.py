"""Rows in a rectangle: nobody is lost, and ranks are closed when it pays."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.generation.shared.arrangement import Arrangement, arrange


def _numbered(counts: list[int]) -> list[list[int]]:
    rows = iter(range(sum(counts)))
    return [[next(rows) for _ in range(count)] for count in counts]


def _prompt_of_rows(cells: Arrangement) -> dict[int, int]:
    return {row: cells.prompts[i // cells.width] for i, row in enumerate(cells.rows) if row >= 0}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
@settings(max_examples=100, deadline=None)
def test_every_row_has_one_cell_among_those_of_its_prompt(counts: list[int], data: st.DataObject) -> None:
    rows_of = _numbered(counts)
    cells = arrange(rows_of)
    while True:
        assert len(cells.rows) == len(cells.prompts) * cells.width
        assert list(cells.prompts) == sorted(cells.prompts)
        kept = [row for row in cells.rows if row >= 0]
        assert len(set(kept)) == len(kept)
        of = _prompt_of_rows(cells)
        assert all(row in rows_of[prompt] for row, prompt in of.items())
        first = data.draw(st.integers(0, len(counts)))
        last = data.draw(st.integers(first, len(counts)))
        start, end = cells.cells_of(first, last)
        assert {row for row in cells.rows[start:end] if row >= 0} == {r for r, p in of.items() if first <= p < last}
        finished = set(data.draw(st.lists(st.sampled_from(kept), unique=True)))
        fewer = cells.without(finished)
        if fewer is None:
            break
        assert {row for row in fewer.rows if row >= 0} == set(kept) - finished
        assert fewer.cost <= 0.75 * cells.cost
        cells = fewer


def test_equal_groups_have_no_holes() -> None:
    cells = arrange(_numbered([8, 8, 8, 8]))
    assert (cells.prompts, cells.width) == ((0, 1, 2, 3), 8)
    assert cells.rows == tuple(range(32))


def test_a_prompt_that_comes_twice_as_often_gets_two_units() -> None:
    cells = arrange(_numbered([8, 16, 8]))
    assert (cells.prompts, cells.width) == ((0, 1, 1, 2), 8)


def test_ranks_are_closed_when_a_quarter_is_gone_and_not_before() -> None:
    cells = arrange(_numbered([8, 8]))
    assert cells.without({0, 1, 8}) is None
    fewer = cells.without({0, 1, 2, 8, 9, 10})
    assert fewer is not None
    assert len([row for row in fewer.rows if row >= 0]) == 10


def test_nobody_left_is_no_arrangement() -> None:
    assert arrange([[0]]).without({0}) is None
