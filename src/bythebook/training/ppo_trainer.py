"""PPO in the trainer: a critic of its own beside the policy, advantages by GAE, the KL in the reward of every token
(arXiv 1707.06347; as Med-RLVR, arXiv 2502.19655, describes its use).

The policy's loss is that of the recipe, with one advantage a token. The critic's is averaged over the tokens of the
optimiser step, whatever `loss_type` says, so that any number of micro-batches and processes has one gradient; it has an
optimiser, a clip of its gradient and a learning rate of its own, and nothing of it reaches the policy but advantages.
Values of a rollout are those from before its first update.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bythebook.errors import RecipeError
from bythebook.objectives.ppo import PPOConfig, explained_variance, ppo_targets, value_loss, whiten
from bythebook.recipe import ObjectiveSection, PPOSection
from bythebook.training.advantages import scoring_of
from bythebook.training.critic import Critic, load_critic, save_critic
from bythebook.training.grpo import GuidelineGRPOTrainer

__all__ = ["PPOTrainer"]

# Shapes: B rollouts of this process, N of all processes, T tokens of the longest completion.


class PPOTrainer(GuidelineGRPOTrainer):
    """GRPO's sampling, rewards and loss with PPO's advantages. Every process must hold the whole model. RecipeError if
    the recipe has no section `objective.ppo`, or no critic can be made of the model."""

    def __init__(
        self, *, model: Any, objective: ObjectiveSection, pack_tokens: int | None = None, **kwargs: Any
    ) -> None:
        if objective.ppo is None:
            raise RecipeError("PPO needs the section objective.ppo")
        critic = Critic.beside(model)  # before the trainer puts an adapter on it
        super().__init__(model=model, objective=objective, pack_tokens=pack_tokens, **kwargs)
        ppo: PPOSection = objective.ppo
        self.ppo = ppo
        self.ppo_config = PPOConfig(
            gamma=ppo.gamma,
            gae_lambda=ppo.gae_lambda,
            beta=objective.kl_in_reward,
            value_clip=ppo.value_clip,
            loss_type="dapo",
        )
        self.critic = critic.to(self.accelerator.device).train()
        if self.shares_prefix:
            self.critic.share_prefixes()
        if self.args.activation_checkpointing:
            self.critic.trunk.activation_checkpointing_enable()
        self.critic_optimizer = _optimiser(self.critic, ppo.critic_learning_rate, self.args)
        self._value_loss = 0.0

    def _learnt_from(self, output: dict[str, Any], objective: ObjectiveSection) -> dict[str, Tensor]:
        with torch.no_grad():
            old = self._values(output)
            rollouts, values = self._rollouts(output, objective), self._everyone(old)
            logp = values if rollouts.logp is None else rollouts.logp  # not read without a KL
            found = ppo_targets(rollouts.rewards, values, logp, rollouts.ref_logp, rollouts.mask, self.ppo_config)
            advantages = whiten(found.advantages, found.mask) if self.ppo.whiten else found.advantages
        metrics = self._metrics["train" if self.model.training else "eval"]
        for name in ("value", "return"):
            metrics[f"critic/{name}"].append(float(found.diagnostics[name].mean))
        explained = explained_variance(values, found.returns, found.mask)
        metrics["critic/explained_variance"].append(float(explained))
        whole = {"advantages": advantages, "returns": found.returns, "value_mask": found.mask}
        return {"values": old} | {name: self._mine(x, output) for name, x in whole.items()}

    def _values(self, inputs: dict[str, Any]) -> Tensor:
        """(B, T)"""
        with self.accelerator.autocast():
            return self.critic.values(scoring_of(inputs, self.args.per_device_train_batch_size), self.pack_tokens)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The policy's loss of a micro-batch. In training the critic has got its gradient before, so that the memory is
        that of the larger of both passes."""
        if self.model.training and not return_outputs:
            self._judge(inputs)
        return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)

    def _judge(self, inputs: dict[str, Any]) -> None:
        """Add the critic's gradient of a micro-batch to that of its step."""
        found = value_loss(
            self._values(inputs),
            inputs["values"],
            inputs["returns"],
            inputs["value_mask"],
            self.ppo_config,
            step_tokens=self._step_tokens(inputs, self.current_gradient_accumulation_steps),
        )
        (self.ppo.value_coef * found.loss).backward()
        self._value_loss += float(found.loss.detach())
        if (clipped := found.diagnostics.get("value_clip")) is not None:
            total = self.accelerator.reduce(torch.stack([clipped.total.sum(), clipped.count.sum()]), reduction="sum")
            self._metrics["train"]["critic/clip_ratio"].append(float(total[0] / total[1]))

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """One micro-batch; with the last one of a step the critic takes its own. While it warms up, the policy's
        gradient is dropped, so that its optimiser finds nothing to do."""
        loss: Tensor = super().training_step(*args, **kwargs)
        if self.accelerator.sync_gradients:
            self._step_critic()
            if self.state.global_step < self.ppo.critic_warmup_steps:
                self.model.zero_grad(set_to_none=True)
        return loss

    def _step_critic(self) -> None:
        learnt = [p for _, p in self.critic.learnt()]
        if self.accelerator.num_processes > 1:
            for p in learnt:
                mine = torch.zeros_like(p) if p.grad is None else p.grad
                p.grad = self.accelerator.reduce(mine, reduction="mean")
        norm = torch.nn.utils.clip_grad_norm_(learnt, self.args.max_grad_norm or float("inf"))
        self.critic_optimizer.step()
        self.critic_optimizer.zero_grad()
        total = self.accelerator.reduce(torch.tensor(self._value_loss, device=norm.device), reduction="mean")
        self._metrics["train"]["critic/loss"].append(float(total))
        self._metrics["train"]["critic/grad_norm"].append(float(norm))
        self._value_loss = 0.0

    def _save_more(self, folder: Path) -> None:
        save_critic(folder, self.critic, self.critic_optimizer)

    def _load_more(self, checkpoint: Path) -> None:
        load_critic(checkpoint, self.critic, self.critic_optimizer)


def _optimiser(critic: Critic, learning_rate: float, arguments: Any) -> torch.optim.AdamW:
    """That of the policy but for the learning rate. Weight decay leaves biases, norms and the head alone."""
    learnt = [p for _, p in critic.learnt()]
    groups = [
        {"params": [p for p in learnt if p.dim() > 1], "weight_decay": arguments.weight_decay},
        {"params": [p for p in learnt if p.dim() <= 1], "weight_decay": 0.0},
    ]
    betas = (arguments.adam_beta1, arguments.adam_beta2)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=arguments.adam_epsilon)
