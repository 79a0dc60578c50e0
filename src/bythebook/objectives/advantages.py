"""Group-relative advantages: how much better a completion was than the others on the same prompt."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

__all__ = ["RewardScale", "as_groups", "group_advantages"]

RewardScale = Literal["group", "batch", "none"]
"""Whose standard deviation divides: that of the group, that of all rewards, none."""


def as_groups(rewards: Tensor, group_size: int) -> Tensor:
    """Rewards (N,), groups side by side → (G, group_size). ValueError if N is not a multiple of `group_size`."""
    if rewards.dim() != 1 or group_size < 1 or len(rewards) % group_size:
        raise ValueError(f"rewards of shape {tuple(rewards.shape)} are not groups of {group_size}")
    return rewards.view(-1, group_size)


def group_advantages(rewards: Tensor, group_size: int, scale: RewardScale, *, epsilon: float = 1e-4) -> Tensor:
    """(r − mean of the group) / (std + `epsilon`): rewards (N,), groups side by side → advantages (N,).

    Source: DeepSeekMath (arXiv 2402.03300), section 4.1.2, and R1-RE; `batch` is that of arXiv 2508.08221, `none` that
    of Dr. GRPO (arXiv 2503.20783), section 3.2. Standard deviations have n − 1 below; `epsilon` is TRL's. NaN is a
    completion that nothing could score: it is left out of mean and deviation, and its advantage is 0. Where all
    rewards of a group are equal the advantages are exactly 0, whatever rounding made of the mean. ValueError if N is
    not a multiple of `group_size`, or for an unknown scale.
    """
    groups = as_groups(rewards, group_size)
    known = ~groups.isnan()
    highest = groups.masked_fill(~known, -torch.inf).amax(dim=1, keepdim=True)
    equal = (groups == highest) | ~known  # (G, group_size)
    counted = known & ~equal.all(dim=1, keepdim=True)
    centred = (groups - _mean(groups, known, dim=1)).masked_fill(~counted, 0.0)
    if scale == "none":
        return centred.flatten()
    if scale == "group":
        deviation = _deviation(groups, known, dim=1)  # (G, 1)
    elif scale == "batch":
        deviation = _deviation(rewards, ~rewards.isnan(), dim=0)  # (1,)
    else:
        raise ValueError(f"no reward scale {scale!r}: group, batch or none")
    # Filled once more: with an epsilon of 0 a group of equal rewards would be 0 / 0.
    return (centred / (deviation + epsilon)).masked_fill(~counted, 0.0).flatten()


def _deviation(values: Tensor, known: Tensor, dim: int) -> Tensor:
    """Standard deviation of the known ones along `dim`, which is kept; 0 if there are fewer than two."""
    squares = (values - _mean(values, known, dim)).square().masked_fill(~known, 0.0)
    return (squares.sum(dim=dim, keepdim=True) / (known.sum(dim=dim, keepdim=True) - 1).clamp(min=1)).sqrt()


def _mean(values: Tensor, known: Tensor, dim: int) -> Tensor:
    """Mean of the known ones along `dim`, which is kept; 0 if there is none."""
    return values.masked_fill(~known, 0.0).sum(dim=dim, keepdim=True) / known.sum(dim=dim, keepdim=True).clamp(min=1)
