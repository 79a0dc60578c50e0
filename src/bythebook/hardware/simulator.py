"""Icarus Verilog: a bench compiled by `iverilog` and run by `vvp`, in a temporary folder, under limits."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Literal, NamedTuple

from bythebook.errors import InputError
from bythebook.hardware.processes import Limits, program, run_limited
from bythebook.hardware.testbench import Bench, Report, read_report

__all__ = ["Simulated", "has_simulator", "need_simulator", "simulate"]

_MOST_SAID = 2000


class Simulated(NamedTuple):
    """What became of a bench. `compile`: it was not accepted; `stopped`: the run broke off before its end."""

    status: Literal["done", "compile", "stopped", "timed_out"]
    report: Report | None
    said: str


def has_simulator() -> bool:
    """Whether Icarus Verilog is installed."""
    return program("iverilog") is not None and program("vvp") is not None


def need_simulator() -> None:
    """InputError where Icarus Verilog is not installed."""
    if not has_simulator():
        raise InputError(
            "Verilog is checked by Icarus Verilog, and neither iverilog nor vvp can be found",
            remedy="install it, on Debian with apt install iverilog, or put its folder on PATH",
        )


def simulate(bench: Bench, limits: Limits) -> Simulated:
    """Compile and run a bench, both within one limit of time. InputError where there is no simulator."""
    need_simulator()
    deadline = time.monotonic() + limits.seconds
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for file, text in bench.files.items():
            (folder / file).write_text(text, encoding="utf-8")
        sources = sorted(file for file in bench.files if file.endswith(".v"))
        options = ["-g2012", "-s", bench.top, "-o", "bench.vvp"]
        compiled = run_limited(["iverilog", *options, *sources], folder, limits, deadline, alone=False)
        if compiled.status == "timed_out":
            return Simulated("timed_out", None, "")
        if compiled.status == "failed":
            return Simulated("compile", None, _plain(compiled.said, bench.word))
        ran = run_limited(["vvp", "-n", "bench.vvp"], folder, limits, deadline)
        report = read_report(ran.said, bench.word)
        if report is not None:
            return Simulated("done", report, "")
        return Simulated("timed_out" if ran.status == "timed_out" else "stopped", None, _plain(ran.said, bench.word))


def _plain(said: str, word: str) -> str:
    """Messages with the names as they were before the bench renamed them; two runs say the same."""
    return re.sub(rf"{word}_(?:[cg][0-9]*_)?", "", said[: 2 * _MOST_SAID])[:_MOST_SAID]
