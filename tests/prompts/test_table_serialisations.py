"""Tables as text: no cell can break the form."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.prompts.tables import SERIALISATIONS, Serialisation, table_text
from bythebook.schema.tables import Table

FLAT = Table(headers=(("year", "a|b"),), rows=(("2001", "x\ny"), ("", "row 9 : \\|")))
DEEP = Table(
    headers=(("", "2019", "2019", "2020", "2020"), ("", "women", "men", "women", "women"), ("", "n", "n", "n", "%")),
    rows=(("physics", "1", "2", "3", "4"), ("physics", "5", "6", "7", "8"), ("", "", "", "", "9")),
    row_headings=1,
)

_MARKS = "ab1 |\\\n\r\t\"',:;#<>&/row col12\x00\x0b\x1c\x85\u2028\u202e\u00a0</td>é\U0001f600"
HOSTILE = st.text(st.sampled_from(_MARKS) | st.characters(), max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    width = draw(st.integers(1, 4))
    row = st.lists(HOSTILE, min_size=width, max_size=width).map(tuple)
    return Table(
        headers=tuple(draw(st.lists(row, min_size=1, max_size=3))),
        rows=tuple(draw(st.lists(row, max_size=4))),
        row_headings=draw(st.integers(0, width)),
    )


def _shown(cell: str) -> str:
    """A cell as it may be shown: on one line, without control characters."""
    (row,) = csv.reader(io.StringIO(table_text(Table(headers=(("x",),), rows=((cell,),)), "csv").partition("\n")[2]))
    return row[0] if row else ""


def unescaped(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell)


def test_a_table_in_every_form() -> None:
    assert table_text(FLAT) == "| year | a\\|b |\n| --- | --- |\n| 2001 | x y |\n|  | row 9 : \\\\\\| |"
    assert table_text(FLAT, "csv") == "year,a|b\n2001,x y\n,row 9 : \\|"
    assert table_text(FLAT, "linear") == "col : year | a\\|b row 1 : 2001 | x y row 2 :  | row 9 \\: \\\\\\|"
    assert table_text(FLAT, "html").splitlines()[2] == "<tr><th>year</th><th>a|b</th></tr>"


def test_headings_over_headings_span_in_html_and_are_joined_elsewhere() -> None:
    assert (
        table_text(DEEP, "csv").splitlines()[0] == ",2019 / women / n,2019 / men / n,2020 / women / n,2020 / women / %"
    )
    head = table_text(DEEP, "html").splitlines()
    assert head[2] == '<tr><th></th><th colspan="2">2019</th><th colspan="2">2020</th></tr>'
    assert head[3] == '<tr><th></th><th>women</th><th>men</th><th colspan="2">women</th></tr>'
    assert head[4] == "<tr><th></th><th>n</th><th>n</th><th>n</th><th>%</th></tr>"
    assert head[7] == '<tr><th rowspan="2">physics</th><td>1</td><td>2</td><td>3</td><td>4</td></tr>'
    assert head[8] == "<tr><td>5</td><td>6</td><td>7</td><td>8</td></tr>"
    assert head[9] == "<tr><th></th><td></td><td></td><td></td><td>9</td></tr>"


def test_equal_headings_under_other_parents_do_not_span() -> None:
    table = Table(headers=(("2019", "2020"), ("men", "men")), rows=())
    assert "colspan" not in table_text(table, "html")


@given(tables())
@settings(max_examples=200, deadline=None)
def test_markdown_has_a_line_a_row_and_every_cell_in_its_column(table: Table) -> None:
    lines = table_text(table).split("\n")
    assert len(lines) == len(table_text(table).splitlines()) == 2 + len(table.rows)
    for line, cells in zip([lines[0], *lines[2:]], (table.columns, *table.rows), strict=True):
        assert (line[:2], line[-2:]) == ("| ", " |")
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == table.width + 1
        found = re.split(r" (?<!\\)\| ", line[2:-2]) if table.width > 1 else [line[2:-2]]
        assert [unescaped(cell) for cell in found] == [_shown(cell) for cell in cells]


@given(tables())
@settings(max_examples=200, deadline=None)
def test_csv_is_read_back_cell_by_cell(table: Table) -> None:
    text = table_text(table, "csv")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == len(text.splitlines()) == 1 + len(table.rows)
    assert all(len(row) == table.width for row in rows)
    assert all(cell == " ".join(cell.split()) for row in rows for cell in row)


@given(tables())
@settings(max_examples=200, deadline=None)
def test_the_linear_form_is_one_line_with_as_many_rows_as_the_table(table: Table) -> None:
    text = table_text(table, "linear")
    assert len(text.splitlines()) == 1
    found = re.findall(r"(?:^| )(?:col|row \d+) :(?= )", text)
    assert [mark.strip() for mark in found] == ["col :", *(f"row {n} :" for n in range(1, len(table.rows) + 1))]
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", text)) == (table.width - 1) * (1 + len(table.rows))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.columns: list[int] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
            self.columns.append(0)
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.columns[-1] += int(dict(attrs).get("colspan") or 1)

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@given(tables())
@settings(max_examples=200, deadline=None)
def test_html_has_the_tags_of_a_table_and_no_others(table: Table) -> None:
    reader = _Reader()
    reader.feed(table_text(table, "html"))
    reader.close()
    assert reader.tags <= {"table", "thead", "tbody", "tr", "th", "td"}
    assert len(reader.rows) == len(table.headers) + len(table.rows)
    assert reader.columns[: len(table.headers)] == [table.width] * len(table.headers)
    for row, cells in zip(reader.rows[len(table.headers) :], table.rows, strict=True):
        shown = [_shown(cell) for cell in cells]
        values = len(shown) - table.row_headings
        assert [cell.strip("\n") for cell in row][len(row) - values :] == shown[table.row_headings :]


@pytest.mark.parametrize("serialisation", SERIALISATIONS)
def test_no_form_holds_a_control_character_or_changes_from_call_to_call(serialisation: Serialisation) -> None:
    cell = "".join(map(chr, range(0xFF))) + "\u2028\u202e\ud800"
    table = Table(headers=((cell, "x"),), rows=(("y", cell),), title=cell)
    text = table_text(table, serialisation)
    assert not [c for c in text if ord(c) < 32 and c != "\n"]
    assert "\u202e" not in text
    text.encode()
    assert text == table_text(table, serialisation)
