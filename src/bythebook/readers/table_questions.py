"""A question or a statement about a table, as every reader of table data returns it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from bythebook.errors import DataError, said
from bythebook.schema.tables import VERDICTS, Table, TableKind
from bythebook.types import Noun

__all__ = ["TableQuestion", "flat_table", "read_text"]


class TableQuestion(Noun):
    """What is asked of a table, with its answers.

    ValidationError for an empty question, no answer, or a verdict that is none of `VERDICTS` or not alone.
    """

    id: str = Field(min_length=1)
    table: Table
    question: str
    """Of the kind `verdict`, the statement to judge."""
    kind: TableKind
    answers: tuple[str, ...] = Field(min_length=1)
    """`items`: all of them together are the answer; `verdict`: one label; `text`: references, each right."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if not self.question.strip():
            raise ValueError("the question is empty")
        if self.kind == "verdict" and (len(self.answers) != 1 or self.answers[0] not in VERDICTS):
            raise ValueError(f"the label is one of {', '.join(VERDICTS)}, got {', '.join(self.answers)[:80]!r}")
        if self.kind == "text" and not all(answer.strip() for answer in self.answers):
            raise ValueError("a reference is empty")
        return self


def flat_table(lines: Sequence[Sequence[str]], title: str = "") -> Table:
    """A table of one header row, the first of `lines`. ValueError says what is wrong with it."""
    if not lines:
        raise ValueError("the table is empty")
    try:
        return Table(headers=(tuple(lines[0]),), rows=tuple(tuple(line) for line in lines[1:]), title=title)
    except ValidationError as error:
        raise ValueError(said(error)) from None


def read_text(path: Path) -> str:
    """The text of a file, its line ends as they are. DataError if it can't be read or is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise DataError("not UTF-8", file=path, remedy="save the file as UTF-8") from None
