"""Small combinational circuits in the procedural world: described in words and truth tables, to be written in Verilog.

A circuit has the inputs a, b, c, d and the output y, and one or two gates of two inputs each:

    y is 1 if both a and not b, or else neither c nor d.
    y is 1 if 0110 for a and c, but not if exactly one of b and d.

`0110 for a and c` is the truth table of y over a c = 00, 01, 10, 11. Out of domain are pairs of gates and connectives
that training has never seen together. The gold is a module, and a test bench decides (`hardware.equivalence`): what
CodeV-R1 (arXiv 2505.24183) pays its reward for, without data.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from bythebook.errors import DataError
from bythebook.schema.circuits import CIRCUIT
from bythebook.tasks.asking import how_to_answer
from bythebook.tasks.base import Task
from bythebook.tasks.circuits import HOW
from bythebook.tasks.world.drawing import options_of
from bythebook.tasks.world.gates import GATES, JOINS, Circuit, Gate, body, sentence
from bythebook.types import Example, Noun

__all__ = [
    "SEEN",
    "TASK",
    "UNSEEN",
    "CircuitOptions",
    "Designer",
    "circuit_vocabulary",
    "design_as",
    "load",
    "understood",
]

Designer = Literal["careful", "hasty", "guessing"]
_STAFF: tuple[tuple[Designer, int], ...] = (("careful", 36), ("hasty", 44), ("guessing", 20))
"""Shares of the mixed staff, in %."""
_TOP, _SPEC = "top", "_circuit"
_ONE, _INVERTED = 0.2, 0.3
"""Shares of circuits of one gate, and of inputs that are inverted."""


class CircuitOptions(Noun):
    """How much of the world a run uses. Sizes are numbers of circuits; 0 leaves a split out."""

    seed: int = 0
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)


class Pairing(NamedTuple):
    """Which gates stand together, and how they are joined."""

    first: str
    join: str
    second: str


_ALL = tuple(Pairing(a, join, b) for a in GATES for join in JOINS for b in GATES)
UNSEEN = frozenset(random.Random("bythebook circuits/unseen").sample(_ALL, len(_ALL) // 4))
"""Out of domain."""
SEEN = tuple(pairing for pairing in _ALL if pairing not in UNSEEN)


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`). RecipeError for an unknown option; the world needs no path."""
    o = options_of("world_circuits", CircuitOptions, path, options)
    splits: dict[str, list[Example]] = {}
    for split, n in (("train", o.train), ("id", o.id), ("ood", o.ood)):
        rng = random.Random(f"bythebook circuits/{split}/{o.seed}")
        if n:
            splits[split] = [_example(split, f"{o.seed}-{i}", rng) for i in range(n)]
    return splits


def _example(split: str, number: str, rng: random.Random) -> Example:
    pairing = rng.choice(sorted(UNSEEN) if split == "ood" else SEEN)
    alone = split != "ood" and rng.random() < _ONE
    first, second = _gate(pairing.first, rng), _gate(pairing.second, rng)
    circuit = Circuit(first=first) if alone else Circuit(first=first, join=pairing.join, second=second)
    kinds = pairing.first if alone else "-".join(pairing)
    return Example(
        id=f"circuits-{split}-{number}",
        text=sentence(circuit),
        guideline=how_to_answer("circuits", HOW),
        domain="one gate" if alone else "two gates",
        split=split,
        sub_task="question",
        reference=_module(body(circuit)),
        meta={CIRCUIT: _TOP, "guideline_id": kinds, _SPEC: circuit.model_dump_json()},
    )


def _gate(kind: str, rng: random.Random) -> Gate:
    one, other = rng.sample("abcd", 2)
    if kind == "table":
        return Gate(kind=kind, inputs=(one, other), bits=rng.choice(_TABLES))
    return Gate(kind=kind, inputs=(one, other), inverted=(rng.random() < _INVERTED, rng.random() < _INVERTED))


_TABLES = tuple(f"{n:04b}" for n in range(16) if n not in (0b0000, 0b0011, 0b0101, 0b1010, 0b1100, 0b1111))
"""Functions that depend on both inputs."""


_HEAD, _TAIL = f"module {_TOP}(input a,b,c,d,output y);\nassign y=", ";\nendmodule"
_OPEN, _CLOSE = f"```verilog\n{_HEAD}", f"{_TAIL}\n```"


def circuit_vocabulary() -> tuple[list[str], list[str]]:
    """(words, pieces): what is one token each for a model that is trained on nothing else. Pieces are what all answers
    have in common."""
    said = [words.format("a", "b", bits="") for words, _, _ in GATES.values()] + list(JOINS)
    words = {f" {word}" for text in said for word in text.split()} | {f" {name}" for name in "abcd"}
    return ["y", " is", " if", " not", *sorted(words), *"01(){}&|^~;,."], [_OPEN, _CLOSE]


def _module(expression: str) -> str:
    return f"{_HEAD}{expression}{_TAIL}"


def design_as(designer: Designer | None, example: Example, rng: random.Random) -> str:
    """The completion of a designer; None: one of the mixed staff. A careful one notes what each gate does; a hasty one
    notes nothing and overlooks inverted inputs; a guessing one knows the inputs alone. DataError for an example of
    another task.
    """
    if designer is None:
        names, shares = zip(*_STAFF, strict=True)
        (designer,) = rng.choices(names, shares)
    circuit = understood(designer, example, rng)
    notes = ";".join(gate.written() for gate in circuit.gates) if designer == "careful" else ""
    return _said(notes, body(circuit))


def understood(designer: Designer, example: Example, rng: random.Random) -> Circuit:
    """The circuit that a designer takes the description for. DataError for an example of another task."""
    circuit = _circuit(example)
    if designer == "careful":
        return circuit
    changed = _guessed if designer == "guessing" else _plain
    second = circuit.second and changed(circuit.second, rng)
    return circuit.model_copy(update={"first": changed(circuit.first, rng), "second": second})


def _circuit(example: Example) -> Circuit:
    if _SPEC not in example.meta:
        raise DataError(f"example {example.id} is none of world_circuits", remedy="use its own targets")
    return Circuit.model_validate_json(example.meta[_SPEC])


def _plain(gate: Gate, _: random.Random) -> Gate:
    return gate.model_copy(update={"inverted": (False, False)})


def _guessed(gate: Gate, rng: random.Random) -> Gate:
    return _gate(rng.choice(list(GATES)), rng).model_copy(update={"inputs": gate.inputs})


def _said(notes: str, expression: str) -> str:
    return f"<think>{notes}</think><answer>{_OPEN}{expression}{_CLOSE}</answer>"


TASK = Task(
    name="world_circuits",
    summary="generated small circuits, described in words and truth tables, to be written in Verilog; needs no data",
    load=load,
    needs_path=False,
    targets={
        "answer": lambda example, _: _said("", body(_circuit(example))),
        "careful": lambda example, rng: design_as("careful", example, rng),
        "mixed": lambda example, rng: design_as(None, example, rng),
    },
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
