"""Rows in a rectangle: who is decoded side by side, and when it pays to close ranks.

Rows of one prompt attend to the same tail of it. They stand together in units of `width` cells, so that a tail is read
once for a unit, and not once for each of its rows. Cells that are left over are holes: they are computed and forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

__all__ = ["Arrangement", "arrange"]

_TAIL = 0.25
"""What a unit costs besides its cells, in cells: reading its prompt's tail. Our choice, by measurement."""
_WORTH = 0.75
"""Ranks are closed when the cost falls to this share of what it was."""


@dataclass(frozen=True)
class Arrangement:
    """U units of `width` cells, in the order of the prompts."""

    prompts: tuple[int, ...]
    """(U,): the prompt of each unit."""
    width: int
    rows: tuple[int, ...]
    """(U · width,): the row in each cell; -1 for a hole."""

    @property
    def cost(self) -> float:
        """In cells."""
        return len(self.prompts) * (self.width + _TAIL)

    def cells_of(self, first: int, last: int) -> tuple[int, int]:
        """The cells [start, end) of the prompts from `first` to before `last`."""
        before = sum(prompt < first for prompt in self.prompts)
        inside = sum(first <= prompt < last for prompt in self.prompts)
        return before * self.width, (before + inside) * self.width

    def without(self, finished: Collection[int]) -> Arrangement | None:
        """The rows that are not finished, arranged anew; None while that is not worth it."""
        alive: dict[int, list[int]] = {}
        for cell, row in enumerate(self.rows):
            if row >= 0 and row not in finished:
                alive.setdefault(self.prompts[cell // self.width], []).append(row)
        if not alive:
            return None
        better = _arranged(alive)
        return better if better.cost <= _WORTH * self.cost else None


def arrange(rows_of: Sequence[Sequence[int]]) -> Arrangement:
    """The cheapest arrangement of the rows of each prompt."""
    return _arranged({prompt: list(rows) for prompt, rows in enumerate(rows_of) if rows})


def _arranged(rows_of: dict[int, list[int]]) -> Arrangement:
    counts = [len(rows) for rows in rows_of.values()]
    units = {width: sum(-(-count // width) for count in counts) for width in sorted(set(counts), reverse=True)}
    width = min(units, key=lambda w: units[w] * (w + _TAIL))
    prompts: list[int] = []
    cells: list[int] = []
    for prompt, rows in rows_of.items():
        for start in range(0, len(rows), width):
            unit = rows[start : start + width]
            prompts.append(prompt)
            cells += unit + [-1] * (width - len(unit))
    return Arrangement(tuple(prompts), width, tuple(cells))
