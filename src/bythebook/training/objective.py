"""TRL's GRPO trainer with our loss: TRL samples, rewards and optimises, `objectives.policy_loss` is minimised."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from trl import GRPOTrainer

from bythebook.objectives.archer import ArcherConfig, archer_loss
from bythebook.objectives.kl import KLEstimator
from bythebook.objectives.policy_loss import LossConfig, PolicyLoss, RowMeans, policy_loss
from bythebook.recipe import ArcherSection, ObjectiveSection
from bythebook.training.log_probs import (
    Scoring,
    learnt_tokens,
    score_completions,
    scores_prompts_too,
    scoring_asked,
)

__all__ = ["ObjectiveTrainer", "loss_config"]

# Shapes: B rollouts of a micro-batch, P tokens of the longest prompt, T tokens of the longest completion.

_METRICS = {
    "kl": "kl",
    "entropy": "entropy",
    "ratio": "importance_ratio",
    "clip_low": "clip_ratio/low_mean",
    "clip_high": "clip_ratio/high_mean",
    "clip": "clip_ratio/region_mean",
    "clip_delta": "clip_ratio/delta_mean",
}
"""Diagnostic of the loss → TRL's name of the metric, or one after its pattern. Those of a class of tokens have theirs
after `archer/`."""


def loss_config(arguments: Any, kl_estimator: KLEstimator, beta: float | None = None) -> LossConfig:
    """The loss that a GRPOConfig describes, with the one choice that TRL doesn't have, and with another `beta` than it
    says if one is given. ValueError for a choice that we don't have."""
    foreign = {"use_adaptive_entropy": False, "off_policy_mask_threshold": None}
    for name, value in foreign.items():
        if getattr(arguments, name) != value:
            raise ValueError(f"our loss has no {name}")
    return LossConfig(
        loss_type=arguments.loss_type,
        epsilon=arguments.epsilon,
        epsilon_high=arguments.epsilon_high,
        delta=arguments.delta,
        importance_sampling_level=arguments.importance_sampling_level,
        beta=arguments.beta if beta is None else beta,
        kl_estimator=kl_estimator,
        use_bias_correction_kl=arguments.use_bias_correction_kl,
        entropy_coef=arguments.entropy_coef,
        top_entropy_quantile=arguments.top_entropy_quantile,
        max_completion_length=arguments.max_completion_length,
    )


def archer_config(own: LossConfig, section: ArcherSection) -> ArcherConfig:
    """The loss in which reasoning has its `own` clip and KL, knowledge that of the recipe. ValueError for what doesn't
    go together."""
    other = section.knowledge
    return ArcherConfig(
        reasoning=replace(own, epsilon_high=own.clip_high),
        knowledge=replace(
            own, epsilon=other.epsilon, epsilon_high=other.epsilon_high, delta=other.delta, beta=other.beta
        ),
        quantile=section.quantile,
        ties=section.ties,
        kl_norm=section.kl_norm,
    )


