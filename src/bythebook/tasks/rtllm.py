"""RTLLM: designs by description, in folders.

What a candidate does is compared with the reference by `hardware.equivalence` and Icarus Verilog, not by the test
benches of the benchmark, which were made for VCS: scores are not those of its publications. See `readers.verilog`.
"""

from __future__ import annotations

from bythebook.readers.verilog import read_rtllm
from bythebook.tasks.circuits import circuit_task

__all__ = ["TASK"]

TASK = circuit_task("rtllm", "RTLLM: designs by description; a simulator compares them with a reference", read_rtllm)
