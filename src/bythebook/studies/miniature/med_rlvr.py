"""Med-RLVR in miniature: multiple choice from a start that keeps the form in three answers of ten.

Trained on questions of four options with the letter as the only label, asked with four and with ten. PPO is the paper's
algorithm, GRPO a control of ours. The paper's baseline is fine-tuning on the letter; fine-tuning on a careful reader's
notes sees what RL has to find, and is an upper bound.
"""

from __future__ import annotations

from bythebook.metrics.stages import STAGES
from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions

__all__ = ["MED_RLVR"]

_BATCHES = 60
_FOUR, _TEN = 0.25, 0.1
"""What guessing among so many options gets."""


def _from_start(name: str, label: str, recipe: str, *overrides: str, steps: int = _BATCHES) -> Arm:
    return Arm(name, label, recipe, overrides, begins_with=START.name, steps=steps)


MED_RLVR = Miniature(
    system="med_rlvr",
    title="Med-RLVR: multiple choice, paid for the letter",
    paper="arXiv 2502.19655",
    arms=(
        Arm(START.name, "start, 30 % in form", "med_rlvr_tiny_warm_start", steps=160, data_seed=1000),
        _from_start("ppo", "PPO", "med_rlvr_tiny"),
        _from_start(
            "grpo",
            "GRPO, no critic",
            "med_rlvr_tiny",
            "objective.ppo=null",
            "objective.scale_rewards=group",
            "objective.kl_in_reward=0",
        ),
        _from_start("sft", "fine-tuning on the letter", "med_rlvr_tiny_sft", steps=2 * _BATCHES),
        _from_start(
            "notes", "fine-tuning on careful notes", "med_rlvr_tiny_sft", "data.target=careful", steps=2 * _BATCHES
        ),
    ),
    claims=(
        Claim("PPO brings at least 95 % of the answers into form", "ppo", (), "format", "id", above=0.95),
        Claim("PPO raises accuracy", "ppo", (START.name,), split="id"),
        Claim("It is above chance on held-out questions of four options", "ppo", (), split="id", above=_FOUR),
        Claim("It is above chance on ten options", "ppo", (), above=_TEN),
        Claim("RL is as good as fine-tuning on the letter (within 5 points)", "ppo", ("sft",), "greedy", "id", 0.05),
        Claim("RL is better than fine-tuning on the letter out of domain", "ppo", ("sft",), "greedy"),
        Claim("PPO and GRPO train alike (within 5 points)", "ppo", ("grpo",), split="id", margin=0.05),
    ),
    questions=Questions(
        task="world_mcqa",
        options={"options": 4},
        in_domain="test",
        splits={"id": "held-out questions of four options", "ood": "questions of ten options"},
    ),
    curves=("reward", "completion_length", *(f"stage_{stage}" for stage in STAGES)),
)
