"""All arms of a miniature over seeds; what is done is kept, whenever the command was stopped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from bythebook.recipe import load_recipe
from bythebook.studies.miniature.arms import Arm, Miniature, Questions, Size
from bythebook.studies.miniature.work import is_done, run_arm
from bythebook.studies.schedule import run_seeds

__all__ = ["expected_seconds", "run_experiments"]

_ROLLOUT, _UPDATE, _ROW, _ANSWER, _START = 0.006, 0.003, 0.026, 0.005, 8.0
"""Seconds on one core, measured: a rollout, its share of an update, a row of fine-tuning, a completion in a test,
loading everything."""


def expected_seconds(arm: Arm, size: Size, questions: Questions | None = None) -> float:
    """About how long an arm takes on one core like ours."""
    questions = questions or Questions()
    asked = sum(questions.sizes(size).values()) * (questions.drawn(size) + 1)
    rollouts = rows = 0
    if arm.recipe is not None:
        recipe = load_recipe(arm.recipe, arm.overrides)
        if r := recipe.rollout:
            rollouts = arm.max_steps(size) // arm.updates * r.prompts_per_step * r.num_generations
        else:
            rows = arm.max_steps(size) * recipe.training.batch_size
        if (e := recipe.evaluation).choose_on:
            asked += e.limit * (1 + arm.max_steps(size) // e.every)
    return _START + (_ROLLOUT + _UPDATE * arm.updates) * rollouts + _ROW * rows + _ANSWER * asked


def run_experiments(
    miniature: Miniature,
    output: Path,
    *,
    seeds: int = 3,
    size: Size | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run every arm with seeds 0 … seeds − 1 into `<output>/seed<n>`; `say` gets a line of progress. InputError for a
    folder that holds runs of another size or system."""
    size = size or Size()
    run_seeds(
        output,
        [arm.name for arm in miniature.arms],
        partial(run_arm, miniature.system),
        seeds=seeds,
        size=size,
        done=is_done,
        seconds=lambda name: expected_seconds(miniature.arm(name), size, miniature.questions),
        ready=lambda folder, name: _ready(miniature.arm(name), folder),
        workers=workers,
        say=say,
        refusal="another system, size or seed",
        system=miniature.system,
    )


def _ready(arm: Arm, folder: Path) -> bool:
    return all(is_done(folder, before) for before in (arm.after, arm.begins_with) if before)
