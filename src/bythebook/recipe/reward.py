"""What an RL recipe says about pay."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from bythebook.recipe.section import Section as _Section

__all__ = ["OverlongSection", "RewardSection"]


class OverlongSection(_Section):
    """RL only: what long completions cost; see rewards.overlong."""

    limit: int = Field(ge=1)
    """L, in tokens: a completion of this length pays `factor`."""
    buffer: int = Field(ge=1)
    """b, in tokens: below L - b nothing is paid, from there on more with every token."""
    factor: float = Field(ge=0)

    def model_post_init(self, _context: object) -> None:
        if self.buffer > self.limit:
            raise ValueError(f"reward.overlong: a buffer of {self.buffer} tokens is longer than the limit {self.limit}")


class RewardSection(_Section):
    """RL only: which reward, with its options."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)
    overlong: OverlongSection | None = None
    """Subtracted from it for long completions; null: length costs nothing."""
