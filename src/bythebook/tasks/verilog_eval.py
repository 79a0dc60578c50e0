"""VerilogEval: descriptions of modules, in version 1 (JSON lines) or 2 (a folder of files).

What a candidate does is compared with the reference by `hardware.equivalence`, not by the benchmark's test benches, so
that scores are not those of its leaderboard. See `readers.verilog`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.verilog import read_verilog_eval
from bythebook.tasks.base import Task
from bythebook.tasks.circuits import circuit_example, in_form
from bythebook.types import Example

__all__ = ["TASK", "check", "load"]


def load(path: Path | str | None) -> dict[str, list[Example]]:
    """All problems are the split `test`. DataError for the first fault, or a missing path."""
    if path is None:
        raise DataError("the task verilog_eval reads a path", remedy="--path FOLDER")
    faults = Faults()
    circuits = read_verilog_eval(path, faults)
    faults.refuse()
    return {"test": [circuit_example(c, "verilog_eval", "test") for c in circuits]}


def check(path: Path | str) -> dict[str, Any]:
    """Every fault of every problem."""
    faults = Faults()
    return faults.beside({"test": read_verilog_eval(path, faults)})


TASK = Task(
    name="verilog_eval",
    summary="VerilogEval: modules by description; a simulator compares them with a reference",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": in_form},
    in_domain=("test",),
)
