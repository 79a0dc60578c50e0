"""SemEval-2018 Task 7, subtasks 1.1 and 1.2, as a task: six relations between given entities of scientific abstracts.

The official split: training 1,228 and test 355 pairs in 1.1 (entities marked by hand), 1,248 and 355 in 1.2 (marked
automatically). Each pair has one label; COMPARE is symmetric. The question shows the sentence around the two mentions.
Subtask 2, in which the pairs have to be found, is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.semeval2018 import Semeval2018Row, check_semeval2018, practice_documents, read_semeval2018
from bythebook.tasks.base import Task
from bythebook.tasks.imitation import TARGETS
from bythebook.types import Entity, Example, Guideline

__all__ = ["DOMAIN", "TASK", "Subtask", "check", "guideline", "load"]

Subtask = Literal["1.1", "1.2", "both"]
DOMAIN = "semeval2018"


def guideline() -> Guideline:
    """Our own-words guideline of the six relations."""
    return load_from_library("semeval2018")


def check(path: Path | str) -> dict[str, Any]:
    """{"rows": {"1.1 train": …, …}, "faults": [{"file", "line", "message"}]} of the release folder."""
    return check_semeval2018(path)


def load(path: Path | str | None = None, subtask: Subtask = "1.1", practice: bool = False) -> dict[str, list[Example]]:
    """`train` and `test` of a subtask, or of both together, in the order of the files.

    With `practice`, the pairs of the 50 training abstracts that the organisers set aside for practice evaluation
    (`training-eval.txt`) are `dev` and not in `train`. Ids are `semeval2018-<subtask>-<entity>-<entity>`. DataError for
    a fault in the files, an unknown subtask, and one that the folder does not hold.
    """
    if path is None:
        raise DataError("semeval2018 reads files", remedy="give the folder of the release with --path")
    if str(subtask) not in get_args(Subtask):
        raise DataError(f"no subtask {subtask!r}", remedy=f"subtasks are: {', '.join(get_args(Subtask))}")
    wanted = ("1.1", "1.2") if subtask == "both" else (str(subtask),)
    rows = [r for r in read_semeval2018(path) if r.subtask in wanted]
    # Six training abstracts belong to both subtasks: what one sets aside, the other does, too.
    aside = {document for name in wanted for document in practice_documents(path, name)} if practice else set()
    parts: dict[str, list[Semeval2018Row]] = {"train": [], **({"dev": []} if practice else {}), "test": []}
    for row in rows:
        held_out = row.split == "train" and row.document in aside
        parts["dev" if held_out else row.split].append(row)
    parts = {name: part for name, part in parts.items() if part}
    if not parts:
        raise DataError(f"no pair of subtask {subtask}", file=path, remedy="give the folder of the release")
    shown = guideline()
    return {name: list(_examples(part, name, shown, wanted)) for name, part in parts.items()}


def _examples(
    rows: Iterable[Semeval2018Row], split: str, shown: Guideline, subtasks: tuple[str, ...]
) -> Iterable[Example]:
    for r in rows:
        tags: Mapping[str, str] = {"subtask": r.subtask} if len(subtasks) > 1 else {}
        yield Example(
            id=f"semeval2018-{r.subtask}-{r.ids[0]}-{r.ids[1]}",
            text=r.text,
            entities=(Entity(id="e1", span=r.e1), Entity(id="e2", span=r.e2)),
            gold=r.label,
            guideline=shown,
            domain=DOMAIN,
            split=split,
            meta={"document": r.document, "e1": r.ids[0], "e2": r.ids[1], **tags},
        )


TASK = Task(
    name="semeval2018",
    summary="SemEval-2018 Task 7, subtasks 1.1 and 1.2: six relations between entities of scientific abstracts",
    load=load,
    needs_path=True,
    check=check,
    targets=TARGETS,
    licensed=True,
    in_domain=("dev", "test"),
)
