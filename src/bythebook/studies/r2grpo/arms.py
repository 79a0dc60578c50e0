"""The arms: what is trained from what, by which recipe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["ABLATED", "ARMS", "COMPONENTS", "START", "Arm"]

Group = Literal["compared", "ablation"]

START = "start"
ABLATED = "r2grpo_direct"
"""The arm whose reward loses a component in each ablation: its model thinks in its own words, where the others write
none or a plan that is always the same."""


@dataclass(frozen=True)
class Arm:
    """One line of a comparison."""

    name: str
    label: str
    recipe: str | None
    """None: nothing is trained."""
    after: str | None = START
    """The arm whose model it is trained from."""
    overrides: tuple[str, ...] = ()
    own_tags: bool = False
    """Whether it goes on in the form of the start model instead of the recipe's."""
    group: Group = "compared"
    without: str | None = None
    """Which component its reward lacks."""

    @property
    def rl(self) -> bool:
        """Whether it is trained by RL."""
        return self.recipe is not None and "sft" not in self.recipe


COMPONENTS: Mapping[str, Mapping[str, float]] = {
    "relevance": {"relevance": 0.0},
    "rule": {"rule_infers": 0.0, "rule_states": 0.0, "rule_explains": 0.0, "rule_steps": 0.0},
    "consistency": {"consistency": 0.0},
    "format": {"format": 0.0},
}
"""Component of the reward → the weights that take it out."""


def _without(component: str) -> Arm:
    overrides = tuple(f"reward.options.{name}={json.dumps(w)}" for name, w in COMPONENTS[component].items())
    return Arm(
        f"no_{component}",
        f"… without {component}",
        "r2grpo_tiny",
        overrides=overrides,
        own_tags=True,
        group="ablation",
        without=component,
    )


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(START, "start model", None, after=None),
        Arm("sft", "SFT (answers only)", "scier_sft_tiny"),
        Arm("rft", "RFT (rejection sampling)", "scier_sft_tiny", own_tags=True),
        Arm("mimic", "MimicSFT", "mimic_sft_tiny"),
        Arm("grpo", "SFT, then GRPO", "scier_grpo_tiny", after="sft"),
        Arm("r2grpo", "SFT, then R²GRPO", "r2grpo_no_mimic_tiny", after="sft"),
        Arm("mimic_r2grpo", "MimicSFT, then R²GRPO", "r2grpo_tiny", after="mimic"),
        Arm(ABLATED, "R²GRPO without SFT", "r2grpo_tiny", own_tags=True),
        *map(_without, COMPONENTS),
    )
}
"""In the order of the tables."""
