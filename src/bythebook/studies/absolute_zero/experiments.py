"""All arms over seeds; what is done is kept, whenever the command was stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bythebook.studies.absolute_zero.arms import ARMS, START, PlaySize
from bythebook.studies.absolute_zero.work import is_done, run_arm
from bythebook.studies.schedule import run_seeds

__all__ = ["expected_seconds", "run_experiments"]

_TUNED, _STEP, _ANSWER, _LOAD = 0.12, 1.5, 0.002, 8.0
"""Seconds on one core, estimated: a step of fine-tuning, a step of self-play, an answer in a test, loading it all."""


def expected_seconds(name: str, size: PlaySize) -> float:
    """About how long an arm takes on one core like ours."""
    asked = size.questions * 1.5 * (size.samples + 1)
    training = _TUNED * (size.careful_steps + size.start_steps) if name == START else _STEP * size.steps
    return _LOAD + training + _ANSWER * asked


def run_experiments(
    output: Path,
    *,
    seeds: int = 3,
    size: PlaySize | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run every arm with seeds 0 … seeds − 1 into `<output>/seed<n>`; `say` gets an estimate, then a line of progress.
    InputError for a folder that holds runs of another size."""
    size = size or PlaySize()
    run_seeds(
        output,
        [arm.name for arm in ARMS],
        run_arm,
        seeds=seeds,
        size=size,
        done=is_done,
        seconds=lambda name: expected_seconds(name, size),
        ready=lambda folder, name: name == START or is_done(folder, START),
        workers=workers,
        say=say,
        system="absolute_zero",
    )
