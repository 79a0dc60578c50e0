"""The verifier on one circuit of a benchmark: does the reference equal itself, and which of its mutants are rejected?

A mutant that is accepted may do the same: where Yosys proves that, it counts as no mutant at all. Records hold names,
counts and verdicts, and nothing of the benchmark's texts.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bythebook.hardware import (
    Design,
    Limits,
    Mutant,
    Outcome,
    Plan,
    check_many,
    is_synthesisable,
    mutants,
    prove_equivalent,
    read_design,
    read_reference,
)
from bythebook.readers.verilog import Circuit

__all__ = ["MUTANTS", "measured"]

MUTANTS = 24
"""Tried of each circuit, drawn by its name: one run of the simulator."""


_WHERE, _SAID = re.compile(r"^\S+:\d+: "), 120


def measured(circuit: Circuit, *, most: int = MUTANTS, plan: Plan | None = None, limits: Limits | None = None) -> Any:
    """The record of a circuit: `id`, what the reference beside itself is (`self`, `reason`, and the
    `message` of what is unsupported), whether it is `clocked`
    and `synthesisable` (None without Yosys), `made` and `tried` mutants, and by their kind those `rejected`, `proven`
    equivalent, and `missed`; `seconds`. InputError where Icarus Verilog is not installed.
    """
    began = time.monotonic()
    plan, limits = plan or Plan(), limits or Limits()
    itself = check_many(circuit.reference, [circuit.reference], plan=plan, limits=limits)[0]
    row: dict[str, Any] = {"id": circuit.id, "self": itself.kind, "reason": itself.reason}
    if itself.kind != "equivalent":
        row["message"] = _WHERE.sub("", itself.message.partition("\n")[0])[:_SAID]
    read = read_reference(circuit.reference)
    if itself.kind == "equivalent" and not isinstance(read, Outcome):
        every = mutants(read.design, read.clocking)
        rng = random.Random(f"bythebook mutants/{circuit.id}")
        tried = every if len(every) <= most else rng.sample(every, most)
        row |= {
            "clocked": read.clocking.clock is not None,
            "compared": itself.compared,
            "synthesisable": is_synthesisable(read.design, limits),
            "made": len(every),
            "tried": len(tried),
            **_sorted(circuit, read.design, tried, plan, limits),
        }
    return row | {"seconds": round(time.monotonic() - began, 2)}


def _sorted(
    circuit: Circuit, design: Design, tried: Sequence[Mutant], plan: Plan, limits: Limits
) -> dict[str, dict[str, int]]:
    """Mutants by what became of them and by kind."""
    found: dict[str, Counter[str]] = {"rejected": Counter(), "proven": Counter(), "missed": Counter()}
    outcomes = check_many(circuit.reference, [m.source for m in tried], plan=plan, limits=limits)
    for mutant, outcome in zip(tried, outcomes, strict=True):
        fate = "rejected"
        if outcome.kind == "equivalent" or outcome.about_reference:
            other = read_design(mutant.source, design.top.name)
            same = isinstance(other, Design) and prove_equivalent(design, other, limits) == "proven"
            fate = "proven" if same else "missed"
        found[fate][mutant.operator] += 1
    return {fate: dict(sorted(counts.items())) for fate, counts in found.items()}
