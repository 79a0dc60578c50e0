"""Which tags a completion is asked to have. A recipe declares one set; tags of the others are deviations."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import Field

from bythebook.types import Noun

__all__ = ["TAG_SETS", "TagSet"]

_ANSWER = "answer"
_THINKING = ("think", "reasoning", "plan")
"""What the recipes call their blocks of thinking."""


class TagSet(Noun):
    """Blocks of thinking in their order, each with a tag of its own, then the block `<answer>`."""

    thinking: tuple[str, ...] = Field(default=("think",), max_length=4)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The blocks in order."""
        return (*self.thinking, _ANSWER)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every tag in the order in which it is due: `<think>`, `</think>`, `<answer>`, `</answer>`."""
        return tuple(tag for name in self.names for tag in (f"<{name}>", f"</{name}>"))

    @cached_property
    def tag_like(self) -> re.Pattern[str]:
        """The tags and what resembles them. A match holds one `<`, so none can swallow part of another tag."""
        return _tag_like(self.names)

    @cached_property
    def foreign(self) -> re.Pattern[str] | None:
        """What resembles a tag of the other sets; None if there is no other tag."""
        others = tuple(name for name in _THINKING if name not in self.thinking)
        return _tag_like(others) if others else None


def _tag_like(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"<\s{{0,4}}/?\s{{0,4}}(?:{'|'.join(map(re.escape, names))})\s{{0,4}}>", re.IGNORECASE)


TAG_SETS: dict[str, TagSet] = {
    "think": TagSet(),  # R1-RE, and plain GRPO on SciER
    "reasoning_think": TagSet(thinking=("reasoning", "think")),  # R²GRPO
    "plan": TagSet(thinking=("plan",)),  # MimicSFT
    "answer": TagSet(thinking=()),  # answer-only fine-tuning
}
