"""Advantages of the recipe's kind in the trainer, beside formulas over what was recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from drawn_rollouts import Matrix, disturbed, drawn, make_trainer, plain_logp, scores
from replayed_run import replay, replay_rollouts
from run_files import differences

from bythebook.errors import RecipeError
from bythebook.objectives.advantages import group_advantages
from bythebook.objectives.baselines import advantages_by, reinforce_pp_token_advantages
from bythebook.objectives.reward_shaping import normalised_rewards
from bythebook.recipe import ObjectiveSection, Recipe
from bythebook.records import Record, read_jsonl, read_records
from bythebook.training import sharing, train
from bythebook.training.advantages import AdvantageTrainer, Rollouts, completion_means, shaped_advantages
from bythebook.training.grpo import GuidelineGRPOTrainer

GROUP, STEP = 4, 8
PLAYED = ("task_relative", "task_relative_tokens")  # of self-play alone: test_self_play_training
KINDS = [k for k in get_args(ObjectiveSection.model_fields["advantages_by"].annotation) if k not in PLAYED]
MOVED = ("objective.kl_in_reward=0.3", "objective.normalise_rewards=true", "rollout.temperature=0.9")


def _steps(output: Path) -> list[list[Record]]:
    records = read_records(output / "records" / "rollouts.jsonl")
    return [records[i : i + STEP] for i in range(0, len(records), STEP)]


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "group"])
def test_records_hold_the_advantages_of_the_formula(kind: Any, short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    train(short_rl(f"objective.advantages_by={kind}"), output=tmp_path, quiet=True)
    steps = _steps(tmp_path)
    assert len(steps) == 2
    for step in steps:
        rewards = torch.tensor([r.value for r in step])
        expected = advantages_by(kind, rewards, GROUP)
        if kind == "reinforce_pp":  # over tokens: a long completion weighs more in mean and deviation
            mask = torch.tensor([[i < (r.tokens or 0) for i in range(24)] for r in step])
            expected = reinforce_pp_token_advantages(rewards, torch.zeros(mask.shape), mask, 0.0)[:, 0]
        assert [r.advantage for r in step] == pytest.approx(expected.tolist(), abs=1e-5)
    assert len({r.advantage for step in steps for r in step}) > 2
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert all(row["grad_norm"] > 0 for row in rows)
    group = group_advantages(torch.tensor([r.value for r in steps[0]]), GROUP, "group")
    closeness = 1e-5 if kind == "rlpr" else 1e-3  # RLPR's differ from the group's by the constant under the line
    assert [r.advantage for r in steps[0]] != pytest.approx(group.tolist(), abs=closeness)


def test_at_zero_strength_advantages_are_trls_and_nothing_more_is_computed(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(short_rl(), output=tmp_path / "plain", quiet=True)
    zero = ("objective.advantages_by=group", "objective.kl_in_reward=0", "objective.normalise_rewards=false")
    monkeypatch.delattr(AdvantageTrainer, "_learnt_from")
    train(short_rl(*zero, "objective.ppo=null"), output=tmp_path / "named", quiet=True)
    assert differences(tmp_path / "plain", tmp_path / "named") == []


def test_rewards_of_deviation_one_give_grpo_the_same_advantages(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    """Mean and scale go out with those of the group: what comes back through our path is what TRL computes."""
    plain = drawn(make_trainer(short_rl(), tmp_path))["advantages"]
    ours = drawn(make_trainer(short_rl("objective.normalise_rewards=true"), tmp_path))["advantages"]
    assert plain.abs().max() > 0.5
    torch.testing.assert_close(ours, plain, atol=1e-3, rtol=0)


# ----------------------------------------------------------------------------------------- the KL in the reward


def _normalised(rewards: Matrix) -> Matrix:
    return np.asarray((rewards - np.nanmean(rewards)) / np.nanstd(rewards, ddof=1))


def _by_hand(kind: str, rewards: Matrix, log_ratio: Matrix, mask: Matrix, beta: float) -> Matrix:
    """(B, T), from the equations."""
    if kind == "reinforce_pp":
        returns = rewards[:, None] - beta * (log_ratio * mask)[:, ::-1].cumsum(axis=1)[:, ::-1]
        inside = returns[mask.astype(bool)]
        return np.asarray((returns - inside.mean()) / inside.std(ddof=1) * mask)
    paid = rewards - beta * (log_ratio * mask).sum(axis=1)
    groups = paid.reshape(-1, GROUP)
    mean = groups.mean(axis=1, keepdims=True)
    found = {
        "group": lambda: (groups - mean) / (groups.std(axis=1, ddof=1, keepdims=True) + 1e-4),
        "rlpr": lambda: (groups - mean) / (groups.std(axis=1, ddof=1, keepdims=True) + 1e-6),
        "reinforce": lambda: groups,
        "rloo": lambda: groups - (groups.sum(axis=1, keepdims=True) - groups) / (GROUP - 1),
        "reinforce_pp_baseline": lambda: (groups - mean) / (groups - mean).std(ddof=1),
    }[kind]()
    return np.asarray(found.reshape(-1, 1) * mask)


@pytest.mark.parametrize(("kind", "iterations"), [*((kind, 1) for kind in KINDS), ("reinforce", 2)])
def test_the_kl_is_taken_off_the_normalised_reward(
    kind: str, iterations: int, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_rl(*MOVED, f"objective.advantages_by={kind}", f"objective.num_iterations={iterations}")
    trainer = make_trainer(recipe, tmp_path)
    disturbed(trainer.model, 0.1, seed=1)
    batch = drawn(trainer)
    assert ("old_per_token_logps" in batch) == (iterations == 2)  # else they are made for this
    assert trainer.loss_config.beta == 0  # the reference is there for the reward alone
    mask = batch["completion_mask"].numpy().astype(float)
    policy, reference = (plain_logp(m, batch, 0.9) for m in (trainer.model, trainer.ref_model))
    rewards = _normalised(scores(trainer))
    expected = _by_hand(kind, rewards, policy - reference, mask, 0.3)
    found = batch["advantages"].numpy()
    found = found if found.ndim == 2 else found[:, None] * mask
    np.testing.assert_allclose(found, expected, atol=2e-4)
    without = _by_hand(kind, rewards, policy - reference, mask, 0.0)
    assert np.abs(expected - without).max() > 0.05
    sums = ((policy - reference) * mask).sum(axis=1)
    assert trainer._metrics["train"]["reward/kl"] == [pytest.approx(sums.mean(), abs=1e-3)]
    records = read_records(tmp_path / "records" / "rollouts.jsonl")
    means = (found * mask).sum(axis=1) / mask.sum(axis=1)
    assert [r.advantage for r in records] == pytest.approx(means.tolist(), abs=1e-5)


def test_equal_rewards_are_normalised_to_zero_and_move_nothing(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    always = ("reward.name=random", "reward.options={p: 1.0}", "objective.advantages_by=reinforce")
    train(short_rl(*always, "objective.normalise_rewards=true"), output=tmp_path, quiet=True)
    assert {r.advantage for step in _steps(tmp_path) for r in step} == {0.0}
    assert [row["grad_norm"] for _, row in read_jsonl(tmp_path / "metrics.jsonl")] == [0.0, 0.0]
    train(short_rl(*always), output=tmp_path / "as they are", quiet=True)
    assert {r.advantage for step in _steps(tmp_path / "as they are") for r in step} == {3.0}


@pytest.mark.parametrize("kind", ["reinforce", "reinforce_pp"])
def test_shared_prefixes_change_nothing(
    kind: str, short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuidelineGRPOTrainer, "_generate_single_turn", replay)
    monkeypatch.setattr(sharing, "shared_rollouts", replay_rollouts)
    runs = []
    for share in ("true", "false"):
        recipe = short_rl(f"objective.advantages_by={kind}", *MOVED[:2], f"rollout.share_prefix={share}")
        train(recipe, output=tmp_path / share, quiet=True)
        rows = [row for _, row in read_jsonl(tmp_path / share / "metrics.jsonl")]
        assert ("tokens_saved" in rows[0]) == (share == "true")
        runs.append((rows, [r.advantage for step in _steps(tmp_path / share) for r in step]))
    (first, ours), (second, plain) = runs
    assert ours == pytest.approx(plain, abs=1e-4)
    for a, b in zip(first, second, strict=True):
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=1e-3)


# ----------------------------------------------------------------------------------------- the formulas' front


def _objective(short_rl: Callable[..., Recipe], *overrides: str) -> ObjectiveSection:
    found = short_rl(*overrides).objective
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_nothing_could_score_moves_nothing(kind: str, short_rl: Callable[..., Recipe]) -> None:
    generator = torch.Generator().manual_seed(0)
    logp, ref = (torch.randn(STEP, 5, generator=generator) for _ in range(2))
    rewards = torch.tensor([1.0, math.nan, 0.0, 1.0, math.nan, math.nan, 0.5, math.nan])
    mask = torch.ones(STEP, 5, dtype=torch.bool)
    objective = _objective(short_rl, f"objective.advantages_by={kind}", "objective.kl_in_reward=0.1")
    found = shaped_advantages(Rollouts(normalised_rewards(rewards), mask, logp, ref), objective, GROUP)
    assert found.isfinite().all()
    assert found[rewards.isnan()].eq(0).all()
    assert found[~rewards.isnan()].abs().sum() > 0
    with pytest.raises(ValueError, match="needs log-probs of policy and reference"):
        shaped_advantages(Rollouts(rewards, mask, None, None), objective, GROUP)


def test_scale_rewards_is_that_of_the_group_alone(short_rl: Callable[..., Recipe]) -> None:
    rewards, mask = torch.tensor([1.0, 0.0, 0.0, 3.0]), torch.ones(4, 2, dtype=torch.bool)
    rollouts = Rollouts(rewards, mask, None, None)
    for kind in KINDS:
        found = [
            shaped_advantages(
                rollouts,
                _objective(short_rl, f"objective.advantages_by={kind}", f"objective.scale_rewards={scale}"),
                GROUP,
            )
            for scale in ("group", "none")
        ]
        assert torch.equal(*found) == (kind != "group")


def test_the_advantage_of_a_completion_is_the_mean_over_its_tokens() -> None:
    each = torch.tensor([[1.0, 3.0, 9.0], [2.0, 9.0, 9.0], [9.0, 9.0, 9.0]])
    mask = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert completion_means(each, mask).tolist() == [2.0, 2.0, 0.0]
    assert completion_means(each[0], mask).tolist() == [1.0, 3.0, 9.0]


def test_normalised_rewards_by_hand() -> None:
    rewards = torch.tensor([1.0, 0.0, math.nan, 2.0], dtype=torch.float64)
    assert normalised_rewards(rewards).tolist() == pytest.approx([0.0, -1.0, math.nan, 1.0], nan_ok=True)
    assert normalised_rewards(torch.full((7,), 0.1)).eq(0).all()
    assert normalised_rewards(torch.zeros(0)).shape == (0,)
    with pytest.raises(ValueError, match="have shape"):
        normalised_rewards(torch.zeros(2, 2))


# ----------------------------------------------------------------------------------------- beside dynamic sampling

REFILL = "rollout.refill={rule: fixed, max_prompts: 6}"


def test_leave_one_out_goes_together_with_refill(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    train(short_rl(REFILL, "objective.advantages_by=rloo", "rollout.temperature=0.4"), output=tmp_path, quiet=True)
    records = read_records(tmp_path / "records" / "rollouts.jsonl")
    assert len(records) > 2 * STEP, "no step had to draw again: the test says nothing"
    rewards = torch.tensor([r.value for r in records])  # groups lie side by side in every round
    assert [r.advantage for r in records] == pytest.approx(advantages_by("rloo", rewards, GROUP).tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("objective.advantages_by=reinforce", "learnt from a group of equal rewards, too"),
        ("objective.advantages_by=reinforce_pp", "under objective.advantages_by reinforce_pp something is learnt"),
        ("objective.advantages_by=reinforce_pp_baseline", "asks for the whole batch at once"),
        ("objective.normalise_rewards=true", "objective.normalise_rewards asks for the whole batch"),
        ("objective.kl_in_reward=0.1", "with objective.kl_in_reward something is learnt"),
    ],
)
def test_what_every_group_teaches_is_not_refilled(setting: str, said: str, short_rl: Callable[..., Recipe]) -> None:
    assert short_rl(setting).objective
    with pytest.raises(RecipeError, match=said):
        short_rl(REFILL, setting)
