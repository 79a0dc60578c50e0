"""A team's own documents as a task: every pair of given entities is one question.

A row with `entities` is asked pair by pair: the mention that stands first in the text is `e1`. Two mentions that
overlap are no pair. A marked sentence is one question, with the roles it was marked with.

A folder holds one file a split (`train.jsonl`, `dev.jsonl`, `test.jsonl`: what `bythebook data split` writes) and may
hold its guideline as `guideline.md`.

With another `sub_task` than `label`, every row is one question of joint extraction (`tasks.extraction`): raw text is a
row, too, and a marked sentence is none. Other formats than our JSONL are read with `format` (`tasks.formats`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import library_names, load_from_library, load_guideline
from bythebook.readers.documents import Document
from bythebook.schema import Grammar
from bythebook.tasks.base import Task
from bythebook.tasks.extraction import Passage, add_counts, asked_sub_tasks, passage_of, questions
from bythebook.tasks.formats import Format, check_files, read_files
from bythebook.tasks.mimic import EITHER_TARGETS
from bythebook.types import Entity, Example, Guideline, Label

__all__ = ["GUIDELINE_FILES", "TASK", "check", "guideline_in", "guideline_of", "load", "pair_examples"]

GUIDELINE_FILES = ("guideline.md", "guideline.yaml", "guideline.yml")
"""What a folder's own guideline may be called."""

_Golds = dict[tuple[str, str], Label]
"""(id of `e1`, id of `e2`) → label."""


def guideline_of(guideline: Guideline | Path | str) -> Guideline:
    """The guideline itself, the one in that file, or the one of that name in our library. GuidelineError otherwise."""
    if isinstance(guideline, Guideline):
        return guideline
    if not Path(guideline).exists() and str(guideline) in library_names():
        return load_from_library(str(guideline))
    return load_guideline(guideline)


def guideline_in(path: Path | str) -> Path | None:
    """The guideline that a folder of documents brings along, if it does."""
    found = (Path(path) / name for name in GUIDELINE_FILES)
    return next((file for file in found if file.is_file()), None) if Path(path).is_dir() else None


def pair_examples(document: Document, guideline: Guideline, max_distance: int | None = None) -> list[Example]:
    """The questions of one document, in the order of the text.

    `max_distance` bounds the characters between the two mentions. The gold answer is the relation annotated for the
    pair; where there is none, it is the guideline's no-relation label; None where nobody annotated the document or the
    guideline has no such label. `meta` holds the document's id and the ids of the entities that are `e1` and `e2`.
    """
    gold = _golds(document, guideline)
    if document.marked:
        return [_example(document, guideline, document.id, document.entities, gold)]
    order = sorted(range(len(document.entities)), key=lambda i: _place(document.entities[i]))
    out = []
    for position, i in enumerate(order):
        first = document.entities[i]
        for j in order[position + 1 :]:
            second = document.entities[j]
            distance = second.span.start - first.span.end
            if max_distance is not None and distance > max_distance:
                break
            if distance >= 0:
                out.append(_example(document, guideline, f"{document.id}#{i + 1}-{j + 1}", (first, second), gold))
    return out


def _place(entity: Entity) -> tuple[int, int]:
    return entity.span.start, entity.span.end


def _example(
    document: Document, guideline: Guideline, name: str, pair: tuple[Entity, ...], gold: _Golds | None
) -> Example:
    first, second = pair
    none = Label(name=guideline.no_relation) if guideline.no_relation else None
    return Example(
        id=name,
        text=document.text,
        entities=tuple(Entity(id=role, span=e.span, type=e.type) for role, e in (("e1", first), ("e2", second))),
        gold=None if gold is None else gold.get((first.id, second.id), none),
        guideline=guideline,
        domain=document.domain or guideline.domain,
        meta={"document": document.id, "e1": first.id, "e2": second.id},
    )


def _golds(document: Document, guideline: Guideline) -> _Golds | None:
    """The label of every related pair, in both orders of the pair; None where nobody annotated the document."""
    if document.relations is None:
        return None
    grammar = Grammar.of(guideline)
    golds: _Golds = {}
    for r in document.relations:
        if r.type != guideline.no_relation:
            golds[r.head, r.tail] = grammar.canonical(Label(name=r.type, direction="(e1,e2)"))
            golds[r.tail, r.head] = grammar.canonical(Label(name=r.type, direction="(e2,e1)"))
    return golds


def load(
    path: Path | str | None = None,
    *,
    guideline: Guideline | Path | str | None = None,
    split: str = "test",
    max_distance: int | None = None,
    sub_task: str | None = None,
    sub_tasks: str | Sequence[str] | None = None,
    format: Format = "jsonl",
) -> dict[str, list[Example]]:
    """Every question of a file, as the split of that name; of a folder, one split a `.jsonl` file, named by its stem.

    Without `guideline`, the one in the folder is taken. `sub_task` is `label` unless said otherwise; `max_distance` is
    for `label` only. DataError names file and line of the first fault, or says which option is missing.
    """
    if path is None:
        raise DataError("the documents task reads your own file", remedy="give its path with --path")
    if not Path(path).exists():
        raise DataError("no such file or folder", file=path)
    guideline = guideline or guideline_in(path)
    if guideline is None:
        remedy = "give a guideline file or a name of the library, or put guideline.md into the folder of the data"
        raise DataError("the documents task needs a guideline", remedy=remedy)
    shown = guideline_of(guideline)
    asked = asked_sub_tasks(sub_task, sub_tasks, default="label")
    if format == "docred" and asked == ("label",):
        # Only the first mentions of two entities are joined: of every other pair of theirs it would say "unrelated".
        raise DataError("relations of DocRED join entities, not mentions", remedy="ask for sub_task end2end")
    splits: dict[str, list[Example]] = {}
    for file, documents in read_files(path, format, shown, joint=asked != ("label",)).items():
        name = file.stem if Path(path).is_dir() and file.is_file() else split
        if asked == ("label",):
            examples = [e for d in documents for e in pair_examples(d, shown, max_distance)]
            splits[name] = [e.model_copy(update={"split": name}) for e in examples]
        else:
            splits[name] = questions(_passages(documents, shown), shown, asked, split=name, file=file)
    return splits


def _passages(documents: Sequence[Document], shown: Guideline) -> list[Passage]:
    return [passage_of(d, shown, name=d.id, domain=d.domain or shown.domain) for d in documents]


def check(
    path: Path | str,
    guideline: Guideline | Path | str | None = None,
    sub_task: str | None = None,
    format: Format = "jsonl",
) -> dict[str, Any]:
    """{"rows": {file stem: sound rows}, "faults": [{"file", "line", "message"}]}, as `data check` prints it.

    With a sub-task of joint extraction `counts` stand beside, and notes on type signatures that relations break.
    """
    guideline = guideline or guideline_in(path)
    shown = None if guideline is None else guideline_of(guideline)
    joint = asked_sub_tasks(sub_task, None, default="label") != ("label",)
    found = check_files(path, format, shown, joint=joint)
    if not joint or found["faults"] or shown is None:
        return found
    files = read_files(path, format, shown, joint=True)
    return add_counts(found, {file.stem: _passages(documents, shown) for file, documents in files.items()}, shown)


TASK = Task(
    name="documents",
    summary="your own JSONL: documents with entities, or sentences with two marked mentions; needs a guideline",
    load=load,
    needs_path=True,
    check=check,
    targets=EITHER_TARGETS,
)
