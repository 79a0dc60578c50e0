"""Rewards by name."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bythebook.errors import RecipeError, said
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.rewards.codev_r1 import CodeVR1
from bythebook.rewards.control_reward import ControlReward
from bythebook.rewards.controls import FormatOnly, RandomReward
from bythebook.rewards.forms import Form
from bythebook.rewards.free_answer import FreeAnswerReward
from bythebook.rewards.key_values import MedicalVIE, MedicalVIEPaper
from bythebook.rewards.med_rlvr import MedRLVR
from bythebook.rewards.perception_r1 import PerceptionR1
from bythebook.rewards.perception_r1_release import PerceptionR1Release
from bythebook.rewards.r1_re import R1RE, R1REAnchored
from bythebook.rewards.r1_re_triplets import R1RETriplets
from bythebook.rewards.r2grpo import R2GRPO
from bythebook.rewards.r2grpo_release import R2GRPORelease
from bythebook.rewards.spurious import CONTROLS
from bythebook.rewards.table_r1 import TableR1
from bythebook.rewards.table_r1_release import TableR1Evaluation, TableR1Release
from bythebook.rewards.text_reward import TextReward

__all__ = ["FAITHFUL", "REWARDS", "SCORERS", "reward", "rewards_for"]

Kind = (
    type[R1RE]
    | type[FormatOnly]
    | type[RandomReward]
    | type[R2GRPO]
    | type[R2GRPORelease]
    | type[R1RETriplets]
    | type[FreeAnswerReward]
    | type[MedRLVR]
    | type[PerceptionR1]
    | type[MedicalVIE]
    | type[MedicalVIEPaper]
    | type[TableR1]
    | type[TableR1Release]
    | type[TableR1Evaluation]
    | type[CodeVR1]
)

REWARDS: dict[str, Kind] = {
    "r1_re": R1RE,
    "r1_re_anchored": R1REAnchored,
    "r1_re_triplets": R1RETriplets,
    "r2grpo": R2GRPO,
    "r2grpo_release": R2GRPORelease,
    "free_answer": FreeAnswerReward,
    "med_rlvr": MedRLVR,
    "perception_r1": PerceptionR1,
    "perception_r1_release": PerceptionR1Release,
    "medical_vie": MedicalVIE,
    "medical_vie_paper": MedicalVIEPaper,
    "table_r1": TableR1,
    "table_r1_release": TableR1Release,
    "table_r1_evaluation": TableR1Evaluation,
    "codev_r1": CodeVR1,
    "format_only": FormatOnly,
    "random": RandomReward,
}
FAITHFUL = {
    "r2grpo": "r2grpo_release",
    "perception_r1": "perception_r1_release",
    "medical_vie": "medical_vie_paper",
    "table_r1": "table_r1_release",
}
"""Rewards of which there is the published original, faults included: the option `faithful: true` chooses it."""
SCORERS = ("table_r1_evaluation",)
"""Published scorers of evaluation, kept with their faults, too."""


def rewards_for(form: Form) -> tuple[str, ...]:
    """The names of the rewards that judge by golds of that form."""
    return tuple(name for name, kind in REWARDS.items() if form in kind.reads)


def reward(
    name: str, *, prefilled: bool = False, tags: str = "think", faithful: bool = False, **options: Any
) -> TextReward:
    """The reward of that name, with the options its class has as fields. RecipeError names what exists.

    `tags` names the tag set of joint extraction; `faithful` chooses the published original of `FAITHFUL`. Beside
    `REWARDS` there are `CONTROLS`, which look at rollouts side by side and do not deserve what they pay.
    """
    kinds: dict[str, Any] = {**REWARDS, **CONTROLS}
    if name not in kinds:
        raise RecipeError(f"there is no reward {name!r}", remedy=f"choose one of {', '.join(kinds)}")
    kind = kinds[name]
    known = ", ".join((*kind.model_fields, *(["faithful"] if name in FAITHFUL else []), "prefilled", "tags"))
    if faithful:
        if name not in FAITHFUL:
            raise RecipeError(f"reward {name!r} has no option faithful", remedy=f"it has {known}")
        name = FAITHFUL[name]
        kind = REWARDS[name]
        known = ", ".join((*kind.model_fields, "faithful", "prefilled", "tags"))
    if tags not in TAG_SETS:
        raise RecipeError(f"there is no tag set {tags!r}", remedy=f"choose one of {', '.join(TAG_SETS)}")
    unknown = sorted(set(options) - set(kind.model_fields))
    if unknown:
        raise RecipeError(f"reward {name!r} has no option {', '.join(unknown)}", remedy=f"it has {known}")
    try:
        made = ControlReward if name in CONTROLS else TextReward
        return made(name, kind(**options), prefilled, tags)
    except ValidationError as error:
        raise RecipeError(f"reward {name!r}: {said(error)}", remedy=f"its options are {known}") from None
