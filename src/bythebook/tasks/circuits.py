"""Circuits to be written in Verilog, as examples: what the tasks of this kind share."""

from __future__ import annotations

import random

from bythebook.errors import DataError
from bythebook.hardware.design import under_name
from bythebook.readers.verilog import Circuit
from bythebook.tasks.asking import how_to_answer
from bythebook.types import Example

__all__ = ["circuit_example", "in_form"]

_HOW = (
    "Write the Verilog module that is asked for. First think it through inside <think> and </think>: ports, clock, "
    "resets, and what happens in each case. Then give the whole module, and all modules that it uses, inside <answer> "
    "and </answer>, in one fence that begins with ```verilog. Use no system tasks, no delays and no test bench."
)


def circuit_example(circuit: Circuit, task: str, split: str) -> Example:
    """A circuit as a question whose reference is a module of the name that is asked for."""
    return Example(
        id=f"{task}-{circuit.id}",
        text=f"{circuit.description.strip()}\n\nThe module is called {circuit.top}.",
        guideline=how_to_answer("circuits", _HOW),
        domain=circuit.category,
        split=split,
        sub_task="question",
        reference=under_name(circuit.reference, circuit.top),
        meta={"top": circuit.top},
    )


def in_form(example: Example, _: random.Random) -> str:
    """The reference in the form of an answer, without thinking. DataError where there is none."""
    if example.reference is None:
        raise DataError(f"example {example.id} has no reference", remedy="fine-tuning needs answers")
    return f"<think>\n</think>\n<answer>\n```verilog\n{example.reference.strip()}\n```\n</answer>"
