"""The best one-to-one assignment between the items of two lists: whole weights, exact, by the Hungarian method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["best_total"]


def best_total(weights: Sequence[Sequence[int]]) -> int:
    """The greatest sum of weights of which no two share a row or a column; 0 without any. Weights are not negative.

    Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987): time n²·m for n rows of m columns
    or the reverse, n ≤ m. ValueError for rows of different lengths.
    """
    if not weights or not weights[0]:
        return 0
    cost = -np.array(weights, dtype=np.int64)
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    rows, columns = cost.shape
    # Row 0 and column 0 are virtual: every path starts in column 0.
    row_potential, column_potential = np.zeros(rows + 1, np.int64), np.zeros(columns + 1, np.int64)
    row_of = np.zeros(columns + 1, np.int64)
    for row in range(1, rows + 1):
        _augment(row, cost, row_potential, column_potential, row_of)
    taken = np.flatnonzero(row_of[1:])
    return int(-cost[row_of[1:][taken] - 1, taken].sum())


def _augment(
    row: int,
    cost: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    row_potential: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    column_potential: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    row_of: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> None:
    """Give `row` a column along the cheapest path, moving rows that had one; potentials and `row_of` change in
    place."""
    far = np.iinfo(np.int64).max
    slack, came_from = np.full(row_of.size, far), np.zeros(row_of.size, np.int64)
    used = np.zeros(row_of.size, bool)
    row_of[0], at = row, 0
    while True:
        used[at] = True
        here = row_of[at]
        reduced = cost[here - 1] - row_potential[here] - column_potential[1:]
        nearer = ~used[1:] & (reduced < slack[1:])
        slack[1:][nearer], came_from[1:][nearer] = reduced[nearer], at
        free = np.flatnonzero(~used[1:]) + 1
        at = int(free[np.argmin(slack[free])])
        step = slack[at]
        row_potential[row_of[used]] += step
        column_potential[used] -= step
        slack[~used] -= step * (slack[~used] < far)
        if not row_of[at]:
            break
    while at:
        before = int(came_from[at])
        row_of[at], at = row_of[before], before
