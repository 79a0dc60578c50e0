"""The section `rollout.self_play`, and what may stand beside it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bythebook.recipe.section import Section

__all__ = ["SelfPlaySection", "self_play_fault"]

_BY = ("task_relative", "task_relative_tokens")
"""Advantages by role and kind, which only self-play has."""


class SelfPlaySection(Section):
    """RL only: rollouts are what proposer and solver play with the model; see training.self_play and
    tasks.self_play. A step has prompts_per_step × num_generations of them, equally many of each role and kind."""

    roles: Literal["both", "solver"] = "both"
    """`solver`: the buffers stay as they were seeded."""
    rate_rollouts: int = Field(ge=2)
    """Answers of the solver from which it is told how hard an exercise is."""
    same_step: bool
    """Whether exercises are solved in the step in which they are set, or one later."""
    references: int = Field(ge=1)
    """Exercises that the proposer is shown, of deduction and abduction."""
    capacity: int = Field(ge=1)
    """Exercises that are kept, of each kind."""
    seeds: int = Field(ge=1)
    """Exercises of each kind before the first update."""
    seeding_rounds: int = Field(default=200, ge=1)
    """Batches of proposals in which these must have been found."""
    baseline: Literal["cell", "batch"] = "cell"
    """What a reward is compared with: those of its own role and kind, or all of the step."""
    wall_s: float = Field(gt=0, le=600)
    """What a program may take."""
    lanes: int | None = Field(default=None, ge=1)
    """Programs run side by side; None: one a core."""


def self_play_fault(objective: Any, rollout: Any, reward: Any) -> str | None:
    """Why the sections `objective`, `rollout` and `reward` don't go together where one of them is of self-play; None
    where they do, or none is."""
    play = rollout.self_play
    if (play is None) == (objective.advantages_by in _BY):
        return f"rollout.self_play and objective.advantages_by {' or '.join(_BY)} belong together"
    if play is None:
        return None
    others = {
        "objective.ppo": objective.ppo,
        "objective.kl_in_reward": objective.kl_in_reward,
        "objective.normalise_rewards": objective.normalise_rewards,
        "rollout.refill": rollout.refill,
        "reward.overlong": reward.overlong,
    }
    beside = next((name for name, value in others.items() if value), None)
    if beside:
        return f"{beside} beside rollout.self_play"
    rollouts, cells = rollout.prompts_per_step * rollout.num_generations, 6 if play.roles == "both" else 3
    if rollouts % cells:
        return f"rollout.self_play: {rollouts} rollouts are not equally many of {cells} roles and kinds"
    return None
