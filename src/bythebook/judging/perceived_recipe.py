"""`reward.name: perceived` of a recipe: the perception reward with a judge that is named in the recipe.

    reward:
      name: perceived
      options: {model: Qwen/Qwen2.5-7B-Instruct, base_url: "http://localhost:8000/v1", contradiction: 0.0}

Options are the fields of `PerceptionR1`, beside either `judge` (a program: `stand_ins.STAND_INS`) or those of
`JudgedOptions` that say which model is asked, and how. The rule alone needs no judge: `reward.name: perception_r1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bythebook.errors import RecipeError, said
from bythebook.judging.ask import Judge
from bythebook.judging.from_recipe import JudgedOptions
from bythebook.judging.perception import PerceivedReward, perception_judge
from bythebook.judging.stand_ins import STAND_INS
from bythebook.rewards.perception_r1 import PerceptionR1

__all__ = ["PERCEIVED", "perceived_reward"]

PERCEIVED = "perceived"
"""The name of the reward in a recipe."""
_JUDGE = "judge"
_OF_SCORES = ("rule", "score", "guarded", "neither", "normalise", "prompt")
"""Options of a judge of answers that mean nothing here."""


def perceived_reward(options: Mapping[str, Any], *, prefilled: bool = False) -> PerceivedReward:
    """The reward that a recipe's `reward.options` ask for. RecipeError for options that are wrong, ModelError for a
    model that can't be loaded or asked."""
    paid = {name: value for name, value in options.items() if name in PerceptionR1.model_fields}
    asked = {name: value for name, value in options.items() if name not in paid}
    try:
        reward = PerceptionR1.model_validate(paid)
    except ValidationError as error:
        known = ", ".join(PerceptionR1.model_fields)
        raise RecipeError(f"reward {PERCEIVED!r}: {said(error)}", remedy=f"what it pays for: {known}") from None
    return PerceivedReward(_judge(asked), reward, prefilled=prefilled, name=PERCEIVED)


def _judge(asked: Mapping[str, Any]) -> Judge:
    known = [name for name in JudgedOptions.model_fields if name not in _OF_SCORES]
    unknown = sorted({*asked} - {*known, _JUDGE})
    if unknown:
        remedy = f"it has {', '.join((*PerceptionR1.model_fields, _JUDGE, *known))}"
        raise RecipeError(f"reward {PERCEIVED!r} has no option {', '.join(unknown)}", remedy=remedy)
    if _JUDGE not in asked:
        return perception_judge(asked)
    name = asked[_JUDGE]
    if len(asked) > 1 or not isinstance(name, str) or name not in STAND_INS:
        message = f"reward {PERCEIVED!r}: judge: {name!r} is no program, or stands beside options of a model"
        raise RecipeError(message, remedy=f"one of {', '.join(STAND_INS)} alone, or a model without judge")
    return STAND_INS[name]
