"""Rewards by name."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bythebook.errors import RecipeError
from bythebook.rewards.controls import FormatOnly, RandomReward
from bythebook.rewards.r1_re import R1RE, R1REAnchored
from bythebook.rewards.text_reward import TextReward

__all__ = ["REWARDS", "reward"]

REWARDS: dict[str, type[R1RE] | type[FormatOnly] | type[RandomReward]] = {
    "r1_re": R1RE,
    "r1_re_anchored": R1REAnchored,
    "format_only": FormatOnly,
    "random": RandomReward,
}


def reward(name: str, *, prefilled: bool = False, **options: Any) -> TextReward:
    """The reward of that name, with the options its class has as fields. RecipeError names what exists."""
    if name not in REWARDS:
        raise RecipeError(f"there is no reward {name!r}", remedy=f"choose one of {', '.join(REWARDS)}")
    kind = REWARDS[name]
    known = ", ".join((*kind.model_fields, "prefilled"))
    unknown = sorted(set(options) - set(kind.model_fields))
    if unknown:
        raise RecipeError(f"reward {name!r} has no option {', '.join(unknown)}", remedy=f"it has {known}")
    try:
        return TextReward(name, kind(**options), prefilled)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{where}: {first['msg']}" if where else first["msg"]
        raise RecipeError(f"reward {name!r}: {message}", remedy=f"its options are {known}") from None
