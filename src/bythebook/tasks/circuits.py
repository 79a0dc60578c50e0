"""Circuits to be written in Verilog, as examples: what the tasks of this kind share."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.hardware.design import under_name
from bythebook.readers.faults import Faults
from bythebook.readers.verilog import Circuit
from bythebook.schema.circuits import CIRCUIT
from bythebook.tasks.asking import how_to_answer, reference_of
from bythebook.tasks.base import Task
from bythebook.types import Example

__all__ = ["HOW", "circuit_example", "circuit_task", "in_form"]

HOW = (
    "Write the Verilog module that is asked for. First think it through inside <think> and </think>: ports, clock, "
    "resets, and what happens in each case. Then give the whole module, and all modules that it uses, inside <answer> "
    "and </answer>, in one fence that begins with ```verilog. Use no system tasks, no delays and no test bench."
)


def circuit_example(circuit: Circuit, task: str, split: str) -> Example:
    """A circuit as a question whose reference is a module of the name that is asked for."""
    return Example(
        id=f"{task}-{circuit.id}",
        text=f"{circuit.description.strip()}\n\nThe module is called {circuit.top}.",
        guideline=how_to_answer("circuits", HOW),
        domain=circuit.category,
        split=split,
        sub_task="question",
        reference=under_name(circuit.reference, circuit.top),
        meta={CIRCUIT: circuit.top},
    )


def in_form(example: Example, _: random.Random) -> str:
    """The reference in the form of an answer, without thinking. DataError where there is none."""
    return f"<think>\n</think>\n<answer>\n```verilog\n{reference_of(example).strip()}\n```\n</answer>"


def circuit_task(name: str, summary: str, read: Callable[[Path | str, Faults], list[Circuit]]) -> Task:
    """The task of a benchmark that `read` reads from a path."""

    def load(path: Path | str | None, *, split: str = "test") -> dict[str, list[Example]]:
        """All circuits are one split, `test` unless they are to be trained on. DataError for the first fault, or a
        missing path."""
        if path is None:
            raise DataError(f"the task {name} reads a path", remedy="--path FOLDER")
        faults = Faults()
        circuits = read(path, faults)
        faults.refuse()
        return {split: [circuit_example(c, name, split) for c in circuits]}

    def check(path: Path | str) -> dict[str, Any]:
        """Every fault of every circuit."""
        faults = Faults()
        return faults.beside({"test": read(path, faults)})

    return Task(
        name=name,
        summary=summary,
        load=load,
        needs_path=True,
        check=check,
        targets={"answer": in_form},
        in_domain=("test",),
    )
