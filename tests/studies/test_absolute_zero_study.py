"""The miniature of Absolute Zero: its arms, what it asks, how answers are judged, and its tables."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.generation import ModelSettings, Sampling
from bythebook.recipe import load_recipe
from bythebook.records import Record, read_records, write_jsonl
from bythebook.sandbox import Sandbox
from bythebook.studies.absolute_zero.arms import ARMS, CLAIMS, KINDS_ASKED, QUICK, SPLITS, START, PlaySize
from bythebook.studies.absolute_zero.experiments import expected_seconds, run_experiments
from bythebook.studies.absolute_zero.results import keep_experiments, results, verdicts
from bythebook.studies.absolute_zero.work import ASKED, is_done, recipe_of, solved
from bythebook.tasks.world.programs import load, write_as
from bythebook.types import Completion

ARM = {arm.name: arm for arm in ARMS}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(lanes=1, seeds=(1,)) as found:
        yield found


def test_claims_are_about_arms_and_tests_that_there_are() -> None:
    assert {name for c in CLAIMS for name in (c.better, *c.than)} <= set(ARM)
    assert {c.split for c in CLAIMS} <= set(SPLITS)


def test_the_solver_alone_learns_from_as_many_answers_as_in_self_play(tmp_path: Path) -> None:
    rows = {}
    for name in ("self_play", "solver", "common", "released"):
        recipe = recipe_of(ARM[name], 1, PlaySize(), tmp_path)
        assert recipe.seed == 1
        assert recipe.model.path == str(tmp_path / "arms" / START / "model")
        rollout = recipe.rollout
        assert rollout is not None
        assert rollout.self_play is not None
        rows[name] = rollout.prompts_per_step * rollout.num_generations
        assert (rollout.self_play.roles == "solver") == (name == "solver")
        assert (rollout.self_play.baseline == "batch") == (name == "common")
    assert rows == {"self_play": 96, "common": 96, "released": 96, "solver": 48}


def test_the_release_differs_in_two_things_alone(tmp_path: Path) -> None:
    ours, theirs = (recipe_of(ARM[name], 0, PlaySize(), tmp_path).model_dump() for name in ("self_play", "released"))
    assert theirs["reward"]["options"]["proposer"]["unlearnable"] == -0.5
    assert theirs["objective"]["advantages_by"] == "task_relative_tokens"
    theirs["reward"]["options"]["proposer"]["unlearnable"] = 0.0
    theirs["objective"]["advantages_by"] = "task_relative"
    assert theirs == ours


def test_a_start_has_its_stages_and_other_exercises_in_every_seed(tmp_path: Path) -> None:
    size = PlaySize()
    recipes = [recipe_of(ARM[START], seed, size, tmp_path) for seed in (0, 1)]
    assert [r.data.options["seed"] for r in recipes] == [5000, 5001]
    assert [r.data.also[0].options["seed"] for r in recipes] == [6000, 6001]
    for recipe in recipes:
        t, careful = recipe.training, recipe.data.also[0]
        assert t.max_steps == size.careful_steps + size.start_steps
        assert careful.steps == size.careful_steps
        assert careful.options["care"] == 1
        assert recipe.data.options["train"] == size.start_steps * t.batch_size
    assert recipes[0].data.also[0].options == load_recipe("absolute_zero_start_tiny").data.also[0].options
    assert expected_seconds("self_play", PlaySize()) > expected_seconds("self_play", QUICK)


class Scripted:
    """Answers by the book with one seed, and with a guess otherwise."""

    name, prefilled, settings = "scripted", False, ModelSettings(template="short")

    def __init__(self, examples: Sequence[Any]) -> None:
        self.examples = examples

    def generate(self, prompts: Sequence[Any], sampling: Sampling, *_: Any, **__: Any) -> list[list[Completion]]:
        care = "careful" if sampling.greedy else "guess"
        rng = random.Random(0)
        assert [p[0]["content"] for p in prompts] == [e.text.strip() for e in self.examples]
        return [[Completion(text=write_as(care, e, rng)) for _ in range(sampling.n)] for e in self.examples]


def test_the_sandbox_judges_greedy_and_drawn_answers(sandbox: Sandbox) -> None:
    examples = load(id=30)["id"]
    model: Any = Scripted(examples)
    records = solved(model, examples, sandbox, samples=2, seed=0)
    greedy = [r for r in records if r.sample == -1]
    assert len(records) == 90
    assert len(greedy) == 30
    assert all(r.correct and r.well_formed for r in greedy)
    drawn = [r for r in records if r.sample >= 0]
    assert {r.sample for r in drawn} == {0, 1}
    assert 0 < sum(bool(r.correct) for r in drawn) < 30
    assert {r.status for r in drawn} == {"ok", "wrong"}


# ---------------------------------------------------------------------------------------------------------- tables


def record(number: int, kind: str, sample: int, right: bool) -> Record:
    return Record(
        schema="bythebook.prediction/1",
        id=f"{kind}-{number}",
        domain=kind,
        sample=sample,
        correct=right,
        well_formed=True,
        status="ok" if right else "wrong",
        completion="never kept",
        tags={"guideline_id": f"{kind}-{number}", "length": "1"},
    )


def a_run(folder: Path, seeds: int, better: str = "self_play") -> None:
    """Records in which one arm answers more than the others, above all in deduction."""
    for seed in range(seeds):
        run, rng = folder / f"seed{seed}", random.Random(seed)
        run.mkdir(parents=True)
        note = {"system": "absolute_zero", "seed": seed, "size": {}}
        (run / "size.json").write_text(json.dumps(note), encoding="utf-8")
        (run / "environment.json").write_text("{}", encoding="utf-8")
        for arm in ARM:
            for split in ASKED:
                share = 0.8 if arm == better else 0.4
                rows = [
                    record(n, kind, sample, rng.random() < (share if kind == "deduction" else 0.4))
                    for kind in KINDS_ASKED
                    for n in range(40)
                    for sample in (-1, 0, 1)
                ]
                write_jsonl(run / "records" / f"{arm}.{split}.jsonl", rows)
            metrics = [{"step": s, "loss": 0.1, "reward": s / 4, "solver_deduction_ok": 0.25} for s in range(4)]
            write_jsonl(run / "arms" / arm / "metrics.jsonl", metrics)


def test_tables_and_verdicts_come_from_kept_records(tmp_path: Path) -> None:
    a_run(tmp_path / "run", 3)
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    kept = [read_records(file) for file in (tmp_path / "kept").rglob("*.jsonl.gz")]
    assert len(kept) == 3 * len(ARMS) * (len(ASKED) + len(KINDS_ASKED))
    assert all(r.completion is None for rows in kept for r in rows)
    found = {claim["claim"]: claim for claim in verdicts(tmp_path / "kept")}
    assert len(found) == len(CLAIMS)
    assert found["It does so in deduction"]["verdict"] == "confirmed"
    assert found["It does so in induction"]["verdict"] == "not seen here"
    assert found["It does so in deduction"]["test"] == SPLITS["deduction"]
    page = results(tmp_path / "kept")
    assert "| self-play, as in the paper |" in page
    assert "0.25 → 0.25 → 0.25 → 0.25" in page
    assert page == results(tmp_path / "kept")


def test_one_seed_tests_nothing_and_no_records_are_told(tmp_path: Path) -> None:
    a_run(tmp_path / "run", 1)
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    assert {claim["verdict"] for claim in verdicts(tmp_path / "kept")} == {"cannot be tested at this size"}
    with pytest.raises(InputError, match="holds no kept records"):
        results(tmp_path)


@pytest.mark.slow
def test_a_small_run_of_everything(tmp_path: Path) -> None:
    said: list[str] = []
    run_experiments(tmp_path / "run", seeds=1, size=QUICK, workers=1, say=said.append)
    assert all(is_done(tmp_path / "run" / "seed0", name) for name in ARM)
    assert "seed 0, released: done" in said[-1]
    keep_experiments(tmp_path / "run", tmp_path / "kept")
    assert "### Proposer and solver, by quarters" in results(tmp_path / "kept")
