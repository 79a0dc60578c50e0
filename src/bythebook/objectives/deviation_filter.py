"""RLPR's filter: prompts on which the completions of a group earned nearly the same teach nothing and are left out.

How much is nearly the same follows the training: a share β of an exponential moving average (EMA) of the mean standard
deviation of groups. Source: arXiv 2506.18254, section 2; the schedule is that of the published code (OpenBMB/RLPR,
8490fca). G groups of a step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from bythebook.objectives.advantages import as_groups

__all__ = ["DeviationFilter", "DeviationState", "group_deviations"]


@dataclass(frozen=True, kw_only=True)
class DeviationState:
    """What the filter has seen: all that a checkpoint must keep."""

    steps: int = 0
    """Steps that are over."""
    collected: tuple[float, ...] = ()
    """Mean deviation of each of the steps that the average begins with."""
    average: float | None = None
    """The EMA; None as long as there is none."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"collected": list(self.collected)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> DeviationState:
        """What `to_dict` gave. ValueError names what is wrong with it."""
        if set(saved) != {"steps", "collected", "average"}:
            raise ValueError(f"the filter's state has steps, collected and average, not {', '.join(map(str, saved))}")
        steps, collected, average = saved["steps"], saved["collected"], saved["average"]
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"steps: {steps!r} is no count")
        if not isinstance(collected, (list, tuple)) or not all(map(_is_deviation, collected)):
            raise ValueError("collected: not a list of standard deviations")
        if average is not None and not _is_deviation(average):
            raise ValueError(f"average: {average!r} is no standard deviation")
        return cls(
            steps=steps, collected=tuple(map(float, collected)), average=None if average is None else float(average)
        )


@dataclass(frozen=True, kw_only=True)
class DeviationFilter:
    """Which groups are kept; the defaults are the published ones for Qwen2.5-7B (Llama: beta 0.9, Gemma: 1.0).
    ValueError for a value out of range."""

    beta: float = 0.5
    """Share of the average from which on a group is kept; 0 keeps all."""
    decay: float = 0.99
    """Weight of what the average was before a step."""
    ignored: int = 5
    """First steps, of which nothing is remembered."""
    collected: int = 5
    """Steps after them, with whose mean the average begins. Nothing is filtered until they are over."""

    def __post_init__(self) -> None:
        if not (self.beta >= 0 and 0 <= self.decay <= 1 and self.ignored >= 0 and self.collected >= 1):
            raise ValueError("beta ≥ 0, 0 ≤ decay ≤ 1, ignored ≥ 0 and collected ≥ 1 must hold")

    def threshold(self, state: DeviationState) -> float | None:
        """Least standard deviation of a group that is kept in the step after those of `state`; None: all are kept."""
        if state.steps < self.ignored + self.collected or state.average is None:
            return None
        return self.beta * state.average

    def keeps(self, deviations: Tensor, state: DeviationState) -> Tensor:
        """(G,) of bool: which groups with these standard deviations (G,) are kept. NaN, a group of which fewer than two
        completions were scored, is kept only while nothing is filtered."""
        threshold = self.threshold(state)
        if threshold is None:
            return torch.ones_like(deviations, dtype=torch.bool)
        return deviations >= threshold

    def after(self, deviations: Tensor, state: DeviationState) -> DeviationState:
        """The state after one more step, in which groups with these standard deviations (any number) were generated:
        all of them, the ones that were left out included. A step without a finite one changes no average."""
        steps, collected, average = state.steps + 1, state.collected, state.average
        finite = deviations.detach()[deviations.isfinite()].double()
        if steps > self.ignored and finite.numel():
            mean = float(finite.mean())
            if average is None:
                collected = (*collected, mean)
            else:
                average = self.decay * average + (1 - self.decay) * mean
        if average is None and collected and steps >= self.ignored + self.collected:
            average = math.fsum(collected) / len(collected)
        return DeviationState(steps=steps, collected=collected, average=average)


def group_deviations(rewards: Tensor, group_size: int) -> Tensor:
    """Standard deviation, with n − 1 below, of each group: rewards (N,), groups side by side → (G,). NaN rewards, which
    nothing could score, are left out; NaN where fewer than two are left, exactly 0 where all are equal. ValueError if N
    is not a multiple of `group_size`."""
    groups = as_groups(rewards.detach(), group_size)
    known = ~groups.isnan()
    counts = known.sum(dim=1)
    lowest = groups.masked_fill(~known, torch.inf).amin(dim=1, keepdim=True)
    above = (groups - lowest).masked_fill(~known, 0.0)  # differences to the lowest: 0 where all are equal
    mean = above.sum(dim=1, keepdim=True) / counts.clamp(min=1).unsqueeze(1)
    squares = (above - mean).square().masked_fill(~known, 0.0).sum(dim=1)
    return (squares / (counts - 1).clamp(min=1)).sqrt().masked_fill(counts < 2, torch.nan)


def _is_deviation(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
