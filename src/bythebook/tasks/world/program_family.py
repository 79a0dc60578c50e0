"""A family of tiny programs, small enough for a model from scratch: a digit goes in, some steps change it, a digit
comes out.

    def f(x):
        x = (x + 3) % 10
        x = min(x, 6)
        return x

Every program is plain Python for the sandbox. What a step does is known here as well, so that right answers and the
values on the way can be written down without running anything. Some steps can't be undone: several digits lead to one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from bythebook.tasks.self_play.problems import INDUCTION_PAIRS, Induction, Triplet
from bythebook.types import Noun

__all__ = ["DIGITS", "OPERATIONS", "Step", "TinyProgram", "all_digits", "draw_program", "induction_of", "triplet_of"]

DIGITS = range(10)
_HELD_OUT = 4
"""One program in so many is held out."""


class _Operation(NamedTuple):
    """What stands before and behind the constant, and what it does."""

    before: str
    behind: str
    does: Callable[[int, int], int]


OPERATIONS: Mapping[str, _Operation] = {
    "add": _Operation("(x + ", ") % 10", lambda x, c: (x + c) % 10),
    "times": _Operation("(x * ", ") % 10", lambda x, c: (x * c) % 10),
    "from": _Operation("(", " - x) % 10", lambda x, c: (c - x) % 10),
    "most": _Operation("min(x, ", ")", min),
    "least": _Operation("max(x, ", ")", max),
}
"""By the word with which a message names them."""


class Step(Noun):
    """One line of a program."""

    name: str
    constant: int

    @property
    def line(self) -> str:
        operation = OPERATIONS[self.name]
        return f"    x = {operation.before}{self.constant}{operation.behind}\n"


class TinyProgram(Noun):
    """Steps, one after the other."""

    steps: tuple[Step, ...]

    @property
    def source(self) -> str:
        """As Python."""
        return "def f(x):\n" + "".join(step.line for step in self.steps) + "    return x"

    @property
    def held_out(self) -> bool:
        """Whether it is for tests alone. Hangs on the text, so that a program is never on both sides."""
        return hashlib.sha256(self.source.encode()).digest()[0] % _HELD_OUT == 0

    def values(self, x: int) -> list[int]:
        """The digit after each step."""
        found = []
        for step in self.steps:
            x = OPERATIONS[step.name].does(x, step.constant)
            found.append(x)
        return found

    def __call__(self, x: int) -> int:
        return self.values(x)[-1]


def draw_program(rng: random.Random, length: int, held_out: bool) -> TinyProgram:
    """A program of so many steps, of those for tests or of the others, that gives more than one digit."""
    while True:
        steps = (Step(name=rng.choice([*OPERATIONS]), constant=rng.randrange(1, 10)) for _ in range(length))
        program = TinyProgram(steps=tuple(steps))
        if program.held_out == held_out and len({program(x) for x in DIGITS}) > 1:
            return program


def triplet_of(program: TinyProgram, x: int) -> Triplet:
    """The program with an input and its output."""
    return Triplet(program=program.source, input=str(x), output=str(program(x)))


def all_digits(rng: random.Random) -> list[int]:
    """Every digit once, from any of them on, with 0 after 9: an order that a tiny model can keep to."""
    start = rng.choice(DIGITS)
    return [(start + i) % 10 for i in range(INDUCTION_PAIRS)]


def induction_of(program: TinyProgram, message: str, rng: random.Random) -> Induction:
    """The program with all ten digits."""
    pairs = tuple((str(x), str(program(x))) for x in all_digits(rng))
    return Induction(program=program.source, message=message, pairs=pairs)
