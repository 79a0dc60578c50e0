"""CodeV-R1's reward in the real trainer: circuits are simulated in batches, and accuracy is what is paid."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_runs import small

from bythebook.errors import InputError
from bythebook.hardware import check_many, checked, forget_checks, has_simulator
from bythebook.recipe import load_recipe
from bythebook.records import read_records
from bythebook.stats.draws import RULES
from bythebook.training import train

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
SCRATCH = (
    "warm_start=null",
    "model.path=scratch",
    "model.scratch={hidden_size: 16, layers: 1, heads: 1, head_size: 16, lookup_heads: false, words: world_circuits}",
    "data.options={train: 8}",
    "rollout.prompts_per_step=2",
    "rollout.num_generations=2",
    "rollout.max_completion_length=8",
    "rollout.refill.max_prompts=4",
    "training.batch_size=4",
    "training.micro_batch_size=4",
    "training.max_steps=2",
)


def test_without_a_simulator_it_is_said_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bythebook.training.run.load_for_training", None)
    with pytest.raises(InputError, match=r"neither iverilog nor vvp can be found.*apt install iverilog"):
        train(load_recipe("codev_r1_tiny", SCRATCH), output=tmp_path / "run", quiet=True)


def test_fine_tuning_alone_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sizes = ("training.max_steps=1", "training.batch_size=2", "training.micro_batch_size=2", "evaluation.every=0")
    settings = ("data.options={train: 4}", *SCRATCH[2:3], *sizes)
    train(load_recipe("codev_r1_start_tiny", settings), output=tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / "model").is_dir()


@pytest.mark.slow
@needs_icarus
@pytest.mark.parametrize("options", ["{}", "{plan: {vectors: 60}, limits: {seconds: 20}}"], ids=["default", "own"])
def test_what_is_paid_is_accuracy_and_the_simulator_runs_once_a_circuit(
    tmp_path: Path, fixtures: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    forget_checks()
    calls: list[tuple[str, tuple[str, ...]]] = []

    def counted(reference: str, candidates: list[str], **settings: object) -> object:
        calls.append((reference, tuple(candidates)))
        return check_many(reference, candidates, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(checked, "check_many", counted)
    recipe = small("codev_r1_tiny", tmp_path, fixtures, f"reward.options={options}")
    train(recipe, output=tmp_path / "run", quiet=True)
    records = read_records(tmp_path / "run" / "records" / "rollouts.jsonl")
    assert all(r.value == float(bool(r.correct)) for r in records)
    assert {r.value for r in records} == {0.0, 1.0}
    checks = [(reference, candidate) for reference, candidates in calls for candidate in candidates]
    assert len(checks) == len(set(checks))
    # All the completions of a circuit in a round are one run of the simulator.
    rounds = {(r.step, r.tags.get("round"), r.id) for r in records}
    assert len(calls) <= len(rounds)


def test_every_rule_of_refill_is_one_of_a_recipe() -> None:
    for rule in RULES:
        recipe = load_recipe("codev_r1_tiny", [f"rollout.refill.rule={rule}"])
        assert recipe.rollout is not None
        assert recipe.rollout.refill is not None
        assert recipe.rollout.refill.rule == rule
