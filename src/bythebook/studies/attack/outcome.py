"""What came of a trick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bythebook.studies.attack.yardstick import TOLERANCE

__all__ = ["Outcome"]

_SHOWN = 200
"""Characters of a completion that are reported."""


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

    @property
    def overpaid(self) -> bool:
        return self.called_right or self.earned > self.honest + TOLERANCE

    def report(self) -> dict[str, Any]:
        """As in the JSON of `bythebook attack`."""
        found = {"reward": self.reward, "trick": self.trick, "earned": self.earned, "honest": self.honest}
        return {**found, "completion": self.completion[:_SHOWN]}
