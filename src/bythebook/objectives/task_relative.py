"""Task-relative REINFORCE++ (TRR++): a baseline for every cell of task and role, not one for the batch.

    paper       A = (r − μ) / σ over the completions of a cell        every completion counts once
    published   the same over the tokens of a cell's completions      long completions weigh more

Absolute Zero (arXiv 2505.03335), whose batch has six cells: deduction, abduction and induction, proposed and solved.
The second form is that of the published code (a82124e, branch `paper`), which whitens returns a token. N completions,
T tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from bythebook.objectives.baselines import reinforce_pp_advantages, reinforce_pp_token_advantages

__all__ = ["released_task_relative_advantages", "task_relative_advantages"]


def task_relative_advantages(rewards: Tensor, cells: Tensor, *, epsilon: float = 1e-8) -> Tensor:
    """(r − mean of the cell) / deviation of the cell, with n below the deviation: rewards (N,) and the whole numbers of
    their cells (N,) → (N,). Only the baseline differs from `reinforce_pp`.

    A reward that is NaN counts nowhere and has the advantage 0; so has every completion of a cell whose rewards are
    equal. ValueError for shapes that don't fit.
    """
    advantages = torch.zeros_like(rewards)
    for inside in _cells(rewards, cells):
        values = rewards[inside]
        found = reinforce_pp_advantages(values, 1, epsilon=epsilon)  # with n − 1 below
        scored = (~values.isnan()).sum().clamp(min=2).to(found.dtype)
        advantages[inside] = found * (scored / (scored - 1)).sqrt()
    return advantages


def released_task_relative_advantages(rewards: Tensor, mask: Tensor, cells: Tensor, *, epsilon: float = 1e-8) -> Tensor:
    """The published form: rewards (N,), mask (N, T), cells (N,) → (N, T), 0 outside the mask. ValueError for shapes
    that don't fit."""
    advantages = torch.zeros(mask.shape, dtype=rewards.dtype, device=rewards.device)
    for inside in _cells(rewards, cells):
        own = mask[inside]
        no_penalty = torch.zeros(own.shape, dtype=rewards.dtype, device=rewards.device)
        advantages[inside] = reinforce_pp_token_advantages(rewards[inside], no_penalty, own, 0.0, epsilon=epsilon)
    return advantages


def _cells(rewards: Tensor, cells: Tensor) -> Iterator[Tensor]:
    """Which completions are in each cell: (N,) of bool."""
    if rewards.dim() != 1 or cells.shape != rewards.shape:
        raise ValueError(f"rewards {tuple(rewards.shape)} and cells {tuple(cells.shape)}")
    for cell in cells.unique():
        yield cells == cell
