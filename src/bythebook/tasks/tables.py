"""Questions and statements about tables, as Table-R1 (arXiv 2505.23621) trains on them: WikiTableQuestions, TabFact,
FeTaQA, or one's own with headings over headings.

Which data it is shows the folder: see `readers.wikitablequestions`, `readers.tabfact`, `readers.fetaqa` and
`readers.table_json`. The text of an example is the question followed by the table, in one of the forms of
`prompts.tables`; its guideline says how to answer, and its gold is a `TableGold`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from bythebook.errors import DataError, RecipeError
from bythebook.prompts.tables import SERIALISATIONS, Serialisation, table_text
from bythebook.readers.faults import Faults
from bythebook.readers.fetaqa import is_fetaqa, read_fetaqa
from bythebook.readers.tabfact import is_tabfact, read_tabfact
from bythebook.readers.table_json import read_table_json
from bythebook.readers.table_questions import TableQuestion
from bythebook.readers.wikitablequestions import is_wikitablequestions, read_wikitablequestions
from bythebook.schema.table_answers import as_meta
from bythebook.schema.tables import TableKind
from bythebook.tasks.asking import how_to_answer, reference_of
from bythebook.tasks.base import Task
from bythebook.types import Example

__all__ = ["TASK", "check", "load", "say", "table_example"]

_FORM = (
    "First think it through between <think> and </think>. Then answer between <answer> and </answer> with one JSON "
    'object in a fence that begins with ```json and ends with ```, in the form {"answer": …}: '
)
_HOW: dict[TableKind, str] = {
    "items": "Answer the question from the table. " + _FORM + 'a list of texts, ["…", "…"], with one or more items.',
    "verdict": "Say whether the table entails or refutes the statement. " + _FORM + '"entailed" or "refuted".',
    "text": "Answer the question from the table in a sentence. " + _FORM + "the sentence as a text.",
}
_ASKED: dict[TableKind, str] = {"items": "", "verdict": "Entailed or refuted? ", "text": ""}


def load(
    path: Path | str | None, serialisation: Serialisation = "markdown", most_characters: int | None = None
) -> dict[str, list[Example]]:
    """One example a question, by split; ids are `tables-<dataset>-<id>`.

    `most_characters` leaves out tables that are longer as text. DataError names file and line of the first fault, or
    the missing path; RecipeError for an unknown serialisation.
    """
    if path is None:
        raise DataError("the task tables reads a path", remedy="--path FOLDER")
    if serialisation not in SERIALISATIONS:
        raise RecipeError(f"no serialisation {serialisation!r}", remedy=f"choose one of {', '.join(SERIALISATIONS)}")
    faults = Faults()
    dataset, found = _read(Path(path), faults)
    faults.refuse()
    examples = {
        split: [table_example(row, split, dataset, serialisation) for row in rows] for split, rows in found.items()
    }
    if most_characters is None:
        return examples
    return {split: [e for e in rows if len(e.text) <= most_characters] for split, rows in examples.items()}


def check(path: Path | str) -> dict[str, Any]:
    """Every fault of every row; the note says which data it was taken for."""
    faults = Faults()
    dataset, found = _read(Path(path), faults)
    return {**faults.beside(found), "notes": [f"read as {dataset}"]}


def _read(path: Path, faults: Faults) -> tuple[str, dict[str, list[TableQuestion]]]:
    if is_wikitablequestions(path):
        return "wikitablequestions", read_wikitablequestions(path, faults)
    if is_tabfact(path):
        return "tabfact", read_tabfact(path, faults)
    if is_fetaqa(path):
        return "fetaqa", read_fetaqa(path, faults)
    return "own", read_table_json(path, faults)


def table_example(asked: TableQuestion, split: str, dataset: str, serialisation: Serialisation) -> Example:
    """A question as an example of this task."""
    title = f"Table: {' '.join(asked.table.title.split())}" if asked.table.title.strip() else "Table:"
    question = " ".join(asked.question.split())
    # An answer is written as the prompt shows its cell: on one line.
    answers = tuple(" ".join(answer.split()) for answer in asked.answers)
    reference = json.dumps(answers, ensure_ascii=False) if asked.kind == "items" else answers[0]
    return Example(
        id=f"tables-{dataset}-{asked.id}",
        text=f"{_ASKED[asked.kind]}{question}\n\n{title}\n{table_text(asked.table, serialisation)}",
        guideline=how_to_answer("tables", _HOW[asked.kind]),
        domain=dataset,
        split=split,
        meta=as_meta(asked.kind, answers),
        sub_task="question",
        reference=reference,
    )


def say(example: Example, thinking: str = "") -> str:
    """The reference in the form that is asked for. DataError where there is none."""
    reference = reference_of(example)
    listed = example.meta["table_task"] == "items"
    value = reference if listed else json.dumps(reference, ensure_ascii=False)
    return f'<think>{thinking}</think>\n<answer>\n```json\n{{"answer": {value}}}\n```\n</answer>'


def _answer(example: Example, _: random.Random) -> str:
    return say(example)


TASK = Task(
    name="tables",
    summary="questions and statements about tables: WikiTableQuestions, TabFact, FeTaQA, or own JSONL",
    load=load,
    needs_path=True,
    check=check,
    targets={"answer": _answer},
    in_domain=("test", "dev"),
)
