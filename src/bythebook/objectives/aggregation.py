"""From one loss a token to the loss of a step. Named as TRL's `loss_type`; where they differ is whose tokens weigh
how much."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

__all__ = ["Aggregation", "aggregate"]

Aggregation = Literal["grpo", "bnpo", "dr_grpo", "dapo"]


def aggregate(
    values: Tensor,
    mask: Tensor,
    kind: Aggregation,
    *,
    max_length: int | None = None,
    step_tokens: Tensor | float | None = None,
    micro_batches: int = 1,
) -> Tensor:
    """The share of a micro-batch in the loss of its optimiser step: `values` (B, T) or (B, 1) and mask (B, T) → ().

    - grpo: mean over the tokens of a completion, then over completions (DeepSeekMath, arXiv 2402.03300, eq. 3).
    - bnpo: mean over the tokens of the micro-batch.
    - dr_grpo: sum over tokens, divided by completions · `max_length`, a constant that favours no length (Dr. GRPO,
      arXiv 2503.20783, section 3.2).
    - dapo: mean over the tokens of the step (DAPO, arXiv 2503.14476, eq. 12). `step_tokens` is their number; None:
      those of this micro-batch.

    All but dapo are divided by `micro_batches`, the number of micro-batches whose gradients are added up. A completion
    without a token in the mask counts as one with loss 0. ValueError for an unknown kind, or dr_grpo without
    `max_length`.
    """
    masked = values * mask  # (B, T)
    if kind == "grpo":
        return (masked.sum(dim=-1) / mask.sum(dim=-1).clamp(min=1)).mean() / micro_batches
    if kind == "bnpo":
        return masked.sum() / mask.sum().clamp(min=1) / micro_batches
    if kind == "dr_grpo":
        if not max_length:
            raise ValueError("dr_grpo needs the longest length of a completion")
        return masked.sum() / (len(mask) * max_length) / micro_batches
    if kind == "dapo":
        return masked.sum() / (mask.sum().clamp(min=1) if step_tokens is None else step_tokens)
    raise ValueError(f"no aggregation {kind!r}: grpo, bnpo, dr_grpo or dapo")
