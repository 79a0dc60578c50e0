"""REINFORCE and its baselines beside GRPO: what is subtracted from a reward, and what it is divided by.

Every function takes rewards (N,), groups side by side, and the group size, and gives advantages (N,), as
`group_advantages` does. NaN is a completion that nothing could score: it counts nowhere, and its advantage is 0.

    grpo                     (r − mean of the group) / deviation of the group
    reinforce                r
    rloo                     r − mean of the others of the group
    reinforce_pp             (r − mean of the batch) / deviation of the batch
    reinforce_pp_baseline    r − mean of the group, divided by the deviation of these differences in the batch
    rlpr                     as grpo, by deviation + 1e-6, and 0 where that is below 1e-6: RLPR's published code
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from bythebook.objectives.advantages import as_groups, group_advantages
from bythebook.objectives.probability_reward import released_advantages

__all__ = [
    "ADVANTAGES",
    "AdvantageName",
    "advantages_by",
    "reinforce_advantages",
    "reinforce_pp_advantages",
    "reinforce_pp_baseline_advantages",
    "reinforce_pp_token_advantages",
    "rloo_advantages",
]

AdvantageName = Literal["grpo", "reinforce", "rloo", "reinforce_pp", "reinforce_pp_baseline", "rlpr"]

_EPSILON = 1e-8
"""OpenRLHF's, below the variance of normalised advantages."""


def reinforce_advantages(rewards: Tensor, group_size: int) -> Tensor:
    """The rewards themselves: REINFORCE (Williams 1992) without a baseline, which "Crossing the Reward Bridge" (arXiv
    2503.23829) runs on normalised rewards. ValueError if N is not a multiple of `group_size`."""
    as_groups(rewards, group_size)
    return rewards.masked_fill(rewards.isnan(), 0.0)


def rloo_advantages(rewards: Tensor, group_size: int) -> Tensor:
    """r_i − mean of r_j, j ≠ i, over the k scored completions of the group: k / (k − 1) · (r_i − mean).

    RLOO (arXiv 2402.14740, section 2.2). A completion that is the only one scored has nobody to be compared with, and
    the advantage 0. ValueError if N is not a multiple of `group_size`, or for groups of one.
    """
    if group_size == 1:
        raise ValueError("leave-one-out needs groups of at least two completions")
    centred = group_advantages(rewards, group_size, "none").view(-1, group_size)  # (G, group_size)
    scored = (~rewards.isnan()).view(-1, group_size).sum(dim=1, keepdim=True)
    return (centred * scored / (scored - 1).clamp(min=1)).flatten()


def reinforce_pp_advantages(rewards: Tensor, group_size: int, *, epsilon: float = _EPSILON) -> Tensor:
    """(r − mean) / (deviation + `epsilon`) over the whole batch: REINFORCE++ (arXiv 2501.03262, section 3), which knows
    no groups. ValueError if N is not a multiple of `group_size`."""
    as_groups(rewards, group_size)
    return group_advantages(rewards, max(1, len(rewards)), "group", epsilon=epsilon)


def reinforce_pp_baseline_advantages(rewards: Tensor, group_size: int, *, epsilon: float = _EPSILON) -> Tensor:
    """r − mean of the group, divided by the deviation of that over the batch: the variant of REINFORCE++ with a group
    baseline (same paper). ValueError if N is not a multiple of `group_size`."""
    centred = group_advantages(rewards, group_size, "none").masked_fill(rewards.isnan(), torch.nan)
    return reinforce_pp_advantages(centred, group_size, epsilon=epsilon)


def reinforce_pp_token_advantages(
    rewards: Tensor, kl: Tensor, mask: Tensor, beta: float, *, epsilon: float = _EPSILON
) -> Tensor:
    """REINFORCE++ with its penalty a token: (r − β · Σ of the KL of this token and those after it), normalised over all
    tokens of the batch; rewards (B,), KL estimates and mask (B, T) → (B, T), 0 outside the mask.

    arXiv 2501.03262, section 3: returns without discount, whose reward stands at the last token. A completion whose
    reward is NaN counts nowhere. ValueError for shapes that don't fit.
    """
    if rewards.dim() != 1 or kl.shape != mask.shape or kl.shape[:1] != rewards.shape or kl.dim() != 2:
        raise ValueError(f"rewards {tuple(rewards.shape)}, kl {tuple(kl.shape)} and mask {tuple(mask.shape)}")
    counted = mask.bool() & ~rewards.isnan()[:, None]  # (B, T)
    penalties = kl.masked_fill(~counted, 0.0)
    to_come = penalties.flip(dims=(1,)).cumsum(dim=1).flip(dims=(1,))
    returns = (rewards[:, None] - beta * to_come).masked_fill(~counted, torch.nan)
    flat = returns.flatten()
    return group_advantages(flat, max(1, len(flat)), "group", epsilon=epsilon).view_as(returns)


def _grpo(rewards: Tensor, group_size: int) -> Tensor:
    return group_advantages(rewards, group_size, "group")


ADVANTAGES: dict[AdvantageName, Callable[[Tensor, int], Tensor]] = {
    "grpo": _grpo,
    "reinforce": reinforce_advantages,
    "rloo": rloo_advantages,
    "reinforce_pp": reinforce_pp_advantages,
    "reinforce_pp_baseline": reinforce_pp_baseline_advantages,
    "rlpr": released_advantages,
}


def advantages_by(name: AdvantageName, rewards: Tensor, group_size: int) -> Tensor:
    """The advantages of that name. ValueError for an unknown one."""
    if name not in ADVANTAGES:
        raise ValueError(f"no advantages {name!r}: {', '.join(get_args(AdvantageName))}")
    return ADVANTAGES[name](rewards, group_size)
