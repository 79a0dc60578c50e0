"""Side-by-side speed: both sides in one run, in turns, medians.

Every bench gives `{"ours_s", "peer_s", "ratio", "peak_memory_ratio", "max_relative_error", "setting"}`; ratios are the
peer's figure divided by ours, None where there is none. Further keys are a bench's own.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from bythebook.errors import InputError, MissingExtraError

__all__ = ["BENCHES", "OPTIONS", "interleaved", "peak_bytes", "print_bench", "run_bench", "surroundings"]

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


def surroundings(*packages: str) -> dict[str, Any]:
    """What a setting says of where it ran: versions and processors."""
    known = {package: version(package) for package in packages}
    return {"python": platform.python_version(), **known, "machine": platform.machine(), "processors": os.cpu_count()}


def _scoring(rounds: int = 7) -> dict[str, Any]:
    """full verdicts beside TRL's reward functions"""
    from bythebook.studies.bench_scoring import bench_scoring

    return bench_scoring(rounds=rounds)


def _train(**options: Any) -> dict[str, Any]:
    """a step of GRPO beside that of TRL's trainer"""
    from bythebook.studies.bench_train import bench_train

    return bench_train(**options)


def _rollout(**options: Any) -> dict[str, Any]:
    """the rollouts of a step beside transformers' generate"""
    from bythebook.studies.bench_rollout import bench_rollout

    return bench_rollout(**options)


def _annotate(**options: Any) -> dict[str, Any]:
    """200 sentences under one guideline beside transformers' generate"""
    from bythebook.studies.bench_annotate import bench_annotate

    return bench_annotate(**options)


def _growth(**options: Any) -> dict[str, Any]:
    """a step of GRPO by the length of the guideline, the group and the completion"""
    from bythebook.studies.bench_growth import bench_growth

    return bench_growth(**options)


BENCHES: dict[str, Callable[..., dict[str, Any]]] = {
    "scoring": _scoring,
    "train": _train,
    "rollout": _rollout,
    "annotate": _annotate,
    "growth": _growth,
}
_SHAPE = ("model", "vocabulary", "device", "dtype", "threads", "quick", "rounds")
OPTIONS: dict[str, tuple[str, ...]] = {
    "scoring": ("rounds",),
    "train": (*_SHAPE, "group", "guideline_tokens", "completion_tokens", "loss_type", "micro_batch"),
    "rollout": (*_SHAPE, "group", "guideline_tokens", "completion_tokens"),
    "annotate": _SHAPE,
    "growth": (*_SHAPE, "loss_type", "micro_batch", "output"),
}
"""The options of each bench."""


def run_bench(name: str, **options: Any) -> dict[str, Any]:
    """The bench of that name. InputError if there is none, or for an option that it doesn't have; MissingExtraError
    without the libraries of models."""
    if name not in BENCHES:
        raise InputError(f"no bench {name!r}", remedy=f"there are: {', '.join(BENCHES)}")
    if foreign := [option for option in options if option not in OPTIONS[name]]:
        named = ", ".join("--" + option.replace("_", "-") for option in OPTIONS[name])
        raise InputError(f"the bench {name!r} has no --{foreign[0].replace('_', '-')}", remedy=f"it has: {named}")
    if name != "scoring" and find_spec("trl") is None:
        raise MissingExtraError(f"the bench {name!r}", "train")
    return BENCHES[name](**options)


def print_bench(found: dict[str, Any]) -> None:
    """The figures of a bench, one a line."""
    from rich.console import Console

    console = Console()
    for key, value in found.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        console.print(f"{key:<20} {shown}", highlight=False, markup=False, soft_wrap=True)
