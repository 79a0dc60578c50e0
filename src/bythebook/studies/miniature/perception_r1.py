"""Perception-R1 in miniature: descriptions of scenes in symbols, from a start whose descriptions are of mixed truth.

The answers of training can nearly always be guessed: whoever answers what is usual is right in 19 of 20. Asked are
held-out scenes of the same kind, and scenes in which nothing is usual.
"""

from __future__ import annotations

import json
from typing import Any

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, Questions
from bythebook.studies.miniature.perception_notes import perception_notes

__all__ = ["PERCEPTION_R1"]

_RULE = "perception_r1"
_BATCHES = 30
_SCENES: dict[str, Any] = {"kinds": ["colour", "size"], "things": 2, "habit": 0.95}


def _paid(name: str, label: str, *overrides: str, by: str = "perceived", **options: Any) -> Arm:
    """An arm paid by that reward with those options."""
    paid = (f"reward.name={by}", f"reward.options={json.dumps({'window': 8, **options})}")
    return Arm(name, label, "perception_r1_tiny", (*paid, *overrides), begins_with=START.name, steps=_BATCHES)


_ANSWER_ALONE: dict[str, Any] = {"by": _RULE, "perception": 0.0, "contradiction": 0.0, "repetition": 0.0}

PERCEPTION_R1 = Miniature(
    system="perception_r1",
    title="Perception-R1: a perception reward beside the answer's",
    paper="arXiv 2506.07218",
    arms=(
        Arm(START.name, "start, descriptions of mixed truth", "perception_r1_start_tiny", steps=300, data_seed=4000),
        _paid("accuracy", "accuracy alone", **_ANSWER_ALONE),
        _paid("accuracy_unusual", "accuracy alone, nothing usual in training", "data.options.habit=0", **_ANSWER_ALONE),
        _paid("perception", "+ γ·r_v, presence", judge="rule", contradiction=0.0),
        _paid("no_repetition", "the same without r_p", judge="rule", contradiction=0.0, repetition=0.0),
        _paid("contradiction", "+ γ·r_v, with the contradiction term", by=_RULE),
        _paid("yes_judge", "+ γ·r_v by a judge that says yes", judge="yes", contradiction=0.0),
        _paid("word_judge", "+ γ·r_v by a judge that a word takes in", judge="word", contradiction=0.0),
    ),
    claims=(
        Claim(
            "Accuracy alone leaves perception as it is (within 5 points)",
            "accuracy",
            (START.name,),
            "perceived",
            "id",
            0.05,
        ),
        Claim("γ·r_v raises perception", "perception", (START.name, "accuracy"), "perceived", "id"),
        Claim("γ·r_v raises perception", "perception", (START.name, "accuracy"), "perceived"),
        Claim("It raises accuracy where nothing can be guessed", "perception", (START.name, "accuracy")),
        Claim(
            "Where nothing can be guessed accuracy alone raises perception",
            "accuracy_unusual",
            (START.name,),
            "perceived",
        ),
        Claim("Without r_p there is more repetition", "no_repetition", ("perception",), "repeated", "id"),
        Claim("Without r_p there is more repetition", "no_repetition", ("perception",), "repeated"),
        Claim("Presence alone pays for mentioning everything", "perception", (START.name,), "hedged", "id"),
        Claim("The contradiction term pays less for it", "perception", ("contradiction",), "hedged", "id"),
        Claim("It describes no worse (within 5 points)", "contradiction", ("perception",), "perceived", "id", 0.05),
        Claim("A judge that a word takes in is given the word", "word_judge", (START.name,), "assured", "id"),
        Claim("Perception is below the start's then", START.name, ("word_judge",), "perceived", "id"),
        Claim(
            "A judge that says yes to everything teaches no perception", "perception", ("yes_judge",), "perceived", "id"
        ),
    ),
    questions=Questions(
        task="world_scenes",
        options=_SCENES,
        beyond="unusual",
        splits={"id": "held-out scenes as in training", "ood": "scenes in which nothing is usual"},
        out_of_domain=208,
        as_many=True,
        samples=2,
        max_new_tokens=56,
    ),
    notes=perception_notes,
    paired=True,
)
