"""MoDoMoDo on our own tasks, through the real trainer: seed runs, what is chosen from them, and its test.

The first round trains on the seed mixtures of three domains and on a few that are drawn. From its runs come the
weights of the heuristics and the choices of the surrogates. The second round trains on these, on the uniform mixture
and on the best seed mixture, with seeds and test questions that nothing was chosen on. Every run starts from one model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bythebook.recipe import load_recipe
from bythebook.records import write_jsonl
from bythebook.studies.mixture.arms import DOMAINS, OUT, START, TESTS, Mixed, Size, first_mixtures
from bythebook.studies.mixture.choose import Settings, choose
from bythebook.studies.mixture.work import (
    CONFIRM,
    MIXTURES,
    SEARCH,
    START_FOLDER,
    is_done,
    make_start,
    row_file,
    run_mixture,
)
from bythebook.studies.schedule import run_seeds
from bythebook.training.resume import finished_model

__all__ = ["SETTINGS", "expected_seconds", "found_in", "run_experiments", "second_mixtures"]

SETTINGS = Settings(target=OUT, inside=tuple(name for name, test in TESTS.items() if test.inside))
_HEURISTICS = ("norm", "coli", "alpha, balanced")
_SAME = 0.01
"""L1 distance within which two mixtures are run once."""
_ROLLOUT, _ROW, _ANSWER, _READY = 0.009, 0.023, 0.005, 4.0
"""Seconds on one core, measured: a rollout with its update, a row of fine-tuning, an answer, loading everything."""


def expected_seconds(name: str, size: Size) -> float:
    """About how long a mixture, or the start, takes on one core like ours."""
    recipe = load_recipe("modomodo_tiny")
    rollouts = size.steps * recipe.rollout.prompts_per_step * recipe.rollout.num_generations if recipe.rollout else 0
    asked = sum(size.questions // (2 if test.inside else 1) for test in TESTS.values()) * size.samples
    return _READY + _ANSWER * asked + (_ROLLOUT * rollouts if name != START else 0)


def run_experiments(
    output: Path,
    *,
    seeds: int = 3,
    size: Size | None = None,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run both rounds into `output`, or what is left of them: the first with seeds 0 … seeds − 1. `say` gets estimates
    and lines of progress. InputError for a folder that holds runs of another size."""
    size = size or Size()
    if size.model is None:
        run_seeds(
            output / START_FOLDER,
            [START_FOLDER],
            make_start,
            seeds=1,
            size=size,
            done=lambda folder, name: finished_model(folder / name) is not None,
            seconds=lambda _: _start_seconds(size),
            say=say,
        )
    _round(output, SEARCH, first_mixtures(size), seeds, size, workers, say)
    write_jsonl(output / "search.jsonl", [found["row"] for found in found_in(output, SEARCH)])
    second = second_mixtures(choose(output / "search.jsonl", SETTINGS))
    _round(output, CONFIRM, second, seeds + size.more_seeds, size, workers, say)


def _start_seconds(size: Size) -> float:
    t = load_recipe("modomodo_start_tiny").training
    return _READY + _ROW * (size.start_steps or t.max_steps) * t.batch_size


def _round(
    output: Path,
    name: str,
    mixtures: Mapping[str, Mixed],
    seeds: int,
    size: Size,
    workers: int | None,
    say: Callable[[str], None],
) -> None:
    run_seeds(
        output / name,
        list(mixtures),
        run_mixture,
        seeds=seeds,
        size=size,
        done=is_done,
        seconds=lambda mixture: expected_seconds(mixture, size),
        workers=workers,
        say=say,
        refusal="another size, or of mixtures that were chosen from other runs",
        mixtures=json.dumps({mixture: list(mixed) for mixture, mixed in mixtures.items()}),  # as MIXTURES
    )


def found_in(output: Path, round_: str) -> list[dict[str, Any]]:
    """What the runs of a round wrote, `row` (see `readers.mixture_runs`) and `training`, seed by seed."""
    found = []
    for folder in sorted((output / round_).glob("seed*"), key=lambda f: int(f.name.removeprefix("seed"))):
        of = json.loads(json.loads(folder.joinpath("size.json").read_text(encoding="utf-8"))[MIXTURES])
        files = [row_file(folder, name) for name in of]
        found += [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    return found


def second_mixtures(found: Mapping[str, Any]) -> dict[str, Mixed]:
    """Those of the second round, from what `choose` found in the first: start, uniform, the best seed mixture, and what
    heuristics and surrogates say. Of several that are the same the first is run."""
    wanted = {START: Mixed({})}
    for row in (found["uniform"], found["best_seed"]):
        wanted.setdefault(row["name"], Mixed(row["weights"]))
    said = [(row["name"], row["weights"], "heuristic") for row in found["heuristics"] if row["name"] in _HEURISTICS]
    said += [(f"{row['surrogate']}, {row['optimizer']}", row["weights"], "surrogate") for row in found["choices"]]
    for name, weights, method in said:
        if weights and not any(_distance(weights, mixed.weights) <= _SAME for mixed in wanted.values()):
            wanted[name] = Mixed(weights, method)
    return wanted


def _distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(abs(one.get(name, 0.0) - other.get(name, 0.0)) for name in DOMAINS)
