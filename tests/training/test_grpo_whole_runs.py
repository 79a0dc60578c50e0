"""Runs with our loss beside runs with TRL's own, and what a run shows of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM
from trl import GRPOTrainer

from bythebook.generation import embedded_path
from bythebook.objectives.advantages import group_advantages
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import read_jsonl, read_records
from bythebook.training import train
from bythebook.training.objective import ObjectiveTrainer


@pytest.fixture(scope="module", params=["plain", "everything"])
def two_runs(
    request: pytest.FixtureRequest, short_rl: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The run directories of one recipe, with our loss and with TRL's."""
    options = {
        "plain": ["objective.num_iterations=2", "training.max_steps=4"],
        "everything": [
            *("objective.loss_type=dapo", "objective.importance_sampling_level=sequence", "objective.epsilon=0.002"),
            *("objective.delta=1.05", "objective.beta=0.05", "objective.use_bias_correction_kl=true"),
            *("objective.entropy_coef=0.01", "objective.top_entropy_quantile=0.6", "objective.num_iterations=2"),
            *("objective.mask_truncated_completions=true", "rollout.max_completion_length=20"),
            *("training.max_steps=4", "training.micro_batch_size=4"),
        ],
    }
    recipe = short_rl(*options[request.param])
    folder = tmp_path_factory.mktemp(request.param)
    train(recipe, output=folder / "ours", quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("compute_loss", "_get_per_token_logps_and_entropies"):
            patch.setattr(ObjectiveTrainer, name, getattr(GRPOTrainer, name))
        train(recipe, output=folder / "theirs", quiet=True)
    return folder / "ours", folder / "theirs"


def test_a_run_with_our_loss_is_the_run_with_trls(two_runs: tuple[Path, Path]) -> None:
    ours, theirs = ([row for _, row in read_jsonl(run / "metrics.jsonl")] for run in two_runs)
    assert len(ours) == len(theirs) == 4
    for a, b in zip(ours, theirs, strict=True):
        assert set(a) == set(b)
        for name in a:
            assert a[name] == pytest.approx(b[name], rel=1e-3, abs=1e-5), name
    texts = [[r.completion for r in read_records(run / "records/rollouts.jsonl")] for run in two_runs]
    assert texts[0] == texts[1]
    before = AutoModelForCausalLM.from_pretrained(embedded_path()).state_dict()
    mine, trls = (AutoModelForCausalLM.from_pretrained(run / "model").state_dict() for run in two_runs)
    moved = math.sqrt(sum((trls[k] - before[k]).double().square().sum().item() for k in before))
    apart = math.sqrt(sum((trls[k] - mine[k]).double().square().sum().item() for k in before))
    assert moved > 0
    # Adam divides by gradients that are nearly zero, which rounding decides.
    assert apart < 0.01 * moved


def test_metrics_show_clips_and_kl(two_runs: tuple[Path, Path]) -> None:
    run, _ = two_runs
    rows = [row for _, row in read_jsonl(run / "metrics.jsonl")]
    assert all(0 <= row["clip_ratio"] <= 1 for row in rows)
    if load_recipe(run / "recipe.yaml").objective.beta:  # type: ignore[union-attr]
        assert rows[0]["kl"] == pytest.approx(0, abs=1e-6)
        assert rows[-1]["kl"] > 0
    else:
        assert all("kl" not in row for row in rows)


def test_trl_computes_the_advantages_of_our_formula(rl_run: tuple[Recipe, Path]) -> None:
    recipe, output = rl_run
    records = read_records(output / "records/rollouts.jsonl")
    assert recipe.rollout is not None
    assert recipe.objective is not None
    size = recipe.rollout.num_generations
    assert [r.sample for r in records] == list(range(size)) * (len(records) // size)
    values = torch.tensor([r.value for r in records])
    ours = group_advantages(values, size, recipe.objective.scale_rewards)
    assert [r.advantage for r in records] == pytest.approx(ours.tolist(), abs=1e-5)
    assert any(r.advantage for r in records)
