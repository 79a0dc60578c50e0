"""Advantages that TRL doesn't compute: REINFORCE and its relatives, rewards normalised, and a KL in the reward.

    r̃ = r, or (r − mean) / deviation of the batch            objective.normalise_rewards
    r̃ − β Σ log(π/π_ref), summed over the completion          objective.kl_in_reward under group, reinforce, rloo and
                                                             reinforce_pp_baseline ("Crossing the Reward Bridge")
    r̃ − β Σ log(π/π_ref), over this token and those after it  under reinforce_pp (arXiv 2501.03262, section 3)
    advantages of these                                      objective.advantages_by

π is the policy that drew the completion. Where the recipe asks for none of this, advantages are TRL's, bit for bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from bythebook.objectives.advantages import group_advantages
from bythebook.objectives.baselines import advantages_by, reinforce_pp_token_advantages
from bythebook.objectives.kl import kl_estimate
from bythebook.objectives.reward_shaping import kl_in_reward, log_ratios, normalised_rewards
from bythebook.recipe import ObjectiveSection
from bythebook.training.log_probs import Scoring, learnt_tokens
from bythebook.training.sharing import SharingTrainer

__all__ = ["AdvantageTrainer", "Rollouts", "completion_means", "scoring_of", "shaped_advantages"]

# Shapes: B rollouts of this process in one generation, N of all processes, T tokens of the longest completion.


class Rollouts(NamedTuple):
    """What advantages are made of, of all processes: a formula over the batch is the same for any number of them."""

    rewards: Tensor
    """(N,): NaN where nothing could score the completion."""
    mask: Tensor
    """(N, T) of bool: tokens that count."""
    logp: Tensor | None
    """(N, T): log-probs under the policy that drew the completions; None where no KL is paid."""
    ref_logp: Tensor | None
    """(N, T): under the reference; likewise."""


def shaped_advantages(rollouts: Rollouts, objective: ObjectiveSection, group_size: int) -> Tensor:
    """(N,), or (N, T) under `reinforce_pp`, which normalises over tokens even where no KL is paid. ValueError for a KL
    without log-probs, and for the advantages of self-play, whose trainer has its own."""
    rewards, mask, logp, ref = rollouts
    beta, by = objective.kl_in_reward, objective.advantages_by
    if beta and (logp is None or ref is None):
        raise ValueError("kl_in_reward > 0 needs log-probs of policy and reference")
    if by == "reinforce_pp":
        none = torch.zeros(mask.shape, dtype=rewards.dtype, device=rewards.device)
        kl = none if logp is None or ref is None else kl_estimate(logp, ref, "k1")
        return reinforce_pp_token_advantages(rewards, kl, mask, beta)
    if logp is not None and ref is not None:
        rewards = kl_in_reward(rewards, logp, ref, mask, beta)
    if by == "group":
        return group_advantages(rewards, group_size, objective.scale_rewards)
    if by == "task_relative" or by == "task_relative_tokens":
        raise ValueError(f"{by} needs the cells of self-play")
    return advantages_by(by, rewards, group_size)


def completion_means(advantages: Tensor, mask: Tensor) -> Tensor:
    """(B,): the advantage of each completion; of (B, T), the mean over its tokens, 0 where it has none."""
    if advantages.dim() == 1:
        return advantages
    return (advantages * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def scoring_of(inputs: dict[str, Any], batch_size: int | None = None) -> Scoring:
    """What is asked of a model about the rollouts of a batch, `batch_size` of them in a pass."""
    ids, mask = (torch.cat([inputs[f"prompt_{kind}"], inputs[f"completion_{kind}"]], dim=1) for kind in ("ids", "mask"))
    return Scoring(ids, mask, inputs["completion_ids"].size(1), batch_size)


class AdvantageTrainer(SharingTrainer):
    """GRPO whose advantages are those of the recipe."""

    objective: ObjectiveSection | None
    rewards: Tensor
    """(N,): of the last generation, as the verifier paid them; NaN where nothing could score."""

    def __init__(self, *, objective: ObjectiveSection | None = None, **kwargs: Any) -> None:
        super().__init__(objective=objective, **kwargs)
        self.objective = objective

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> Tensor:
        of_functions: Tensor = super()._calculate_rewards(*args, **kwargs)  # (N, functions)
        weighted = (of_functions * self.reward_weights.to(of_functions.device)).nansum(dim=1)
        self.rewards = weighted.masked_fill(of_functions.isnan().all(dim=1), torch.nan)
        return of_functions

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        o = self.objective
        if o is not None and (o.advantages_by != "group" or o.normalise_rewards or o.kl_in_reward or o.ppo):
            output |= self._learnt_from(output, o)
        return output

    @torch.no_grad()
    def _learnt_from(self, output: dict[str, Any], objective: ObjectiveSection) -> dict[str, Tensor]:
        """`advantages` of this process's rollouts, and what else the loss needs."""
        size = (self.num_generations if self.model.training else self.num_generations_eval) or 1
        advantages = shaped_advantages(self._rollouts(output, objective), objective, int(size))
        return {"advantages": self._mine(advantages, output)}

    def _rollouts(self, output: dict[str, Any], objective: ObjectiveSection) -> Rollouts:
        """Those of all processes, their rewards normalised if the recipe says so. Logs the KL in the reward."""
        rewards = normalised_rewards(self.rewards) if objective.normalise_rewards else self.rewards
        counts = learnt_tokens(output)
        mask = self._everyone(counts).bool()
        if not objective.kl_in_reward:
            return Rollouts(rewards, mask, None, None)
        logp, ref = self._everyone(self._drawn_with(output)), self._everyone(output["ref_per_token_logps"])
        mode = "train" if self.model.training else "eval"
        self._metrics[mode]["reward/kl"].append(float(log_ratios(logp, ref, mask).mean()))
        return Rollouts(rewards, mask, logp, ref)

    def _drawn_with(self, output: dict[str, Any]) -> Tensor:
        """(B, T): log-probs under the policy that drew the rollouts. TRL has them only where it will need them; here
        they cost a forward pass."""
        if "old_per_token_logps" in output:
            known: Tensor = output["old_per_token_logps"]
            return known
        rows = self.args.per_device_train_batch_size
        logp: Tensor = self._get_per_token_logps_and_entropies(self.model, *scoring_of(output, rows)[:4])[0]
        return logp

    def _everyone(self, values: Tensor) -> Tensor:
        """(B, T) → (N, T of the process whose completions are longest), 0 behind the end."""
        padded = self.accelerator.pad_across_processes(values, dim=1)
        found: Tensor = self.accelerator.gather(padded)
        return found

    def _mine(self, values: Tensor, output: dict[str, Any]) -> Tensor:
        """(N,) or (N, T of all) → this process's rows, as wide as its completions."""
        rows, width = output["completion_ids"].shape
        own = values[self.accelerator.process_index * rows :][:rows]
        return own if own.dim() == 1 else own[:, :width]
