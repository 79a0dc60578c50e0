"""SciER as a task: datasets, methods and tasks of AI papers, and nine relations between them, sentence by sentence.

`test_ood` has papers of six other venues. Entities and relations are gold by their texts, as published, repeated
mentions included. The published counts of the test set differ by six sentences between the release and the copy in the
code of R2GRPO (arXiv 2505.22068): here are the rows of the folder that is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.scier import ScierRow, read_scier, scan_scier
from bythebook.tasks.base import Task
from bythebook.tasks.extraction import Passage, add_counts, asked_sub_tasks, questions
from bythebook.tasks.mimic import EXTRACTION_TARGETS
from bythebook.types import Example, Guideline

__all__ = ["DOMAIN", "TASK", "check", "guideline", "load"]

DOMAIN = "scier"


def guideline() -> Guideline:
    """Our own-words guideline of three entity types and nine relations, with the published type signatures."""
    return load_from_library("scier")


def check(path: Path | str) -> dict[str, Any]:
    """As `readers.scier.check_scier`, with what stands under `counts`: documents, entities and relations by split, and
    under `notes` how many relations break a type signature. These are left out where a fault stops the reading."""
    rows, faults = scan_scier(path)
    found = faults.beside(rows)
    if faults.first is not None:
        return found
    return add_counts(found, {split: [_passage(r) for r in part] for split, part in rows.items()}, guideline())


def load(
    path: Path | str | None = None,
    sub_task: str | None = None,
    sub_tasks: str | Sequence[str] | None = None,
) -> dict[str, list[Example]]:
    """`train`, `dev`, `test` and `test_ood`, as far as the folder holds them, asked for one sub-task (default: end2end)
    or for several.

    Ids are `scier-<split>-<line>`, see `tasks.extraction.questions`. DataError for a fault in the files and an unknown
    sub-task.
    """
    if path is None:
        raise DataError("scier reads files", remedy="give the folder LLM of the release with --path")
    asked, shown = asked_sub_tasks(sub_task, sub_tasks), guideline()
    return {
        split: questions([_passage(r) for r in rows], shown, asked, split=split)
        for split, rows in read_scier(path).items()
    }


def _passage(row: ScierRow) -> Passage:
    return Passage(
        id=f"scier-{row.id}",
        text=row.text,
        entities=row.extraction.entities,
        relations=row.extraction.relations,
        domain=DOMAIN,
        meta={"document": row.document},
        line=row.line,
    )


TASK = Task(
    name="scier",
    summary="SciER: datasets, methods, tasks of AI papers and nine relations; joint extraction, with an OOD test set",
    load=load,
    needs_path=True,
    check=check,
    targets=EXTRACTION_TARGETS,
    licensed=True,
    in_domain=("dev", "test"),
    out_of_domain=("test_ood",),
)
