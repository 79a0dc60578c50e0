"""The arms of the miniature, and what is claimed of them. No arm refuses tricks by rules of ours: a judge is on its
own, as in the paper."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bythebook.studies.miniature.arms import Claim
from bythebook.studies.reward_bridge.verifier import TERMS

__all__ = ["ARMS", "CLAIMS", "QUICK", "SPLITS", "START", "VERIFIER", "BridgeArm", "BridgeSize", "overrides_of"]

START, VERIFIER = "start", "verifier"
"""What every arm starts from, and the verifier that some are paid by: made once a seed."""

SPLITS: Mapping[str, str] = {"id": "questions in the words of training", "ood": "the same facts asked in other words"}
"""What all arms are asked, and what that is called."""


@dataclass(frozen=True)
class BridgeArm:
    """One reward."""

    name: str
    label: str
    options: Mapping[str, Any] | None = None
    """Of the reward `judged`; None: nothing is trained, or the truth is paid."""
    judged_by_verifier: bool = False


def _by_verifier(score: str) -> BridgeArm:
    return BridgeArm(
        f"verifier_{score}", f"verifier, {score}", {"score": score, "guarded": False}, judged_by_verifier=True
    )


ARMS = (
    BridgeArm(START, "before RL"),
    BridgeArm("substring", "rule: substring", {"rule": "substring", "score": "binary", "guarded": False}),
    BridgeArm("jaccard", "rule: Jaccard", {"rule": "jaccard", "score": "normalized", "guarded": False}),
    _by_verifier("binary"),
    _by_verifier("soft"),
    _by_verifier("normalized"),
    BridgeArm("truth", "the truth (upper bound)"),
)

_VERIFIED = ("verifier_binary", "verifier_soft", "verifier_normalized")
CLAIMS = (
    *(Claim(f"RL by the {name.replace('_', ', ')}, raises accuracy", name, (START,)) for name in _VERIFIED),
    *(
        Claim(f"The {name.replace('_', ', ')}, is better than the {rule} rule", name, (rule.lower(),))
        for rule in ("substring", "Jaccard")
        for name in _VERIFIED
    ),
    Claim("Soft and binary train alike (within 5 points)", "verifier_soft", ("verifier_binary",), margin=0.05),
    Claim("Normalised and soft train alike (within 5 points)", "verifier_normalized", ("verifier_soft",), margin=0.05),
    Claim("The truth pays better than the verifier", "truth", ("verifier_binary",)),
)


@dataclass(frozen=True)
class BridgeSize:
    """How much of everything, in one seed."""

    start_steps: int = 500
    verifier_steps: int = 1500
    cases: int = 12_000
    noise: float = 0.1
    steps: int = 40
    """Batches of rollouts."""
    questions: int = 128
    """Of each test split."""
    samples: int = 4
    """K of Avg@K and Pass@K."""


QUICK = BridgeSize(start_steps=4, verifier_steps=4, cases=200, steps=2, questions=8, samples=2)
"""Whether it runs at all; no figure of it means anything."""


def overrides_of(arm: BridgeArm, verifier: Path) -> list[str]:
    """The settings of an arm beside those of the study."""
    if arm.options is None:
        return ["reward.name=free_answer", "reward.options={}"]
    options = dict(arm.options)
    if arm.judged_by_verifier:
        terms = TERMS.model_dump(include={"prompt", "attempts", "batch_size", "max_new_tokens"})
        options |= {"model": str(verifier), "device": "cpu", "check": False, **terms}
    return [f"reward.options={json.dumps(options)}"]
