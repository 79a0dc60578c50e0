"""RTLLM: designs by description, in folders.

What a candidate does is compared with the reference by `hardware.equivalence` and Icarus Verilog, not by the test
benches of the benchmark, which were made for VCS: scores are not those of its publications. See `readers.verilog`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.verilog import read_rtllm
from bythebook.tasks.base import Task
from bythebook.tasks.circuits import circuit_example, in_form
from bythebook.types import Example

__all__ = ["TASK", "check", "load"]


def load(path: Path | str | None) -> dict[str, list[Example]]:
    """All designs are the split `test`. DataError for the first fault, or a missing path."""
    if path is None:
        raise DataError("the task rtllm reads a path", remedy="--path FOLDER")
    faults = Faults()
    circuits = read_rtllm(path, faults)
    faults.refuse()
    return {"test": [circuit_example(c, "rtllm", "test") for c in circuits]}


def check(path: Path | str) -> dict[str, Any]:
    """Every fault of every design."""
    faults = Faults()
    return faults.beside({"test": read_rtllm(path, faults)})


TASK = Task(
    name="rtllm",
    summary="RTLLM: designs by description; a simulator compares them with a reference",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": in_form},
    in_domain=("test",),
)
