"""SciERC as a task: six entity types and seven relations in abstracts of AI papers, sentence by sentence.

With `unit: document` a whole abstract is one text. Relations never leave a sentence in this release; its coreference
clusters are read (`readers.dygie`) and counted, but no sub-task asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.dygie import REMEDY, DygieDocument, read_dygie_file
from bythebook.readers.faults import Faults
from bythebook.tasks.base import Task
from bythebook.tasks.extraction import Passage, add_counts, asked_sub_tasks, passage_of, questions
from bythebook.tasks.mimic import EXTRACTION_TARGETS
from bythebook.types import Example, Guideline

__all__ = ["DOMAIN", "SPLITS", "TASK", "Unit", "check", "guideline", "load"]

DOMAIN = "scierc"
SPLITS = ("train", "dev", "test")
Unit = Literal["sentence", "document"]
_FOLDER = "give the folder of train.json, dev.json and test.json"


def guideline() -> Guideline:
    """Our own-words guideline of six entity types and seven relations."""
    return load_from_library("scierc")


def check(path: Path | str) -> dict[str, Any]:
    """{"rows": {split: sentences}, "faults": […], "counts": {split: {"documents", "entities", "relations", …}}}."""
    documents, faults = _read(path)
    shown = guideline()
    rows = {split: sum(len(d.sentences) for d in part) for split, part in documents.items()}
    found: dict[str, Any] = {"rows": rows, "faults": faults.rows}
    if faults.first is not None:
        return found
    found = add_counts(found, {s: _passages(part, shown, "sentence") for s, part in documents.items()}, shown)
    for split, part in documents.items():
        found["counts"][split]["clusters"] = sum(len(d.clusters) for d in part)
    return found


def load(
    path: Path | str | None = None,
    sub_task: str | None = None,
    sub_tasks: str | Sequence[str] | None = None,
    unit: Unit = "sentence",
) -> dict[str, list[Example]]:
    """`train`, `dev` and `test`, as far as the folder holds them, asked for one sub-task (default: end2end) or several.

    Ids are `scierc-<doc_key>-<sentence from 1>`, with `unit="document"` `scierc-<doc_key>`. DataError for a fault in
    the files, an unknown sub-task and an unknown unit.
    """
    if path is None:
        raise DataError("scierc reads files", remedy=f"{_FOLDER} with --path")
    if unit not in get_args(Unit):
        raise DataError(f"no unit {unit!r}", remedy=f"units are: {', '.join(get_args(Unit))}")
    asked, shown = asked_sub_tasks(sub_task, sub_tasks), guideline()
    found, faults = _read(path)
    faults.refuse()
    return {split: questions(_passages(rows, shown, unit), shown, asked, split=split) for split, rows in found.items()}


def _passages(documents: Iterable[DygieDocument], shown: Guideline, unit: Unit) -> list[Passage]:
    texts = [(d, t) for d in documents for t in (d.by_sentence() if unit == "sentence" else [d.whole])]
    return [passage_of(t, shown, name=f"scierc-{t.id}", domain=DOMAIN, of=d.whole.id) for d, t in texts]


def _read(path: Path | str) -> tuple[dict[str, list[DygieDocument]], Faults]:
    path = Path(path)
    if not path.is_dir():
        raise DataError("no such folder", file=path, remedy=_FOLDER)
    files = {split: path / f"{split}.json" for split in SPLITS if (path / f"{split}.json").exists()}
    if not files:
        raise DataError("none of train.json, dev.json, test.json", file=path, remedy=_FOLDER)
    faults, shown = Faults(remedy=REMEDY), guideline()
    types = frozenset(e.name for e in shown.entity_types)
    relations = frozenset(r.name for r in shown.relation_types)
    found = {
        split: read_dygie_file(file, faults, entity_types=types, relations=relations) for split, file in files.items()
    }
    return found, faults


TASK = Task(
    name="scierc",
    summary="SciERC: six entity types and seven relations in abstracts of AI papers; joint extraction",
    load=load,
    needs_path=True,
    check=check,
    targets=EXTRACTION_TARGETS,
    licensed=True,
    in_domain=("dev", "test"),
)
