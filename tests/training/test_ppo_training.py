"""PPO through the trainer: a critic of its own, advantages by GAE, and nothing else than in GRPO. Whole runs are in
test_ppo_runs.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from drawn_rollouts import Matrix, disturbed, drawn, make_trainer, plain_logp, ppo, scores, sequences

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe
from bythebook.training.grpo import GuidelineGRPOTrainer, make_grpo_trainer

GENERAL = ("objective.kl_in_reward=0.2", "rollout.temperature=0.9")


def _disturbed(recipe: Recipe, output: Path) -> Any:
    """A trainer whose policy has left the reference, and whose critic says something."""
    trainer = make_trainer(recipe, output)
    disturbed(trainer.model, 0.1, seed=1)
    disturbed(trainer.critic, 0.1, seed=2)
    return trainer


def _values(trainer: Any, batch: dict[str, Any]) -> Matrix:
    """(B, T): the critic's, one row at a time, without padding."""
    out = np.zeros(batch["completion_mask"].shape)
    for i, (prompt, completion) in enumerate(sequences(batch)):
        with torch.no_grad():
            each = trainer.critic(input_ids=torch.tensor([prompt + completion]))[0]
        out[i, : len(completion)] = each[len(prompt) - 1 : -1].numpy()
    return out


def _gae(paid: Matrix, values: Matrix, lengths: list[int], gamma: float, lam: float) -> Matrix:
    """Σ (γλ)^l (r + γ V' − V), the sum of the definition for every token."""
    out = np.zeros_like(values)
    for i, length in enumerate(lengths):
        following = [*values[i, 1:length], 0.0]
        errors = [paid[i, t] + gamma * following[t] - values[i, t] for t in range(length)]
        for t in range(length):
            out[i, t] = sum((gamma * lam) ** k * error for k, error in enumerate(errors[t:]))
    return out


