"""Side-by-side speed: both sides in one run, in turns, medians.

Every bench gives `{"ours_s", "peer_s", "ratio", "peak_memory_ratio", "max_relative_error", "setting"}`; ratios are the
peer's figure divided by ours, None where there is none. Further keys are a bench's own.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

from bythebook.errors import InputError

__all__ = ["BENCHES", "interleaved", "peak_bytes", "print_bench", "run_bench"]

Work = Callable[[], object]


def interleaved(works: Sequence[Work], rounds: int) -> list[float]:
    """Median seconds of each piece of work, every round doing all of them in turn, after one round unmeasured."""
    seconds: list[list[float]] = [[] for _ in works]
    for number in range(rounds + 1):
        for measured, work in zip(seconds, works, strict=True):
            started = time.perf_counter()
            work()
            if number:
                measured.append(time.perf_counter() - started)
    return [statistics.median(measured) for measured in seconds]


def peak_bytes(work: Work) -> int:
    """Most bytes that Python allocated at once during the work, beyond what was there before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _scoring(rounds: int) -> dict[str, Any]:
    from bythebook.studies.bench_scoring import bench_scoring

    return bench_scoring(rounds=rounds)


BENCHES: dict[str, Callable[[int], dict[str, Any]]] = {"scoring": _scoring}


def run_bench(name: str, rounds: int) -> dict[str, Any]:
    """The bench of that name. InputError if there is none."""
    if name not in BENCHES:
        raise InputError(f"no bench {name!r}", remedy=f"there are: {', '.join(BENCHES)}")
    return BENCHES[name](rounds)


def print_bench(found: dict[str, Any]) -> None:
    """The figures of a bench, one a line."""
    from rich.console import Console

    console = Console()
    for key, value in found.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        console.print(f"{key:<20} {shown}", highlight=False, markup=False, soft_wrap=True)
