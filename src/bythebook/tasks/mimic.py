"""Completions to imitate that any task of joint extraction has: the answer alone, or after MimicSFT's plan."""

from __future__ import annotations

import random

from bythebook.errors import DataError
from bythebook.prompts.plans import plan
from bythebook.schema import ExtractionSchema
from bythebook.tasks.imitation import TARGETS, answer_only
from bythebook.types import Example

__all__ = ["EITHER_TARGETS", "EXTRACTION_TARGETS", "answer_as_json", "mimic"]


def answer_as_json(example: Example, _: random.Random) -> str:
    """The gold extraction without reasoning. DataError if there is none."""
    if example.extraction is None:
        raise DataError(f"example {example.id} has no gold", remedy="fine-tuning needs labelled examples")
    schema = ExtractionSchema.of(example.guideline)
    gold = schema.canonical(example.extraction, example.text)
    return f"<answer>{schema.write(gold, example.sub_task)}</answer>"


def mimic(example: Example, rng: random.Random) -> str:
    """The plan of the sub-task, then the gold extraction (MimicSFT, arXiv 2505.22068): tag set `plan`. DataError for
    the sub-task `label`, and without gold."""
    if example.sub_task == "label":
        remedy = "ask for another with data.options.sub_task"
        raise DataError("MimicSFT has no plan for the sub-task 'label'", remedy=remedy)
    return f"<plan>\n{plan(example)}\n</plan>{answer_as_json(example, rng)}"


def _answer(example: Example, rng: random.Random) -> str:
    return (answer_only if example.sub_task == "label" else answer_as_json)(example, rng)


EXTRACTION_TARGETS = {"answer": answer_as_json, "mimic": mimic}
EITHER_TARGETS = {**TARGETS, "answer": _answer, "mimic": mimic}
"""Of tasks that ask for labels or for extractions, as they are told."""
