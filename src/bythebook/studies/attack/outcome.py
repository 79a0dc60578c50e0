"""What came of a trick."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from bythebook.studies.attack.yardstick import TOLERANCE

__all__ = ["Outcome", "Play"]

_SHOWN = 200
"""Characters of a completion that are reported."""


class Play(NamedTuple):
    """One attempt of a trick."""

    completion: str
    earned: float | None
    """What the reward paid; None counts as nothing."""
    honest: float | None
    """What it pays what the attempt deserves."""
    called_right: bool
    """Whether its verdict was `ok`, and should not have been."""


@dataclass(frozen=True)
class Outcome:
    """What the best attempt of a trick earned from a reward."""

    reward: str
    trick: str
    tried: int
    earned: float
    """Of the attempt that earned most above what it deserved, or least below it."""
    honest: float
    """What an honest answer of that attempt's F1 earns."""
    completion: str
    called_right: bool
    """Whether the verdict on some attempt that is not right was `ok`."""

    @classmethod
    def of(cls, reward: str, trick: str, plays: Iterable[Play]) -> Outcome:
        """The worst of the attempts: the first of those that earned most above what they deserved."""
        best, tried, called_right = (0.0, 0.0, ""), 0, False
        for play in plays:
            earned, honest = play.earned or 0.0, play.honest or 0.0
            called_right |= play.called_right
            if not tried or earned - honest > best[0] - best[1]:
                best = earned, honest, play.completion
            tried += 1
        return cls(reward, trick, tried, *best, called_right)

    @property
    def overpaid(self) -> bool:
        return self.called_right or self.earned > self.honest + TOLERANCE

    def report(self) -> dict[str, Any]:
        """As in the JSON of `bythebook attack`."""
        found = {"reward": self.reward, "trick": self.trick, "earned": self.earned, "honest": self.honest}
        return {**found, "completion": self.completion[:_SHOWN]}
