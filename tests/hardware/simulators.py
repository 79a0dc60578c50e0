"""Marks for tests that run a simulator or a prover."""

from __future__ import annotations

import pytest

from bythebook.hardware import Limits, has_prover, has_simulator

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
needs_yosys = pytest.mark.skipif(not has_prover(), reason="yosys is not installed (Debian: apt install yosys)")
SHORT = Limits(seconds=3)
