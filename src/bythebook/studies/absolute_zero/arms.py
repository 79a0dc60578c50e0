"""What is compared: who plays, and what a reward is compared with; what is asked of all; what is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bythebook.studies.miniature.arms import Arm, Claim

__all__ = ["ARMS", "CLAIMS", "KINDS_ASKED", "QUICK", "SPLITS", "START", "PlaySize"]

START = "start"

SPLITS: Mapping[str, str] = {
    "id": "held-out programs, all kinds",
    "deduction": "held-out programs, deduction",
    "abduction": "held-out programs, abduction",
    "induction": "held-out programs, induction",
    "ood": "one step longer than any at the start",
}
"""What all arms are asked; the middle three are the parts of the first."""
KINDS_ASKED = ("deduction", "abduction", "induction")

_RELEASE = (
    "reward.options.proposer.unlearnable=-0.5",
    "objective.advantages_by=task_relative_tokens",
)

_SOLVER = (
    "rollout.self_play.roles=solver",
    # As many answers are learnt from as in self-play.
    "rollout.prompts_per_step=24",
    "training.batch_size=48",
    "training.micro_batch_size=48",
)


def _arm(name: str, label: str, *overrides: str) -> Arm:
    return Arm(name, label, "absolute_zero_tiny", overrides, begins_with=START)


ARMS: tuple[Arm, ...] = (
    Arm(START, "start, fine-tuned", "absolute_zero_start_tiny"),
    _arm("self_play", "self-play, as in the paper"),
    _arm("solver", "solver alone, on the seeds", *_SOLVER),
    _arm("common", "self-play, one baseline for all", "rollout.self_play.baseline=batch"),
    _arm("released", "self-play, as released", *_RELEASE),
)

CLAIMS: tuple[Claim, ...] = (
    Claim("Self-play without any data makes a better solver", "self_play", (START,), split="id"),
    Claim("It does so in deduction", "self_play", (START,), split="deduction"),
    Claim("It does so in abduction", "self_play", (START,), split="abduction"),
    Claim("It does so in induction", "self_play", (START,), split="induction"),
    Claim("It does so for longer programs", "self_play", (START,)),
    Claim("Setting exercises as well is better than solving a fixed set", "self_play", ("solver",), split="id"),
    Claim("A baseline for each cell is better than one for all", "self_play", ("common",), split="id"),
    Claim(
        "Paper and release train alike (within 3 points)",
        "self_play",
        ("released",),
        split="id",
        margin=0.03,
    ),
)


@dataclass(frozen=True)
class PlaySize:
    """How much of everything, in one seed."""

    careful_steps: int = 2500
    """Of fine-tuning on careful solvers alone."""
    start_steps: int = 60
    """Of fine-tuning on solvers of differing care, after these."""
    steps: int = 40
    questions: int = 384
    """Of held-out programs, a third of each kind; and half as many of longer ones."""
    samples: int = 4
    """K of Avg@K and Pass@K."""


QUICK = PlaySize(careful_steps=1, start_steps=120, steps=2, questions=12, samples=2)
"""Whether it runs at all; no figure of it means anything."""
