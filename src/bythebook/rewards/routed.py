"""Training on several tasks, each with the reward that fits it: every completion goes to that of its own domain.

MoDoMoDo (arXiv 2505.24871) pays every domain by its own parts, all of them 0 to 3 together. A policy that is paid in
several ranges learns from the widest one most, unless advantages are scaled by group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bythebook.errors import DataError
from bythebook.rewards.text_reward import Message, TextReward
from bythebook.types import FinishReason

__all__ = ["RoutedReward", "pay_range", "same_range"]

_PAID = ("bad_format", "wrong", "unparseable", "right")
"""Fields of rewards that pay one of a few values."""


class RoutedReward:
    """Rewards by the name of their domain, callable as TRL calls a reward function."""

    def __init__(self, rewards: Mapping[str, TextReward]) -> None:
        self.rewards = dict(rewards)
        self.__name__ = "routed"  # TRL names its columns after this

    def __repr__(self) -> str:
        return f"RoutedReward({self.rewards!r})"

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[str | Sequence[Message]],
        gold: Sequence[str | None],
        finish_reason: Sequence[FinishReason | None] | None = None,
        reward_of: Sequence[str] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One value a completion, None where it could not be scored. `reward_of` names the domain of each; a reward is
        called once, with the rows of its domain in their order. DataError for a column of another length, and for a
        domain without a reward."""
        names = [] if reward_of is None else list(reward_of)
        given = {"prompts": prompts, "completions": completions, "gold": gold, "finish_reason": finish_reason}
        wrong = [name for name, column in given.items() if column is not None and len(column) != len(names)]
        if wrong:
            raise DataError(f"{len(names)} domains in `reward_of`, another number of {wrong[0]}")
        if unknown := next((name for name in names if name not in self.rewards), None):
            raise DataError(f"no reward for the domain {unknown!r}", remedy=f"there are: {', '.join(self.rewards)}")
        found: list[float | None] = [None] * len(names)
        for domain in dict.fromkeys(names):
            places = [i for i, name in enumerate(names) if name == domain]
            rows = {key: _rows(value, places, len(names)) for key, value in {**given, **columns}.items()}
            for i, value in zip(places, self.rewards[domain](**rows), strict=True):
                found[i] = value
        return found


def _rows(column: Any, places: Sequence[int], whole: int) -> Any:
    """The rows of a column; what is no column, such as TRL's state, as it is."""
    if isinstance(column, Sequence) and not isinstance(column, str) and len(column) == whole:
        return [column[i] for i in places]
    return column


def pay_range(reward: TextReward) -> tuple[float, float] | None:
    """(least, most) that it pays; None where that does not stand in its fields."""
    values = [getattr(reward.judge, name, None) for name in _PAID]
    paid = [float(value) for value in values if isinstance(value, int | float)]
    return (min(paid), max(paid)) if values[-1] is not None else None


def same_range(rewards: Sequence[TextReward]) -> bool:
    """Whether all pay from the same least to the same most, as far as that is known; equal ones do."""
    ranges = {pay_range(reward) for reward in rewards}
    return all(reward.judge == rewards[0].judge for reward in rewards) or (None not in ranges and len(ranges) == 1)
