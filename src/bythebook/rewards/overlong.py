"""The penalty for long completions of CodeV-R1 (arXiv 2505.24183), on its own and subtracted from a reward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field

from bythebook.errors import DataError
from bythebook.types import Noun, Part, Verdict

__all__ = ["Overlong", "Penalised"]


class Overlong(Noun):
    """min(−(n − (L − b)) / b · factor, 0) for a completion of n tokens: 0 up to L − b, −factor at L. Published code,
    with L = 16,384 and b = 1,024."""

    limit: int = Field(default=16_384, ge=1)
    """L, in tokens."""
    buffer: int = Field(default=1024, ge=1)
    """b, in tokens."""
    factor: float = Field(default=1.0, ge=0)

    def penalty(self, tokens: int) -> float:
        """For a completion of that many tokens; 0 or less."""
        return min(-(tokens - (self.limit - self.buffer)) / self.buffer * self.factor, 0.0)

    def applied(self, verdict: Verdict, tokens: int) -> Verdict:
        """A verdict with the penalty as its part `overlong`. Status and the other parts stay, so that groups can be
        filtered by accuracy before it; what is unscored stays so."""
        if verdict.value is None:
            return verdict
        penalty = self.penalty(tokens)
        part = Part(value=penalty, weight=self.factor, reason=f"{tokens} tokens of {self.limit}")
        parts = {**verdict.parts, "overlong": part}
        return verdict.model_copy(update={"value": verdict.value + penalty, "parts": parts})


class Penalised:
    """A reward as RL engines call one, less the penalty for long completions; picklable if the reward is."""

    def __init__(self, reward: Callable[..., Sequence[float | None]], overlong: Overlong) -> None:
        self.reward, self.overlong = reward, overlong
        self.__name__ = str(getattr(reward, "__name__", "reward"))  # TRL names its columns after this

    @property
    def judge(self) -> Any:
        """That of the reward; None where it has none."""
        return getattr(self.reward, "judge", None)

    def earned(self, value: float, tokens: int) -> float:
        """What was earned before the penalty, up to rounding."""
        return value - self.overlong.penalty(tokens)

    def __call__(self, *, completion_ids: Sequence[Sequence[int]] | None = None, **columns: Any) -> list[float | None]:
        """One value a completion, whose length in tokens is that of its `completion_ids`; None where it could not be
        scored. DataError without that column, and for one of another length."""
        values = self.reward(**columns)
        if completion_ids is None or len(completion_ids) != len(values):
            given = "no" if completion_ids is None else str(len(completion_ids))
            raise DataError(f"{given} completion_ids beside {len(values)} rewards", remedy="give one list a completion")
        costs = [self.overlong.penalty(len(ids)) for ids in completion_ids]
        if (log := columns.get("log_metric")) is not None and costs:  # TRL's
            log("overlong/share", sum(cost < 0 for cost in costs) / len(costs))
        return [None if value is None else value + cost for value, cost in zip(values, costs, strict=True)]
