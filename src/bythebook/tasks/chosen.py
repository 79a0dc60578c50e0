"""Completions of a model as what is imitated: rejection-sampling fine-tuning (RFT, Yuan et al. 2023, arXiv 2308.01825).

Somebody has sampled, thrown away what is wrong and kept the records of the rest in a JSONL; `data.target` names it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeGuard

from bythebook.errors import DataError
from bythebook.records import read_records
from bythebook.types import Example

__all__ = ["chosen_examples", "chosen_target", "names_records"]

_COMPLETION = "_completion"
"""The key in `Example.meta` of the completion that is imitated."""


def names_records(target: str | None) -> TypeGuard[str]:
    """Whether `data.target` is a file of records, not the name of a task's target."""
    return target is not None and target.endswith((".jsonl", ".jsonl.gz"))


def chosen_examples(file: str, examples: Sequence[Example]) -> list[Example]:
    """Every example once for each distinct completion that the file has of its id, in the order of the file; the
    others are left out. DataError for records that can't be read or keep no completions, and if there is none of these
    examples."""
    wanted = {e.id for e in examples}
    kept: dict[str, dict[str, None]] = {}
    for record in read_records(file):
        if record.completion is None:
            remedy = "records of licensed data and slim ones hold ids and verdicts"
            raise DataError(f"the record of {record.id!r} keeps no completion", file=file, remedy=remedy)
        if record.id in wanted and record.finish_reason == "stop":
            kept.setdefault(record.id, {})[record.completion] = None
    if not kept:
        raise DataError("holds no whole completion of the training examples", file=file, remedy="sample from these")
    return [
        e.model_copy(update={"meta": {**e.meta, _COMPLETION: text}}) for e in examples for text in kept.get(e.id, {})
    ]


def chosen_target(example: Example, _: random.Random) -> str:
    """The completion that was kept. KeyError for an example that `chosen_examples` has not made."""
    return example.meta[_COMPLETION]
