"""One's own questions about tables, with headings in several rows and columns as HiTab (Z. Cheng et al., ACL 2022) has
them: one JSON object a line.

    {"id": "t1-1", "title": "Students by field",
     "header": [["", "2019", "2019", "2020"], ["", "women", "men", "women"]], "row_headings": 1,
     "rows": [["physics", "12", "30", "14"], ["history", "25", "20", "27"]],
     "question": "How many women studied physics in 2019?", "answers": ["12"]}

`header` is one row or more, from the top; a heading that spans columns stands in each of them. `row_headings` says how
many columns from the left name the row (0 if absent); a heading that spans rows stands in each of them. All rows have
the same number of cells; numbers are taken as they are written.

What is asked: `question` with `answers`, a list whose items are all right together; or with `references`, sentences of
which each is right; or `statement` with `label`, `entailed` or `refuted`. `title` is optional, and so is `id`, which is
else the file's name and the line. The file's name is the split: that of a single file is `train`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import said
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows, named_rows
from bythebook.readers.paths import files_of
from bythebook.readers.table_questions import TableQuestion
from bythebook.schema.tables import Table, TableKind

__all__ = ["read_table_json"]

_REMEDY = 'a row has "header", "rows" and "question" with "answers", "references", or "statement" with "label"'


class _Row(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True, extra="forbid")

    id: str | None = None
    title: str = ""
    header: tuple[tuple[str, ...], ...]
    row_headings: int = 0
    rows: tuple[tuple[str, ...], ...]
    question: str | None = None
    answers: tuple[str, ...] | None = None
    references: tuple[str, ...] | None = None
    statement: str | None = None
    label: str | None = None

    def asked(self) -> tuple[str, TableKind, tuple[str, ...]]:
        """(question, kind, answers). ValueError unless exactly one thing is asked."""
        given = tuple(
            name
            for name in ("question", "answers", "references", "statement", "label")
            if getattr(self, name) is not None
        )
        match given:
            case ("question", "answers"):
                return self.question or "", "items", self.answers or ()
            case ("question", "references"):
                return self.question or "", "text", self.references or ()
            case ("statement", "label"):
                return self.statement or "", "verdict", (self.label or "",)
            case _:
                raise ValueError(f"{', '.join(given) or 'nothing'} is given: {_REMEDY}")


def read_table_json(path: Path, faults: Faults) -> dict[str, list[TableQuestion]]:
    """The questions of a JSONL file, or of each of a folder, by split. Faults are added with their line; DataError if
    nothing can be read at all."""
    files = files_of(path, (".jsonl",), missing="no table data that is known", remedy=_REMEDY)
    return {"train" if path.is_file() else file.stem: _questions(file, faults) for file in files}


def _questions(file: Path, faults: Faults) -> list[TableQuestion]:
    out: list[TableQuestion] = []
    for line, name, row in named_rows(file, json_rows(file, _Row, faults), faults):
        try:
            question, kind, answers = row.asked()
            table = Table(headers=row.header, rows=row.rows, row_headings=row.row_headings, title=row.title)
            out.append(TableQuestion(id=name, table=table, question=question, kind=kind, answers=answers))
        except ValueError as error:
            faults.add(file, line, said(error) if isinstance(error, ValidationError) else str(error))
    return out
