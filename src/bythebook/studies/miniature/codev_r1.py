"""CodeV-R1 in miniature: small circuits in Verilog, paid by a test bench, with four ways to fill an update.

A model from scratch imitates designers of differing care; RL starts from it. Every update learns from equally many
prompts with a signal, whatever the rule that draws them; without a rule, prompts without a signal stay in the batch.
What drawing costs stands in the metrics: `studies.codev_r1.sampling`.
"""

from __future__ import annotations

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions

__all__ = ["ADAPTIVE", "CODEV_R1", "FIXED"]

_BATCHES = 24
FIXED, ADAPTIVE = "fixed", ("window", "minimum")
"""Arms whose sampling is compared."""


def _paid(name: str, label: str, *overrides: str) -> Arm:
    return Arm(name, label, "codev_r1_tiny", overrides, begins_with=START.name, steps=_BATCHES)


CODEV_R1 = Miniature(
    system="codev_r1",
    title="CodeV-R1: circuits in Verilog, paid by a test bench",
    paper="arXiv 2505.24183",
    arms=(
        Arm(
            START.name,
            "start, mixed designers",
            "codev_r1_start_tiny",
            steps=400,
            data_seed=1000,
        ),
        _paid("plain", "RL, nothing drawn anew", "rollout.refill=null"),
        _paid(FIXED, "RL, fixed refill (DAPO)", "rollout.refill.rule=fixed"),
        _paid("window", "RL, adaptive by a window (paper)", "rollout.refill.rule=window"),
        _paid("minimum", "RL, adaptive by the running minimum (code)"),
    ),
    claims=(
        Claim("RL raises pass@1 on unseen circuits", "minimum", (START.name,), split="id"),
        Claim("It raises it on pairs of gates never seen together", "minimum", (START.name,)),
        Claim("Prompts with a signal alone teach more than a batch as it comes", "minimum", ("plain",)),
        Claim("The window learns what fixed refill learns (within 5 points)", "window", (FIXED,), margin=0.05),
        Claim("So does the running minimum (within 5 points)", "minimum", (FIXED,), margin=0.05),
    ),
    questions=Questions(
        task="world_circuits",
        options={},
        splits={"id": "unseen circuits of seen pairs of gates", "ood": "pairs of gates never seen together"},
        max_new_tokens=56,
    ),
    curves=("reward", "entropy", "completion_length", "prompts_drawn", "rounds_of_sampling", "grad_norm"),
    also_kept=(
        "tokens_generated",
        "groups_without_signal",
        "groups_not_refilled",
        "groups_all_right",
        "groups_all_wrong",
        "groups_all_equal",
    ),
)
