"""Every miniature goes through the trainer it names, with shared prefixes, and its steps are those of the plain path.

Compared are, in single precision and step by step, losses to 1e-5, gradients to 1e-3 of their norm, every metric, and
the reward of every rollout. Rewards that the model itself computes, log-probs of the reference and of the policy that
sampled, and the critic's values are computed anew by the plain path. It pads prompts on the left, which moves their
positions, and rotary angles are rounded to single precision: the embedded model for joint extraction, whose heads look
things up by large products, shows that most, with 2e-4.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import Run, run, small

from bythebook.hardware import has_simulator
from bythebook.recipe import load_recipe, recipe_names
from bythebook.records import read_jsonl, read_records

pytestmark = pytest.mark.slow

TINY = [name for name in recipe_names() if "_tiny" in name and "_images_" not in name]
"""Prefixes with pictures are not shared: those are in test_pictures_training."""
BY_RL = [name for name in TINY if load_recipe(name).method == "rl"]
STARTS = {str(load_recipe(name).warm_start) for name in BY_RL} - {"None"}
BY_SFT = sorted(({*TINY} - {*BY_RL}) | STARTS)
PACKED = [name for name in BY_SFT if load_recipe(name).training.sentences_per_row > 1]
ONE_EACH = ("scier_sft_tiny",)
"""Whose guideline has its types in another order for every sentence, so that each is a row of its own."""
LITTLE_IN_COMMON = {"absolute_zero_tiny": 0.02}
"""Shares of tokens that prompts have in common where every rollout has a problem of its own."""
GRADIENT = 1e-3


def test_there_are_miniatures_of_both_kinds() -> None:
    assert len(BY_RL) >= 10
    assert len(BY_SFT) >= 5
    assert len(PACKED) >= 4


def metrics_of(output: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_jsonl(output / "metrics.jsonl") if "grad_norm" in row]


def assert_it_learnt(found: Run, output: Path) -> None:
    steps = len(found.gradients)
    assert steps >= 3
    assert len(found.losses) == steps
    assert all(map(math.isfinite, found.losses))
    assert found.moved() > 0.5
    assert sum(row["grad_norm"] > 0 for row in metrics_of(output)) >= 2


def assert_same_steps(ours: Run, plain: Run) -> None:
    assert len(ours.gradients) == len(plain.gradients)
    assert plain.losses == pytest.approx(ours.losses, rel=1e-5, abs=1e-6)
    for found, wanted in zip(ours.gradients, plain.gradients, strict=True):
        assert found.keys() == wanted.keys()
        apart = math.hypot(*(float((found[name] - wanted[name]).norm()) for name in wanted))
        assert apart <= GRADIENT * math.hypot(*(float(g.norm()) for g in wanted.values()))


@pytest.mark.parametrize("name", BY_RL)
def test_rl_learns_with_shared_prefixes_what_it_learns_without(name: str, tmp_path: Path, fixtures: Path) -> None:
    if load_recipe(name).data.task == "world_circuits" and not has_simulator():
        pytest.skip("iverilog is not installed (Debian: apt install iverilog)")
    ours = run(small(name, tmp_path, fixtures), tmp_path / "ours")
    assert ours.trainer.shares_prefix
    assert_it_learnt(ours, tmp_path / "ours")
    assert len(ours.rollouts) >= 2
    records = read_records(tmp_path / "ours" / "records" / "rollouts.jsonl")
    assert any(record.advantage for record in records)
    rows = metrics_of(tmp_path / "ours")
    assert all(row["tokens_saved"] > LITTLE_IN_COMMON.get(name, 0.3) for row in rows)

    plain = run(small(name, tmp_path, fixtures, "rollout.share_prefix=false"), tmp_path / "plain", follows=ours)
    assert not plain.trainer.shares_prefix
    assert len(plain.rollouts) == len(ours.rollouts)
    again = read_records(tmp_path / "plain" / "records" / "rollouts.jsonl")
    assert [(r.id, r.completion, r.status) for r in again] == [(r.id, r.completion, r.status) for r in records]
    assert [r.value for r in again] == pytest.approx([r.value for r in records], abs=1e-5)
    assert_same_steps(ours, plain)
    for found, wanted in zip(metrics_of(tmp_path / "plain"), rows, strict=True):
        assert {name for name in wanted if name not in found} <= {"tokens_saved", "prefix_recomputed"}
        assert found == pytest.approx({name: wanted[name] for name in found}, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("share", ["true", "false"])
def test_a_coin_that_never_pays_moves_nothing(share: str, tmp_path: Path, fixtures: Path) -> None:
    """Spurious Rewards at γ = 0: loss and gradient are exactly 0, in updates after the first one, too."""
    never = ("reward.options.p=0", f"rollout.share_prefix={share}")
    found = run(small("spurious_tiny", tmp_path, fixtures, *never), tmp_path / "run")
    assert len(found.losses) > 8
    assert set(found.losses) == {0.0}
    assert all(g.eq(0).all() for step in found.gradients for g in step.values())
    assert found.moved() == 0


@pytest.mark.parametrize("name", BY_SFT)
def test_sft_learns(name: str, tmp_path: Path, fixtures: Path) -> None:
    recipe = small(name, tmp_path, fixtures)
    found = run(recipe, tmp_path / "run")
    assert_it_learnt(found, tmp_path / "run")
    assert found.losses[-1] < found.losses[0]


@pytest.mark.parametrize("name", PACKED)
def test_sentences_in_one_row_are_learnt_as_they_are_alone(name: str, tmp_path: Path, fixtures: Path) -> None:
    trainer = run(small(name, tmp_path, fixtures), tmp_path / "packed").trainer
    rows = [dict(row) for row in trainer.train_dataset]
    alone = [sentence for row in rows for sentence in sentences_of(row)]
    assert (len(alone) > len(rows)) is (name not in ONE_EACH)
    losses, gradients = [], []
    for batch in (rows, alone):
        trainer.model.zero_grad()
        loss = trainer.compute_loss(trainer.model, trainer.data_collator(batch))
        loss.backward()
        losses.append(loss.item())
        gradients.append(torch.cat([p.grad.flatten() for p in trainer.model.parameters()]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert (gradients[0] - gradients[1]).norm() <= GRADIENT * gradients[1].norm()


def sentences_of(row: dict[str, list[int]]) -> list[dict[str, list[int]]]:
    """A packed row, taken apart into rows of one sentence each."""
    found = []
    for number in range(1, max(row["segments"]) + 1):
        own = [i for i, segment in enumerate(row["segments"]) if segment in (0, number)]
        found.append({column: [values[i] for i in own] for column, values in row.items()})
    return [{**sentence, "segments": [min(s, 1) for s in sentence["segments"]]} for sentence in found]
