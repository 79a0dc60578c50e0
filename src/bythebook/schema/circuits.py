"""The gold of a circuit to be written: a reference module, in the form of an RL engine's column."""

from __future__ import annotations

from typing import Self

from bythebook.schema.answers import AnswerGold
from bythebook.types import Example

__all__ = ["CIRCUIT", "CircuitGold"]

CIRCUIT = "circuit_top"
"""Under this key of its `meta` an example names the module that is asked for."""


class CircuitGold(AnswerGold):
    """A description with a reference module, `reference`, and further right ones, `accepted`. An answer is right if it
    does what one of them does (`hardware.equivalence`), however it is written."""

    circuit_top: str
    """The name of the module that is asked for, and of the reference."""

    @classmethod
    def of(cls, example: Example) -> Self:
        """The gold of an example of a circuit task. ValueError if it has no reference or is of another task."""
        if example.reference is None or CIRCUIT not in example.meta:
            raise ValueError(f"example {example.id} has no reference module")
        return cls(question=example.text, reference=example.reference, circuit_top=example.meta[CIRCUIT])
