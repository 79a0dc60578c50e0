"""Self-play through the trainer: proposals, rates, answers, rewards, advantages by cell, one update; what the sandbox
runs into never reaches the trainer; a resumed run has the same buffers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from run_files import differences
from scripted_play import Players, Watch, scripted, short_play

from bythebook.errors import DataError, RecipeError
from bythebook.objectives.task_relative import released_task_relative_advantages, task_relative_advantages
from bythebook.recipe import Recipe
from bythebook.records import Record, read_jsonl, read_records
from bythebook.tasks.self_play.loop import SeedingError
from bythebook.training import train

CELLS = [(role, kind) for role in ("proposer", "solver") for kind in ("deduction", "abduction", "induction")]


def played(recipe: Recipe, output: Path) -> list[Record]:
    train(recipe, output=output, quiet=True)
    return read_records(output / "records" / "rollouts.jsonl")


def cell_of(record: Record) -> tuple[str, str]:
    return record.tags["role"], record.tags["kind"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Record], Watch]:
    """A run of two steps: its folder, its records, and what was watched."""
    output = tmp_path_factory.mktemp("play") / "run"
    with pytest.MonkeyPatch.context() as patch:
        watch = scripted(patch)
        return output, played(short_play(), output), watch


def test_a_step_has_equally_many_rollouts_of_each_role_and_kind(whole: tuple[Path, list[Record], Watch]) -> None:
    _, records, watch = whole
    assert len(records) == 2 * 24
    assert [cell_of(r) for r in records[:24]] == [cell for cell in CELLS for _ in range(4)]
    assert len({r.id for r in records}) == len(records)
    assert {r.step for r in records} == {0, 1}
    assert [r.sample for r in records] == [0] * 48
    assert watch.trainer.game.sandbox is None  # its interpreters ended with the training


def test_rewards_are_those_of_proposer_and_solver(whole: tuple[Path, list[Record], Watch]) -> None:
    _, records, _ = whole
    values = defaultdict(set)
    for r in records:
        values[r.tags["role"], r.status].add(r.value)
    # One answer of two is right: 1 - 1/2. Invalid or of a bad form: -1.
    assert values["proposer", "ok"] == {0.5}
    assert values["proposer", "wrong"] | values["proposer", "malformed"] == {-1.0}
    assert values["solver", "ok"] == {1.0}
    assert values["solver", "wrong"] <= {-0.5}
    assert values["solver", "malformed"] <= {-1.0}


def test_what_is_valid_is_kept_and_a_step_trains(whole: tuple[Path, list[Record], Watch]) -> None:
    output, records, watch = whole
    for step, sizes in enumerate(watch.sizes):
        valid = [
            sum(r.value != -1.0 for r in records if cell_of(r) == ("proposer", kind) and r.step <= step)
            for kind in ("deduction", "abduction", "induction")
        ]
        assert sizes == [4 + n for n in valid]
    rows = [row for _, row in read_jsonl(output / "metrics.jsonl") if "grad_norm" in row]
    assert len(rows) == 2
    assert all(row["grad_norm"] > 0 for row in rows)
    for row, step in zip(rows, (0, 1), strict=True):
        mine = [r for r in records if r.step == step and cell_of(r) == ("solver", "abduction")]
        assert row["solver_abduction_ok"] == pytest.approx(sum(bool(r.correct) for r in mine) / len(mine))


@pytest.mark.parametrize(
    ("overrides", "common", "tokens"),
    [
        ((), False, False),
        (("rollout.self_play.baseline=batch",), True, False),
        (("objective.advantages_by=task_relative_tokens",), False, True),
    ],
    ids=["cells", "one baseline", "tokens of a cell"],
)
def test_advantages_are_those_of_the_objective(
    overrides: tuple[str, ...], common: bool, tokens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch)
    records = played(short_play("training.max_steps=1", *overrides), tmp_path / "run")
    rewards = torch.tensor([float("nan") if r.value is None else r.value for r in records])
    cells = torch.tensor([0 if common else CELLS.index(cell_of(r)) for r in records])
    longest = max(r.tokens or 0 for r in records)
    mask = torch.tensor([[i < (r.tokens or 0) for i in range(longest)] for r in records])
    if tokens:
        found = released_task_relative_advantages(rewards, mask, cells)
        wanted = (found * mask).sum(dim=1) / mask.sum(dim=1)
    else:
        wanted = task_relative_advantages(rewards, cells)
    assert [r.advantage for r in records] == pytest.approx(wanted.tolist(), abs=1e-5)
    assert any(abs(a) > 0.5 for a in wanted.tolist())


def test_without_proposers_the_buffers_stay_as_they_were_seeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = scripted(monkeypatch)
    records = played(short_play("rollout.self_play.roles=solver"), tmp_path / "run")
    assert watch.sizes == [[4, 4, 4], [4, 4, 4]]
    assert [cell_of(r) for r in records[:24]] == [cell for cell in CELLS[3:] for _ in range(8)]


# ------------------------------------------------------------------------------------------------- hostile programs


class Hostile(Players):
    """Proposes what never ends, eats memory, or has no value; and one good program in two, so that buffers fill."""

    bad = (
        "def f(a):\n    while True:\n        pass",
        "def f(a):\n    return [0] * 10**10",
        "def f(a):\n    return f(a)",
        "def f(a):\n    return lambda: a",
    )

    @staticmethod
    def programs(number: int) -> str:  # type: ignore[override]
        return Hostile.bad[number // 2 % 4] if number % 2 else f"def f(a):\n    return [a, {number}]"


def test_a_program_that_hangs_or_dies_costs_its_proposer_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, Hostile)
    output = tmp_path / "run"
    records = played(short_play("rollout.self_play.wall_s=1", "seed=1"), output)
    assert len(records) == 48
    why = [e for r in records for e in r.errors if r.tags["role"] == "proposer"]
    assert any("timeout" in e for e in why)
    assert all(r.value == -1.0 for r in records if any("timeout" in e for e in r.errors))
    assert any(r.value == 0.5 for r in records)
    assert all(row["grad_norm"] < 1e3 for _, row in read_jsonl(output / "metrics.jsonl") if "grad_norm" in row)


def test_interpreters_killed_from_outside_are_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = scripted(monkeypatch)

    def kill(trainer: Any) -> None:
        sandbox = trainer.game.sandbox
        for worker in (worker for lane in sandbox._workers for worker in lane):
            if worker._process is not None:
                os.killpg(worker._process.pid, signal.SIGKILL)
        time.sleep(0.1)

    watch.at_step = kill
    records = played(short_play(), tmp_path / "run")
    late = [r for r in records if r.step == 1 and r.tags["role"] == "solver"]
    assert sum(bool(r.correct) for r in late) == 6  # one of two, as ever


def test_a_proposer_who_finds_nothing_ends_the_run_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Players):
        def proposal(self, kind: Any, number: int) -> str:
            return "no tags"

    watch = scripted(monkeypatch, Silent)
    with pytest.raises(SeedingError, match="1 of 4 problems of deduction after 2 rounds"):
        played(short_play("rollout.self_play.seeding_rounds=2"), tmp_path / "run")
    assert watch.trainer.game.sandbox is None


# ------------------------------------------------------------------------------------------------------ resumption


def test_a_killed_run_goes_on_with_the_same_buffers_to_the_same_bits(
    run: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = scripted(monkeypatch)
    recipe = short_play("training.max_steps=3", "training.save_steps=1")
    run(recipe, tmp_path / "whole")
    state = watch.trainer.game.state()
    run(recipe, tmp_path / "killed", at=("on_step_begin", 2))
    run(recipe, tmp_path / "killed", resume=True)
    assert watch.trainer.game.state() == state
    assert differences(tmp_path / "whole", tmp_path / "killed") == []


def test_a_state_that_cannot_be_read_is_told(
    run: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch)
    recipe, output = short_play("training.max_steps=3", "training.save_steps=1"), tmp_path / "run"
    run(recipe, output, at=("on_step_begin", 2))
    for file in output.glob("checkpoints/*/self_play.json"):
        file.write_text(json.dumps({"buffers": {"deduction": [1]}}), encoding="utf-8")
    with pytest.raises(DataError, match="state of self-play can't be read"):
        train(recipe, output=output, resume=True, quiet=True)


# --------------------------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("rollout.prompts_per_step=13", "26 rollouts are not equally many of 6"),
        ("rollout.self_play=null", "belong together"),
        ("objective.advantages_by=group", "belong together"),
        ("objective.kl_in_reward=0.1", "kl_in_reward beside rollout.self_play"),
        ("objective.normalise_rewards=true", "normalise_rewards beside rollout.self_play"),
    ],
)
def test_what_does_not_go_together_is_refused(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        short_play(override)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("reward.name=r1_re", "belong together"),
        ("reward.options={guesser: {}}", "options are proposer and solver"),
        ("reward.options={proposer: {unlearnable: -2}}", "invalid < unlearnable"),
    ],
)
def test_rewards_of_other_recipes_and_unknown_options_are_refused(
    override: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch)
    overrides = [override, *(["reward.options={}"] if "r1_re" in override else [])]
    with pytest.raises(RecipeError, match=message):
        train(short_play(*overrides), output=tmp_path / "run", quiet=True)
