"""The importance ratio of new to old policy, and PPO's clipped surrogate with its variants."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["RatioLevel", "clipped_surrogate", "importance_ratio"]

RatioLevel = Literal["token", "sequence"]
"""Whether every token has a ratio of its own, or all tokens of a completion share one."""


def importance_ratio(logp: Tensor, old_logp: Tensor, mask: Tensor, level: RatioLevel) -> Tensor:
    """π/π_old. Log-probs (B, T) and mask (B, T) of 0 and 1 → (B, T) for tokens, (B, 1) for sequences.

    Token: r_t of PPO (arXiv 1707.06347, section 3). Sequence: the ratio of the whole completion to the power 1/length,
    GSPO (arXiv 2507.18071, eq. 7); 1 where a completion has no token in the mask. ValueError for an unknown level.
    """
    log_ratio = logp - old_logp
    if level == "token":
        return torch.exp(log_ratio)
    if level == "sequence":
        length = mask.sum(dim=-1, keepdim=True).clamp(min=1)  # (B, 1)
        return torch.exp((log_ratio * mask).sum(dim=-1, keepdim=True) / length)
    raise ValueError(f"no ratio level {level!r}: token or sequence")


def clipped_surrogate(
    ratio: Tensor, advantages: Tensor, epsilon_low: float, epsilon_high: float, delta: float | None = None
) -> Tensor:
    """min(r · A, clip(r, 1 − ε_low, 1 + ε_high) · A), to be maximised: PPO (arXiv 1707.06347, eq. 7), with two bounds
    DAPO (arXiv 2503.14476, eq. 10).

    `ratio` and `advantages` broadcast: (B, T) or (B, 1) each. PPO's minimum leaves r · A unbounded where A < 0;
    `delta` > 1 + ε_high caps r there (two-sided clip, INTELLECT-2, arXiv 2505.07291).
    """
    clipped = ratio.clamp(1 - epsilon_low, 1 + epsilon_high)
    if delta is not None:
        ratio = ratio.clamp(max=delta)
    return torch.minimum(ratio * advantages, clipped * advantages)
