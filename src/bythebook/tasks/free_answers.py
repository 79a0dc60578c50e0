"""Questions with free answers, which a program can't grade: RL on them takes a judge (`reward.name: judged`).

The data of "Crossing the Reward Bridge" (arXiv 2503.23829), or one's own: see `readers.free_answers`.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.free_answers import read_questions
from bythebook.tasks.asking import how_to_answer, reference_of
from bythebook.tasks.base import Task
from bythebook.types import Example

__all__ = ["TASK", "check", "load"]


def load(path: Path | str | None) -> dict[str, list[Example]]:
    """One question a row; the name of a file is its split, and that of a single one `train`. DataError names file and
    line of the first fault, or the missing path."""
    if path is None:
        raise DataError("the task free_answers reads a path", remedy="--path FILE.jsonl")
    faults = Faults()
    found = read_questions(path, faults)
    faults.refuse()
    if Path(path).is_file():
        found = {"train": found[Path(path).stem]}
    return {
        split: [
            Example(
                id=f"free_answers-{row.id}",
                text=row.question,
                guideline=how_to_answer("questions"),
                domain=row.domain,
                split=split,
                sub_task="question",
                reference=row.reference,
            )
            for row in rows
        ]
        for split, rows in found.items()
    }


def check(path: Path | str) -> dict[str, Any]:
    """Every fault of every row."""
    faults = Faults()
    return faults.beside(read_questions(path, faults))


def _answer(example: Example, _: random.Random) -> str:
    """The reference alone, in the line that is read. DataError where there is none."""
    return f"Therefore, the answer is {reference_of(example)}"


TASK = Task(
    name="free_answers",
    summary="questions with reference answers in free words, from JSONL; a judge grades them",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": _answer},
    in_domain=("test", "dev"),
)
