"""The gold that joint extraction is scored against: a split of a task's folder, or a file of its own."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bythebook.errors import DataError, InputError
from bythebook.guidelines import library_names, load_from_library
from bythebook.metrics.extraction import with_types
from bythebook.metrics.protocols import Fact, facts_of
from bythebook.readers.predictions import Asked, read_answer_rows
from bythebook.tasks import Task
from bythebook.types import Example, Extraction, Guideline

__all__ = ["Gold", "described", "gold_of"]

_SHOWN = 60


@dataclass(frozen=True)
class Gold:
    """The texts with their gold."""

    asked: tuple[Asked, ...]
    extractions: tuple[Extraction, ...]
    split: str | None
    declared: frozenset[str] | None
    """Entity and relation types of the guideline."""
    facts: frozenset[Fact] | None
    """The relations of the training set; None where there is none beside the gold."""
    relations: bool = True
    """Whether the gold says anything of relations, be it that there is none."""


def gold_of(task: Task, path: Path, split: str | None = None, sub_task: str = "end2end") -> Gold:
    """The gold of one split of a folder that the task reads, or of a JSONL in a form that predictions have.

    A row of such a file without `id` is called `<file stem>-<line>`, as in the task `documents`; if it has a `doc_id`,
    `<task>-<file stem>-<line>`, as in `scier`. InputError where there is no joint extraction, no such split, or two
    texts have one id.
    """
    if not task.needs_path:
        raise InputError(f"task {task.name!r} has no published scorer", remedy="use `bythebook evaluate`")
    if path.is_file():
        if split not in (None, path.stem) or sub_task != "end2end":
            message = "is a file: splits and sub-tasks are those of a folder"
            raise InputError(message, file=path, remedy="give the folder, or leave --split and --sub-task away")
        return _gold_of_file(task, path)
    found = _extractions(task, path, sub_task)
    name = _split(found, split, path)
    examples = found[name]
    train = found.get("train")
    return Gold(
        asked=_unique([Asked(e.id, _document(e), e.text) for e in examples], path),
        extractions=tuple(with_types(e.extraction or Extraction()) for e in examples),
        split=name,
        declared=_declared(examples[0].guideline) if examples else None,
        facts=facts_of(e.extraction for e in train if e.extraction) if train and name != "train" else None,
        relations=sub_task != "ner",
    )


def _gold_of_file(task: Task, path: Path) -> Gold:
    lines, asked = dict[str, int](), []
    rows = read_answer_rows(path)
    for row in rows:
        prefix = "" if row.document is None else f"{task.name}-"
        name = f"{prefix}{path.stem}-{row.line}" if row.id is None else row.id
        if name in lines:
            message = f"the id {name[:_SHOWN]!r} stands in line {lines[name]} already"
            raise DataError(message, file=path, line=row.line, remedy="give every text of the gold an id of its own")
        lines[name] = row.line
        asked.append(Asked(name, name if row.document is None else row.document, row.text or ""))
    for what in ("entities", "relations"):
        silent = [row.line for row in rows if not getattr(row, what)]
        if 0 < len(silent) < len(rows):
            message, remedy = f"the row says nothing of {what}, others do", "an empty list says that there is none"
            raise DataError(message, file=path, line=silent[0], remedy=remedy)
    known = _declared(load_from_library(task.name)) if task.name in library_names() else None
    return Gold(tuple(asked), tuple(with_types(row.extraction) for row in rows), None, known, None, rows[0].relations)


def _extractions(task: Task, path: Path, sub_task: str) -> dict[str, list[Example]]:
    """The splits of a folder, as joint extraction."""
    asked = {"sub_task": sub_task} if "sub_task" in inspect.signature(task.load).parameters else {}
    found = {
        name: [e for e in examples if e.sub_task != "label" and e.extraction is not None]
        for name, examples in task.read(path, **asked).items()
    }
    found = {name: examples for name, examples in found.items() if examples}
    if not found:
        message = f"task {task.name!r} has no published scorer, and its examples are no joint extraction"
        raise InputError(message, remedy="use `bythebook evaluate`")
    return found


def _split(found: Mapping[str, Sequence[Example]], split: str | None, path: Path) -> str:
    names = ", ".join(found)
    if split is not None and split not in found:
        raise InputError(f"no split {split!r}", file=path, remedy=f"there are: {names}")
    if split is None and "test" not in found and len(found) > 1:
        raise InputError("several splits, none of them named test", file=path, remedy=f"choose a --split: {names}")
    return split or ("test" if "test" in found else next(iter(found)))


def _unique(asked: Sequence[Asked], path: Path) -> tuple[Asked, ...]:
    twice = [name for name, n in Counter(a.id for a in asked).items() if n > 1]
    if twice:
        raise DataError(f"two texts have the id {twice[0][:_SHOWN]!r}", file=path, remedy="give every text its own")
    return tuple(asked)


def _document(example: Example) -> str:
    """Sentences of one document are drawn together by the bootstrap."""
    return next((example.meta[key] for key in ("document", "doc_id") if key in example.meta), example.id)


def _declared(guideline: Guideline) -> frozenset[str] | None:
    """The types of a guideline; None where it declares no entity types, which then are free."""
    if not guideline.entity_types:
        return None
    return frozenset([t.name for t in guideline.entity_types] + [r.name for r in guideline.relation_types])


def described(gold: Gold, path: Path) -> dict[str, Any]:
    """What a table of scores says of its gold: how many there are of each, and how many of these are distinct."""
    entities = [e.entities for e in gold.extractions]
    relations = [e.relations for e in gold.extractions]
    return {
        "path": str(path),
        "split": gold.split,
        "rows": len(gold.asked),
        "documents": len({a.document for a in gold.asked}),
        "entities": sum(map(len, entities)),
        "entities_unique": sum(len(set(e)) for e in entities),
        "relations": sum(map(len, relations)),
        "relations_unique": sum(len(set(r)) for r in relations),
        "relation_free_rows": sum(not r for r in relations),
    }
