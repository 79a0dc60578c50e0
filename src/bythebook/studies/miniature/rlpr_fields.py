"""RLPR where it is needed: free-text fields under a guideline, whose right answers have many wordings.

All arms start from a model that fills in phrases, each annotator in any wording. The rules compare an answer with the
one reference; the program that knows every wording is the upper bound, which an annotation team does not have.
"""

from __future__ import annotations

import json

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions

__all__ = ["RLPR_FIELDS"]

_UNFILTERED = "rollout.refill=null"


def _paid(name: str, label: str, *overrides: str) -> Arm:
    return Arm(name, label, "rlpr_fields_tiny", overrides, begins_with=START.name)


def _by_rule(rule: str, label: str, score: str) -> Arm:
    options = {"rule": rule, "score": score, "guarded": False}
    return _paid(rule, label, "reward.name=judged", f"reward.options={json.dumps(options)}", _UNFILTERED)


RLPR_FIELDS = Miniature(
    system="rlpr_fields",
    title="RLPR on free-text fields: a reward without a verifier",
    paper="arXiv 2506.18254",
    arms=(
        Arm(START.name, "start, fills in phrases", "rlpr_fields_start_tiny", steps=100, data_seed=3000),
        _paid("rlpr", "RLPR"),
        _by_rule("exact", "rule: equal texts", "binary"),
        _by_rule("substring", "rule: substring", "binary"),
        _by_rule("jaccard", "rule: Jaccard", "normalized"),
        _paid("truth", "every wording (upper bound)", "reward.name=free_answer", "reward.options={}", _UNFILTERED),
    ),
    claims=(
        Claim("Without any verifier accuracy rises under never-seen guidelines", "rlpr", (START.name,)),
        Claim("RLPR is better than equal texts", "rlpr", ("exact",)),
        Claim("RLPR is better than substring and Jaccard", "rlpr", ("substring", "jaccard")),
        Claim("RLPR is as good as knowing every wording (within 5 points)", "rlpr", ("truth",), margin=0.05),
    ),
    questions=Questions(task="world_fields"),
)