@pytest.mark.parametrize("share", ["true", "false"])
@pytest.mark.parametrize(("gamma", "lam", "normalised"), [(0.98, 0.9, False), (1.0, 0.95, True)])
def test_advantages_and_returns_are_those_of_the_equations(
    share: str, gamma: float, lam: float, normalised: bool, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    settings = (*GENERAL, f"objective.normalise_rewards={str(normalised).lower()}", f"rollout.share_prefix={share}")
    trainer = _disturbed(short_rl(ppo(gamma=gamma, gae_lambda=lam, whiten="true"), *settings), tmp_path)
    assert trainer.critic.shares_prefix == trainer.shares_prefix == (share == "true")
    batch = drawn(trainer)
    mask = batch["completion_mask"].numpy().astype(float)
    lengths = [int(n) for n in mask.sum(axis=1)]
    assert len(set(lengths)) > 2
    rewards = scores(trainer)
    if normalised:
        rewards = (rewards - rewards.mean()) / rewards.std(ddof=1)
    kl = plain_logp(trainer.model, batch, 0.9) - plain_logp(trainer.ref_model, batch, 0.9)
    paid = -0.2 * kl * mask
    for i, length in enumerate(lengths):
        paid[i, length - 1] += rewards[i]
    values = _values(trainer, batch)
    assert np.abs(values).max() > 0.1
    advantages = _gae(paid, values, lengths, gamma, lam)
    inside = advantages[mask.astype(bool)]
    np.testing.assert_allclose(batch["values"].numpy(), values, atol=1e-4)
    np.testing.assert_allclose(batch["returns"].numpy(), (advantages + values) * mask, atol=1e-3)
    np.testing.assert_allclose(
        batch["advantages"].numpy(), (advantages - inside.mean()) / inside.std(ddof=1) * mask, atol=1e-3
    )
    assert batch["value_mask"].equal(batch["completion_mask"].bool())
    metrics = trainer._metrics["train"]
    returns, valued = (advantages + values)[mask.astype(bool)], values[mask.astype(bool)]
    assert metrics["critic/return"] == [pytest.approx(returns.mean(), abs=1e-3)]
    assert metrics["critic/value"] == [pytest.approx(valued.mean(), abs=1e-3)]
    explained = 1 - (returns - valued).var() / returns.var()
    assert metrics["critic/explained_variance"] == [pytest.approx(explained, abs=1e-2)]


def test_with_a_critic_of_zeros_it_is_reinforce_with_the_reward_to_come(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    trainer = make_trainer(short_rl(ppo(), *GENERAL), tmp_path)
    disturbed(trainer.model, 0.1, seed=1)
    batch = drawn(trainer)
    mask = batch["completion_mask"].numpy()
    kl = (plain_logp(trainer.model, batch, 0.9) - plain_logp(trainer.ref_model, batch, 0.9)) * mask
    expected = (scores(trainer)[:, None] - 0.2 * kl[:, ::-1].cumsum(axis=1)[:, ::-1]) * mask
    np.testing.assert_allclose(batch["advantages"].numpy(), expected, atol=1e-3)
    assert batch["values"].eq(0).all()
    assert batch["returns"].equal(batch["advantages"])


def test_without_a_kl_no_reference_is_loaded_and_no_log_probs_are_made(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(short_rl(ppo()), tmp_path)
    assert trainer.ref_model is None
    monkeypatch.setattr(type(trainer), "_get_per_token_logps_and_entropies", None)  # a call would fail
    batch = drawn(trainer)
    expected = torch.tensor(scores(trainer))[:, None] * batch["completion_mask"]
    assert batch["advantages"].tolist() == expected.tolist()


# ----------------------------------------------------------------------------------------- two networks


def _gradient(module: Any) -> torch.Tensor:
    return torch.cat([p.grad.flatten().clone() for p in module.parameters() if p.grad is not None])


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 100.0])
def test_the_critics_loss_does_not_touch_the_policy(
    coefficient: float, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    trainer = _disturbed(short_rl(ppo(value_coef=coefficient)), tmp_path)
    batch = drawn(trainer)
    alone = GuidelineGRPOTrainer.compute_loss(trainer, trainer.model, dict(batch))
    alone.backward()
    wanted = _gradient(trainer.model)
    assert all(p.grad is None for p in trainer.critic.parameters())
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, dict(batch))
    assert all(p.grad is None for p in trainer.model.parameters())  # the critic has got its own by now
    of_critic = _gradient(trainer.critic)
    loss.backward()
    assert loss.item() == alone.item()
    assert _gradient(trainer.model).equal(wanted)
    assert _gradient(trainer.critic).equal(of_critic)
    assert wanted.norm() > 0
    assert (of_critic.norm() > 0) == (coefficient > 0)


def test_the_critics_gradient_is_that_of_the_mean_squared_error(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    trainer = _disturbed(short_rl(ppo(value_coef=0.5)), tmp_path)
    batch = drawn(trainer)
    trainer._judge(batch)
    found, error = _gradient(trainer.critic), trainer._value_loss
    trainer.critic.zero_grad()
    mask = batch["completion_mask"].bool()
    values = [
        trainer.critic(input_ids=torch.tensor([prompt + completion]))[0, len(prompt) - 1 : -1]
        for prompt, completion in sequences(batch)
    ]
    loss = ((torch.cat(values) - batch["returns"][mask]) ** 2).mean() / 2
    (0.5 * loss).backward()
    assert error == pytest.approx(loss.item(), rel=1e-4)
    assert (found - _gradient(trainer.critic)).norm() <= 1e-4 * found.norm()


@pytest.mark.parametrize(("loss_type", "checkpointing"), [("grpo", "false"), ("bnpo", "true")])
def test_eight_micro_batches_have_the_critics_gradient_of_one(
    loss_type: str, checkpointing: str, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    """Whatever the policy's loss is averaged over."""
    settings = (f"objective.loss_type={loss_type}", f"training.gradient_checkpointing={checkpointing}")
    trainer = _disturbed(short_rl(ppo(value_clip=0.1), *settings), tmp_path)
    assert trainer.critic.trunk.is_activation_checkpointing == (checkpointing == "true")
    batch = drawn(trainer)
    disturbed(trainer.critic, 0.02, seed=5)  # so that some values have left the range of the clip
    trainer._judge(batch)
    whole, error = _gradient(trainer.critic), trainer._value_loss
    assert 0 < trainer._metrics["train"]["critic/clip_ratio"][-1] < 1
    trainer.critic.zero_grad()
    trainer._value_loss = 0.0
    trainer.current_gradient_accumulation_steps = trainer.args.steps_per_generation = 8
    for i in range(8):
        trainer._judge({k: v[i : i + 1] if isinstance(v, torch.Tensor) and v.ndim else v for k, v in batch.items()})
    assert trainer._value_loss == pytest.approx(error, rel=1e-4)
    assert (_gradient(trainer.critic) - whole).norm() <= 1e-4 * whole.norm()


def test_a_rollout_that_nothing_could_score_teaches_neither(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = _disturbed(short_rl(ppo(whiten="true")), tmp_path)
    original = trainer._calculate_rewards

    def unscored(*args: Any) -> Any:
        found = original(*args)
        trainer.rewards[[1, 5]] = torch.nan
        return found

    monkeypatch.setattr(trainer, "_calculate_rewards", unscored)
    batch = drawn(trainer)
    gone, kept = [1, 5], [0, 2, 3, 4, 6, 7]
    assert not batch["value_mask"][gone].any()
    assert batch["advantages"][gone].eq(0).all()
    assert batch["value_mask"][kept].equal(batch["completion_mask"][kept].bool())
    assert batch["advantages"].isfinite().all()
    trainer._judge(batch)
    assert _gradient(trainer.critic).isfinite().all()


# ----------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("objective.advantages_by=rloo",), "objective.advantages_by: objective.ppo has advantages of its own"),
        (("rollout.refill={rule: fixed, max_prompts: 6}",), "rollout.refill: under objective.ppo something is learnt"),
        (("objective.ppo.gamma=1.5",), "objective.ppo.gamma: Input should be less than or equal to 1"),
        (("objective.ppo.value_clip=0",), "objective.ppo.value_clip: Input should be greater than 0"),
        (("objective.ppo.critic_warmup_steps=-1",), "critic_warmup_steps: Input should be greater than or equal to 0"),
        (("objective.ppo.lambda=1",), "keys here: gamma, gae_lambda, critic_learning_rate, value_clip, value_coef"),
    ],
)
def test_what_does_not_go_together_is_said(
    settings: tuple[str, ...], said: str, short_rl: Callable[..., Recipe]
) -> None:
    assert short_rl(ppo()).objective
    with pytest.raises(RecipeError, match=said):
        short_rl(ppo(), *settings)


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED"])
def test_a_model_in_pieces_is_refused(
    kind: str, short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"ACCELERATE_USE_{kind}", "true")
    with pytest.raises(RecipeError, match=r"objective\.ppo needs the whole model on every device \(use ddp\)"):
        make_grpo_trainer(short_rl(ppo()), None, SimpleNamespace(), [], tmp_path, (), prefilled=False)
