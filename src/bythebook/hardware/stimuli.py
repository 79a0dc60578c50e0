"""What a design is driven with: rows of input values, one change a row, which a test bench plays back.

Each row changes either the clock or other inputs, never both, and outputs are compared after every row: so a reset
that acts between edges is told from one that waits for an edge, and a flip-flop from a latch. The stages are those of
CodeV-R1 (arXiv 2505.24183): random resets, then each combination of resets that don't contradict each other. Beyond
it, values come from the sources' own constants, too (a rare trigger has to name its value), and a reset is held.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import Field

from bythebook.hardware.clocking import Clocking, Reset
from bythebook.hardware.interface import Interface, Port
from bythebook.hardware.tokens import Token, number_value
from bythebook.types import Noun

__all__ = ["Plan", "Stimuli", "constants_of", "stimuli"]

_MOST_CONSTANTS = 96
_MOST_COMBINATIONS = 6


class Plan(Noun):
    """How much is tried. CodeV-R1 has 100 sequences of 1,000 steps a stage and one kind of value."""

    sequences: int = Field(default=24, ge=1, le=1000)
    """Of each stage of a design with a clock."""
    steps: int = Field(default=64, ge=1, le=10_000)
    """Of a sequence; each is a change of inputs, then one edge. The first sequence of a stage is eight times as long,
    so that counters get somewhere."""
    vectors: int = Field(default=2000, ge=1, le=1_000_000)
    """Drawn for a design without a clock."""
    exhaustive_bits: int = Field(default=11, ge=0, le=20)
    """Up to that many input bits, all vectors are tried where there is no clock."""
    seed: int = 0


class Stimuli(NamedTuple):
    """Input values by row."""

    ports: tuple[Port, ...]
    """The inputs: the first has the lowest bits of a row."""
    rows: tuple[int, ...]
    stages: tuple[tuple[int, str], ...]
    """(first row, name) of each stage."""
    clock: int | None = None
    """The bit of a row that is the clock. It is 0 in the first row."""

    @property
    def width(self) -> int:
        """Bits of a row."""
        return sum(p.width for p in self.ports)

    def values(self, row: int) -> dict[str, int]:
        """The inputs of a row, by name."""
        found, bits = {}, self.rows[row]
        for port in self.ports:
            found[port.name] = bits & ((1 << port.width) - 1)
            bits >>= port.width
        return found

    def stage(self, row: int) -> str:
        """The stage in which a row stands."""
        return next((name for first, name in reversed(self.stages) if first <= row), "")


def constants_of(sources: Iterable[Sequence[Token]]) -> tuple[int, ...]:
    """The values of the numbers in sources, each once, in order; of very many the first."""
    found: dict[int, None] = {}
    for tokens in sources:
        for token in tokens:
            value = number_value(token.text) if token.kind in ("number", "based") else None
            if value is not None and len(found) < 4 * _MOST_CONSTANTS:
                found[value] = None
    return tuple(found)


def stimuli(interface: Interface, clocking: Clocking, constants: Sequence[int], plan: Plan, seed: int) -> Stimuli:
    """The rows for a design. Equal arguments give equal rows.

    `constants` are worth trying as values of inputs: whole, in pieces where an input is narrower, and one off.
    """
    drive = _Drive(interface, constants, random.Random(seed))
    place: int | None = None
    if clocking.clock is None:
        _combinational(drive, plan)
    else:
        _clocked(drive, clocking.clock, clocking.resets, plan)
        names = [p.name for p in drive.ports]
        place = sum(p.width for p in drive.ports[: names.index(clocking.clock)])
    return Stimuli(drive.ports, tuple(drive.rows), tuple(drive.stages), place)


def _pool(port: Port, constants: Sequence[int]) -> list[int]:
    """Values worth trying at a port."""
    full = (1 << port.width) - 1
    msb = 1 << (port.width - 1)
    found = dict.fromkeys([0, full, 1, msb, msb - 1, msb | 1, full - 1, full // 3, full - full // 3])
    for value in constants[:_MOST_CONSTANTS]:
        pieces = range(0, min(max(1, value.bit_length()), 16 * port.width), port.width)
        for shift in pieces:
            piece = (value >> shift) & full
            found.update(dict.fromkeys([piece, (piece + 1) & full, (piece - 1) & full]))
    return list(found)


class _Drive:
    """Current values of the inputs, and the rows so far."""

    def __init__(self, interface: Interface, constants: Sequence[int], rng: random.Random) -> None:
        self.rng = rng
        self.ports = interface.inputs
        self.values = {p.name: 0 for p in self.ports}
        self.pools = {p.name: _pool(p, constants) for p in self.ports}
        self.rows: list[int] = []
        self.stages: list[tuple[int, str]] = []

    def stage(self, name: str) -> None:
        self.stages.append((len(self.rows), name))

    def row(self) -> None:
        """Write down the values as they are."""
        bits = at = 0
        for port in self.ports:
            bits |= self.values[port.name] << at
            at += port.width
        self.rows.append(bits)

    def redraw(self, ports: Sequence[Port], chance: float = 1.0) -> None:
        """Draw new values for ports, each with that chance."""
        for port in ports:
            if chance >= 1.0 or self.rng.random() < chance:
                self.values[port.name] = self._value(port)

    def _value(self, port: Port) -> int:
        rng, full = self.rng, (1 << port.width) - 1
        if port.width == 1:
            return rng.getrandbits(1)
        kind = rng.random()
        if kind < 0.45:
            return rng.getrandbits(port.width)
        if kind < 0.7:
            return rng.choice(self.pools[port.name])
        if kind < 0.8:
            return min(full, rng.getrandbits(3))
        if kind < 0.9:
            return self.values[rng.choice(self.ports).name] & full
        if kind < 0.95:
            return (self.values[port.name] + rng.choice((1, -1))) & full
        return self.values[port.name] ^ (1 << rng.randrange(port.width))


def _combinational(drive: _Drive, plan: Plan) -> None:
    """All vectors in random order where there are few; then values worth trying, at one input and at two, and random
    ones."""
    ports = drive.ports
    width = sum(p.width for p in ports)
    if width <= plan.exhaustive_bits:
        drive.stage("all vectors")
        drive.rows += drive.rng.sample(range(1 << width), 1 << width)
    drive.stage("directed")
    for port in ports:
        for value in drive.pools[port.name]:
            for _ in range(3):
                drive.redraw(ports)
                drive.values[port.name] = value
                drive.row()
    for port, other in itertools.permutations(ports, 2):
        drive.redraw(ports)
        drive.values[port.name] = drive.values[other.name] & ((1 << port.width) - 1)
        drive.row()
    _pairs(drive, 2 * plan.vectors)
    drive.stage("random")
    for _ in range(plan.vectors):
        drive.redraw(ports, drive.rng.choice((1.0, 0.5)))
        drive.row()


def _pairs(drive: _Drive, most: int) -> None:
    """Values worth trying at two inputs at once: every pair of them, or as many as may be, drawn evenly."""
    wanted = [
        (one, a, other, b)
        for one, other in itertools.islice(itertools.combinations(drive.ports, 2), most)
        for a, b in itertools.islice(itertools.product(drive.pools[one.name], drive.pools[other.name]), most)
    ]
    for one, a, other, b in wanted if len(wanted) <= most else drive.rng.sample(wanted, most):
        drive.redraw(drive.ports)
        drive.values.update({one.name: a, other.name: b})
        drive.row()


def _combinations(resets: Sequence[Reset]) -> list[tuple[Reset, ...]]:
    """All resets together, each alone, then the others."""
    found = [c for n in range(1, len(resets) + 1) for c in itertools.combinations(resets, n)]
    whole = [tuple(resets)] if len(resets) > 1 else []
    return list(dict.fromkeys([*whole, *found]))[:_MOST_COMBINATIONS]


def _clocked(drive: _Drive, clock: str, resets: Sequence[Reset], plan: Plan) -> None:
    """A stage for each combination of resets, and one of random resets."""
    idle = {r.name: 1 - r.active for r in resets}
    drive.values.update(idle)
    data = [p for p in drive.ports if p.name != clock and p.name not in idle]
    combinations = _combinations(resets)
    for combination in combinations or [()]:
        drive.stage(f"reset by {' and '.join(r.name for r in combination)}" if combination else "no reset")
        for number in range(plan.sequences):
            _assert_resets(drive, clock, combination, data, number)
            steps = plan.steps * (8 if number == 0 else 1)
            _sequence(drive, clock, data, (), steps, number)
    if resets:
        drive.stage("random resets")
        _assert_resets(drive, clock, combinations[0], data, 0)
        for number in range(plan.sequences):
            _sequence(drive, clock, data, resets, plan.steps, number)


def _assert_resets(drive: _Drive, clock: str, resets: Sequence[Reset], data: Sequence[Port], number: int) -> None:
    """Assert, hold and release resets. The clock stands still at first, high or low in turn: what is asynchronous has
    to act at once, and the rest must not; then both edges pass under the reset, with other inputs changing."""
    if not resets:
        return
    if drive.values[clock] != number % 2:
        _toggle(drive, clock)
    drive.values.update({r.name: r.active for r in resets})
    drive.row()
    drive.redraw(data)
    drive.row()
    for _ in range(3):
        _toggle(drive, clock)
        drive.redraw(data)
        drive.row()
    drive.values.update({r.name: 1 - r.active for r in resets})
    drive.row()


def _sequence(
    drive: _Drive, clock: str, data: Sequence[Port], resets: Sequence[Reset], steps: int, number: int
) -> None:
    """Steps with all inputs fresh, few of them changing, or single bits held; resets now and then, if any."""
    rng = drive.rng
    bits = [p for p in data if p.width == 1]
    held = number % 2 == 0
    if held:
        # Corners in turn, so that every combination of a few enables is held for a while; all ones at first.
        corner = rng.getrandbits(len(bits) + 1) if len(bits) > 4 and number else ~(number // 2)
        drive.values.update({port.name: corner >> place & 1 for place, port in enumerate(bits)})
    moving = [p for p in data if p.width > 1] if held else data
    # Asserted most of the time now and then: a polarity that was guessed wrong costs no more than that.
    often = 0.94 if number % 4 == 3 else 0.06
    for _ in range(steps):
        drive.redraw(moving, 0.15 if number % 4 == 3 else 1.0)
        if number % 4 == 2 and rng.random() < 0.05:
            drive.redraw(bits)
        for reset in resets:
            drive.values[reset.name] = reset.active if rng.random() < often else 1 - reset.active
        drive.row()
        _toggle(drive, clock)


def _toggle(drive: _Drive, clock: str) -> None:
    drive.values[clock] ^= 1
    drive.row()
