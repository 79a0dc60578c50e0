"""VerilogEval: descriptions of modules, in version 1 (JSON lines) or 2 (a folder of files).

What a candidate does is compared with the reference by `hardware.equivalence`, not by the benchmark's test benches, so
that scores are not those of its leaderboard. See `readers.verilog`.
"""

from __future__ import annotations

from bythebook.readers.verilog import read_verilog_eval
from bythebook.tasks.circuits import circuit_task

__all__ = ["TASK"]

TASK = circuit_task(
    "verilog_eval", "VerilogEval: modules by description; a simulator compares them with a reference", read_verilog_eval
)
