"""A table as data: header rows, rows of cells, and what is asked of it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from bythebook.types import Noun

__all__ = ["ENTAILED", "REFUTED", "VERDICTS", "Table", "TableKind"]

TableKind = Literal["items", "verdict", "text"]
"""What an answer is: `items`, a list of cells or numbers without order; `verdict`, whether a statement holds; `text`, a
sentence in free words."""

ENTAILED, REFUTED = "entailed", "refuted"
VERDICTS = (ENTAILED, REFUTED)


class Table(Noun):
    """A table of `len(rows)` × `width` cells under one or more header rows of the same width.

    A header that spans columns stands in each of them: equal neighbours under the same parent are one heading.
    ValidationError for a table without columns, rows of another width, or more row headings than columns.
    """

    headers: tuple[tuple[str, ...], ...] = Field(min_length=1)
    """Header rows from the top."""
    rows: tuple[tuple[str, ...], ...]
    row_headings: int = Field(default=0, ge=0)
    """How many columns from the left name the row instead of holding values."""
    title: str = ""

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if not self.width:
            raise ValueError("the table has no columns")
        for number, row in enumerate((*self.headers, *self.rows), start=1):
            if len(row) != self.width:
                raise ValueError(f"row {number} of the table has {len(row)} cells, the first has {self.width}")
        if self.row_headings > self.width:
            raise ValueError(f"{self.row_headings} columns of row headings in a table of {self.width}")
        return self

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.headers[0])

    @property
    def columns(self) -> tuple[str, ...]:
        """One name a column: its headings from the top, each once, joined by ` / `."""
        names = zip(*self.headers, strict=True)
        return tuple(" / ".join(dict.fromkeys(part for part in name if part.strip())) for name in names)
