"""A table as text. Table-R1 (arXiv 2505.23621) publishes its prompts rendered and not how: Markdown is our reading of
its requirements, the other forms are there to see what depends on it.

`markdown`, `csv` and `linear` have one header row, with the headings of a column joined; `html` keeps headings that
span columns or rows. A table of n rows is n lines after its header (`html`: n table rows in the body; `linear`: one
line with n numbered rows), whatever stands in the cells: white space and control characters become single spaces, and
what the form itself is made of is escaped.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable, Sequence
from typing import Literal

from bythebook.schema.tables import Table

__all__ = ["SERIALISATIONS", "Serialisation", "table_text"]

Serialisation = Literal["markdown", "csv", "linear", "html"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def table_text(table: Table, serialisation: Serialisation = "markdown") -> str:
    """The cells of a table in one of the forms, without its title. Linear in the table's size."""
    return SERIALISATIONS[serialisation](table)


def _one_line(cell: str) -> str:
    return " ".join(_CONTROL.sub(" ", cell).split())


# --------------------------------------------------------------------------------------------------- one header row


def _markdown(table: Table) -> str:
    """Pipes and backslashes have a backslash before them."""
    lines = [_bars(table.columns), "|" + " --- |" * table.width, *map(_bars, table.rows)]
    return "\n".join(lines)


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(cell: str) -> str:
    return _one_line(cell).replace("\\", "\\\\").replace("|", "\\|")


def _csv(table: Table) -> str:
    """Comma-separated, quoted where it must be, quotation marks doubled (RFC 4180), lines ended as in Unix."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerows([_one_line(cell) for cell in cells] for cells in (table.columns, *table.rows))
    return written.getvalue().removesuffix("\n")


def _linear(table: Table) -> str:
    """`col : a | b row 1 : x | y row 2 : …` on one line. A colon after a space, or at the beginning of a cell, has a
    backslash before it, so that no cell can begin a row."""
    rows = [f"row {number} : {_piped(row)}" for number, row in enumerate(table.rows, start=1)]
    return " ".join([f"col : {_piped(table.columns)}", *rows])


def _piped(cells: Sequence[str]) -> str:
    return " | ".join(re.sub(r"(^| ):", r"\1\\:", _escaped(cell)) for cell in cells)


# ------------------------------------------------------------------------------------------- headings over headings


def _html(table: Table) -> str:
    """Table rows on lines of their own; equal neighbours among headings under one parent are one cell that spans."""
    head = [_heading_row(table.headers[: level + 1]) for level in range(len(table.headers))]
    spans = _row_spans(table)
    body = [_body_row(table, number, spans) for number in range(len(table.rows))]
    return "\n".join(["<table>", "<thead>", *head, "</thead>", "<tbody>", *body, "</tbody>", "</table>"])


def _cell(name: str, text: str, **spans: int) -> str:
    attributes = "".join(f' {span}="{size}"' for span, size in spans.items() if size > 1)
    return f"<{name}{attributes}>{html.escape(_one_line(text))}</{name}>"


def _heading_row(headers: Sequence[Sequence[str]]) -> str:
    """The last of `headers`, of which the others are the parents."""
    paths = list(zip(*headers, strict=True))
    cells, start = [], 0
    for end in range(1, len(paths) + 1):
        # An empty heading is nobody's neighbour.
        if end == len(paths) or paths[end] != paths[start] or not paths[start][-1].strip():
            cells.append(_cell("th", paths[start][-1], colspan=end - start))
            start = end
    return "<tr>" + "".join(cells) + "</tr>"


def _row_spans(table: Table) -> list[list[int]]:
    """How many rows each row heading spans, by row and column; 0 where the one above covers it."""
    spans = [[1] * table.row_headings for _ in table.rows]
    for column in range(table.row_headings):
        start = 0
        for number in range(1, len(table.rows)):
            path, above = (table.rows[n][: column + 1] for n in (number, start))
            if path == above and path[-1].strip():
                spans[start][column] += 1
                spans[number][column] = 0
            else:
                start = number
    return spans


def _body_row(table: Table, number: int, spans: Sequence[Sequence[int]]) -> str:
    row, headings = table.rows[number], table.row_headings
    named = [_cell("th", row[c], rowspan=spans[number][c]) for c in range(headings) if spans[number][c]]
    return "<tr>" + "".join([*named, *(_cell("td", cell) for cell in row[headings:])]) + "</tr>"


SERIALISATIONS: dict[Serialisation, Callable[[Table], str]] = {
    "markdown": _markdown,
    "csv": _csv,
    "linear": _linear,
    "html": _html,
}