class ObjectiveTrainer(GRPOTrainer):
    """`compute_loss` is ours; on a CPU, log-probs are computed for completions alone. `objective` says what TRL's
    arguments can't: the KL estimator (TRL's is k3), and whether tokens are of two classes. ValueError for a loss of TRL
    that we don't have."""

    model: Any
    args: Any

    def __init__(self, *, objective: ObjectiveSection | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if objective is None:
            self.loss_config: LossConfig | ArcherConfig = loss_config(self.args, "k3")
            return
        own = loss_config(self.args, objective.kl_estimator, objective.beta)
        self.loss_config = archer_config(own, objective.archer) if objective.archer else own

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a micro-batch, scaled so that the gradients of an optimiser step add up."""
        if return_outputs:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        mask = learnt_tokens(inputs)
        logp, entropy, aux_loss = self._scored(model, inputs)
        micro_batches = self.current_gradient_accumulation_steps if self.model.training else 1
        loss, diagnostics = self._loss(
            logp,
            inputs.get("old_per_token_logps"),
            inputs.get("ref_per_token_logps"),
            entropy,
            inputs["advantages"],
            mask,
            reasoning=inputs.get("reasoning"),
            weights=inputs.get("importance_sampling_ratio"),
            entropy_pool=self._entropy_pool(entropy, mask),
            step_tokens=self._step_tokens(inputs, micro_batches),
            micro_batches=micro_batches,
        )
        if aux_loss is not None:
            loss = loss + self.router_aux_loss_coef * aux_loss / micro_batches
        self._log_diagnostics(diagnostics)
        return loss

    def _loss(self, *tensors: Any, reasoning: torch.Tensor | None, **more: Any) -> PolicyLoss:
        of_classes = isinstance(self.loss_config, ArcherConfig)
        loss: Any = partial(archer_loss, reasoning=reasoning) if of_classes else policy_loss
        found: PolicyLoss = loss(*tensors, self.loss_config, **more)
        return found

    def _scored(self, model: Any, inputs: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """(log-probs (B, T), entropies (B, T), load-balancing loss of a mixture of experts or None)"""
        ids, mask = (
            torch.cat([inputs[f"prompt_{kind}"], inputs[f"completion_{kind}"]], dim=1) for kind in ("ids", "mask")
        )
        # Columns that only models with images have are handed on under their names.
        known = inspect.signature(super()._get_per_token_logps_and_entropies).parameters
        more = {name: inputs[name] for name in known if name in inputs}
        more |= {"compute_aux_loss": True} if self.aux_loss_enabled else {}
        length = inputs["completion_ids"].size(1)
        logp, entropy, *rest = self._get_per_token_logps_and_entropies(
            model, ids, mask, length, compute_entropy=True, **more
        )
        return logp, entropy, rest[0] if rest else None

    def _get_per_token_logps_and_entropies(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        """TRL's, or the same without scoring prompts. Its arguments move between versions: unknown ones are TRL's."""
        original = super()._get_per_token_logps_and_entropies
        asked = self._asked(args, kwargs)
        inner = self.accelerator.unwrap_model(model)
        if asked is None or not scores_prompts_too(inner, asked):
            return original(model, *args, **kwargs)
        gradient = self.loss_config.entropy_coef != 0
        return *score_completions(model, asked, self.temperature, entropy_gradient=gradient), None

    def _asked(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Scoring | None:
        """What TRL's method would be asked for by these arguments after the model; None if we don't know."""
        return scoring_asked(super()._get_per_token_logps_and_entropies, args, kwargs)

    def _entropy_pool(self, entropy: torch.Tensor, mask: torch.Tensor) -> torch.Tensor | None:
        """(N,): entropies of the tokens of all processes; None where no quantile of them is needed."""
        if self.loss_config.top_entropy_quantile == 1:
            return None
        mine = entropy.detach()[mask.bool()]
        pool: torch.Tensor = self.accelerator.gather(self.accelerator.pad_across_processes(mine, dim=0, pad_index=-1.0))
        return pool[pool >= 0]

    def _step_tokens(self, inputs: Mapping[str, Any], micro_batches: int) -> torch.Tensor:
        """Tokens of an optimiser step per process: gradients are averaged over processes. At least one."""
        tokens: torch.Tensor = inputs["num_items_in_batch"].clamp(min=1.0) / self.accelerator.num_processes
        # They are counted over a generation, which may feed several steps.
        return tokens * micro_batches / self.args.steps_per_generation if self.model.training else tokens

    def _log_diagnostics(self, diagnostics: Mapping[str, RowMeans]) -> None:
        """Means over the tokens of all processes; NaN, which TRL leaves out, where there is none."""
        metrics = self._metrics["train" if self.model.training else "eval"]
        sums = torch.stack([torch.stack([d.total.sum(), d.count.sum()]) for d in diagnostics.values()])
        for name, (total, count) in zip(
            diagnostics, self.accelerator.reduce(sums, reduction="sum").tolist(), strict=True
        ):
            metrics[_METRICS.get(name, f"archer/{name}")].append(total / count if count else math.nan)
        rows = torch.stack([diagnostics["clip_low"].rows, diagnostics["clip_high"].rows], dim=1)  # (B, 2)
        low, high = self.accelerator.gather(rows).T.tolist()
        metrics["clip_ratio/low_min"].append(min((x for x in low if not math.isnan(x)), default=math.nan))
        metrics["clip_ratio/high_max"].append(max((x for x in high if not math.isnan(x)), default=math.nan))
