"""Scenes of the procedural world: a few things on a grid, each with a colour, a shape and a size, no shape twice.

In training a thing mostly has the colour and the size that its shape usually has: who does not look can guess. Out of
domain it has not.
"""

from __future__ import annotations

import random

from bythebook.types import Noun

__all__ = ["CELLS", "COLOURS", "HABITS", "SHAPES", "SIDE", "SIZES", "Scene", "Thing", "draw_scene", "slipped"]

SIDE = 3
"""Rows, and columns, of the grid."""
CELLS = tuple(f"{column}{row}" for row in range(1, SIDE + 1) for column in "abc"[:SIDE])
"""The column's letter and the row's number; row 1 is at the top."""
COLOURS = {"red": "r", "blue": "b", "green": "g", "yellow": "y"}
SHAPES = {"circle": "o", "square": "q", "triangle": "t", "star": "s"}
SIZES = {"small": "-", "large": "+"}
"""Names, and the signs by which a scene in symbols has them."""
HABITS = {
    "circle": ("red", "large"),
    "square": ("blue", "large"),
    "triangle": ("green", "small"),
    "star": ("yellow", "small"),
}


class Thing(Noun):
    """One thing in a cell."""

    cell: str
    colour: str
    shape: str
    size: str

    @property
    def symbols(self) -> str:
        """As a scene in symbols has it: `b2 r o +`."""
        return f"{self.cell} {COLOURS[self.colour]} {SHAPES[self.shape]} {SIZES[self.size]}"

    @property
    def place(self) -> tuple[int, int]:
        """(column, row), from 0."""
        return ord(self.cell[0]) - ord("a"), int(self.cell[1]) - 1


class Scene(Noun):
    """The things, in the order of their cells."""

    things: tuple[Thing, ...]

    @property
    def symbols(self) -> str:
        """The scene in symbols: `a1 r o + ; c2 b q -`."""
        return " ; ".join(thing.symbols for thing in self.things)

    def of_shape(self, shape: str) -> Thing:
        """The thing of that shape. KeyError if there is none."""
        return {thing.shape: thing for thing in self.things}[shape]

    def at(self, cell: str) -> Thing | None:
        """The thing in that cell."""
        return next((thing for thing in self.things if thing.cell == cell), None)

    def coloured(self, colour: str) -> int:
        """How many things have that colour."""
        return sum(thing.colour == colour for thing in self.things)


def _in_order(things: list[Thing]) -> Scene:
    return Scene(things=tuple(sorted(things, key=lambda thing: CELLS.index(thing.cell))))


def draw_scene(rng: random.Random, things: int, habit: float) -> Scene:
    """A scene of so many things; `habit` is the probability, for colour and size each, that a thing has the one that
    its shape usually has, before one is drawn evenly."""
    drawn = []
    for shape, cell in zip(rng.sample(list(SHAPES), things), rng.sample(CELLS, things), strict=True):
        colour, size = HABITS[shape]
        if rng.random() >= habit:
            colour = rng.choice(list(COLOURS))
        if rng.random() >= habit:
            size = rng.choice(list(SIZES))
        drawn.append(Thing(cell=cell, colour=colour, shape=shape, size=size))
    return _in_order(drawn)


def slipped(scene: Scene, rng: random.Random) -> Scene:
    """The scene as somebody sees it who looks once: of one thing the colour, the size or the cell is another one."""
    wrong = rng.choice(scene.things)
    field = rng.choice(("colour", "size", "cell"))
    taken = {thing.cell for thing in scene.things}
    values = {"colour": list(COLOURS), "size": list(SIZES), "cell": [cell for cell in CELLS if cell not in taken]}
    others = [value for value in values[field] if value != getattr(wrong, field)]
    changed = wrong.model_copy(update={field: rng.choice(others)})
    return _in_order([changed if thing is wrong else thing for thing in scene.things])
