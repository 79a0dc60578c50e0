"""WikiTableQuestions, TabFact, FeTaQA and one's own tables."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.fetaqa import is_fetaqa, read_fetaqa
from bythebook.readers.tabfact import is_tabfact, read_tabfact
from bythebook.readers.table_json import read_table_json
from bythebook.readers.table_questions import TableQuestion
from bythebook.readers.wikitablequestions import is_wikitablequestions, read_wikitablequestions, target_values

FIXTURES = Path(__file__).parents[1] / "fixtures"
Reader = Callable[[Path, Faults], dict[str, list[TableQuestion]]]


def read(reader: Reader, path: Path) -> dict[str, list[TableQuestion]]:
    faults = Faults()
    found = reader(path, faults)
    assert faults.rows == []
    return found


def faults_of(reader: Reader, path: Path) -> list[tuple[int, str]]:
    faults = Faults()
    reader(path, faults)
    return [(fault["line"], fault["message"]) for fault in faults.rows]


@pytest.fixture
def copied(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of the fixture that the test names."""
    return Path(shutil.copytree(FIXTURES / request.param, tmp_path / "copy"))


# ---------------------------------------------------------------------------------------------------- what is read


def test_wikitablequestions_has_quotes_backslashes_bars_and_line_breaks() -> None:
    found = read(read_wikitablequestions, FIXTURES / "wikitablequestions")
    assert {split: len(rows) for split, rows in found.items()} == {"train": 7, "test": 3}
    by_id = {q.id: q for rows in found.values() for q in rows}
    table = by_id["nt-1"].table
    assert (table.width, len(table.rows), table.columns) == (4, 4, ("Year", "Ship", "Harbour", "Crew"))
    assert table.rows[1][1] == 'The "Quick" Otter'
    assert table.rows[2][2] == "Sandy | Bay"
    assert table.rows[3] == ("1911", "Blue\nLantern", "Mira\\Sound", "")
    assert by_id["nt-3"].answers == ('The "Quick" Otter', "Grey Wren")
    assert by_id["nt-4"].answers == ("Sandy | Bay",)
    assert by_id["nt-5"].answers == ("Blue\nLantern",)
    assert by_id["nt-6"].answers == ("Mira\\Sound",)
    assert all(answer in [c for row in by_id[i].table.rows for c in row] for i in ("nt-3", "nt-5") for answer in
               by_id[i].answers)  # fmt: skip


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
@settings(max_examples=200)
def test_what_is_escaped_in_a_target_value_comes_back(answers: list[str]) -> None:
    escape = str.maketrans({"\\": "\\\\", "|": "\\p", "\n": "\\n"})
    assert target_values("|".join(answer.translate(escape) for answer in answers)) == tuple(answers)


def test_a_single_file_of_wikitablequestions_is_its_split() -> None:
    path = FIXTURES / "wikitablequestions" / "data" / "training.tsv"
    assert {split: len(rows) for split, rows in read(read_wikitablequestions, path).items()} == {"train": 7}


def test_tabfact_statements_have_their_table_caption_and_label() -> None:
    found = read(read_tabfact, FIXTURES / "tabfact")
    assert {split: len(rows) for split, rows in found.items()} == {"dev": 6, "test": 4}
    first, second = found["dev"][:2]
    assert (first.id, first.question, first.kind) == ("1-1.html.csv-1", "ana score 12 goal", "verdict")
    assert (first.answers, second.answers) == (("entailed",), ("refuted",))
    assert (first.table.title, first.table.rows[1]) == ("goal of the season", ("bo", "south end , united", "3"))


def test_fetaqa_titles_tables_and_answers() -> None:
    found = read(read_fetaqa, FIXTURES / "fetaqa")
    assert {split: len(rows) for split, rows in found.items()} == {"dev": 6, "test": 4}
    assert found["dev"][0].table.title == "Mira Lenn – Films"
    assert found["test"][2].table.title == "Valley Cup"
    assert found["dev"][1].table.rows[1] == ("2007", "Salt | Water", "Captain\nOrr")
    assert found["dev"][0].answers == ("In 2004, Mira Lenn played Anna in The Long Ferry.",)


def test_own_tables_have_headings_over_headings_and_all_three_kinds() -> None:
    found = read(read_table_json, FIXTURES / "tables")["train"]
    assert [q.kind for q in found].count("items") == 5
    assert {q.kind for q in found} == {"items", "verdict", "text"}
    table = found[0].table
    assert table.columns == ("", "2019 / women", "2019 / men", "2020 / women")
    assert (table.row_headings, table.rows[0]) == (1, ("physics", "12", "30", "14"))
    assert (found[6].id, found[6].answers) == ("train-7", ("5",))
    assert len(found[5].answers) == 2


def test_a_folder_shows_which_data_it_holds() -> None:
    tests = (is_wikitablequestions, is_tabfact, is_fetaqa)
    for number, name in enumerate(("wikitablequestions", "tabfact", "fetaqa", "tables")):
        assert [test(FIXTURES / name) for test in tests] == [number == place for place in range(3)]


# -------------------------------------------------------------------------------------------------------- the faults


@pytest.mark.parametrize("copied", ["wikitablequestions"], indirect=True)
def test_faults_of_wikitablequestions_are_named_with_their_line(copied: Path) -> None:
    file = copied / "data" / "training.tsv"
    lines = file.read_text(encoding="utf-8").splitlines()
    bad = [
        "nt-8\tthree columns\tcsv/1-csv/1.csv",
        "nt-1\tagain?\tcsv/1-csv/1.csv\t1",
        "nt-9\twhere?\tcsv/1-csv/9.csv\t1",
        "nt-10\twhere?\t../../etc/passwd\t1",
        "nt-11\t \tcsv/1-csv/1.csv\t1",
    ]
    file.write_text("\n".join([*lines, *bad]), encoding="utf-8")
    found = faults_of(read_wikitablequestions, copied)
    assert [line for line, _ in found] == [9, 10, 11, 12, 13]
    said = "\n".join(message for _, message in found)
    for part in ("3 columns", "stands on line 2, too", "No such file", "outside the release", "question is empty"):
        assert part in said
    file.write_text("a\tb\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"training\.tsv:1: the header is not"):
        read_wikitablequestions(copied, Faults())


@pytest.mark.parametrize("copied", ["wikitablequestions"], indirect=True)
@pytest.mark.parametrize("text", ['"a","b"\n"1"\n', "", '"a","open'])
def test_a_table_out_of_form_is_a_fault_of_its_questions(copied: Path, text: str) -> None:
    (copied / "csv" / "1-csv" / "2.csv").write_text(text, encoding="utf-8")
    found = faults_of(read_wikitablequestions, copied)
    assert [line for line, _ in found] == [8, 2, 3, 4]
    assert all(message.startswith("the table csv/1-csv/2.csv: ") for _, message in found)


@pytest.mark.parametrize("copied", ["tabfact"], indirect=True)
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([["a"], [1, 0], "t"], "every statement has one label"),
        ([["a"], [2], "t"], "every statement has one label"),
        ([["a"], ["yes"], "t"], "valid integer"),
        ([["a"], [1]], "Field required"),
        (5, "valid tuple"),
    ],
)
def test_faults_of_tabfact_are_named_with_their_line(copied: Path, row: Any, message: str) -> None:
    file = copied / "tokenized_data" / "test_examples.json"
    sound = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**sound, "1-1.html.csv": row}, indent=0), encoding="utf-8")
    ((line, said),) = faults_of(read_tabfact, copied)
    assert message in said
    assert file.read_text(encoding="utf-8").splitlines()[line - 1].startswith('"1-1.html.csv"')


@pytest.mark.parametrize("copied", ["tabfact"], indirect=True)
def test_a_ragged_table_of_tabfact_is_a_slip_and_an_absent_one_a_fault(copied: Path) -> None:
    table = copied / "data" / "all_csv" / "2-2.html.csv"
    table.write_text("a#b\nc\n", encoding="utf-8")
    faults = Faults()
    assert [len(rows) for rows in read_tabfact(copied, faults).values()] == [6, 0]
    assert [fault["message"][-10:] for fault in faults.rows] == ["; left out"]
    faults.refuse()
    table.unlink()
    assert "can't be read" in faults_of(read_tabfact, copied)[0][1]


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000])
@pytest.mark.parametrize("copied", ["tabfact"], indirect=True)
def test_a_statement_file_that_is_no_json_object_is_refused(copied: Path, text: str) -> None:
    (copied / "tokenized_data" / "test_examples.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"test_examples\.json:1: (not JSON|no JSON object)"):
        read_tabfact(copied, Faults())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table_array": []}, "the table is empty"),
        ({"table_array": [["a", "b"], ["c"]]}, "row 2 of the table has 1 cells, the first has 2"),
        ({"table_array": [[]]}, "no columns"),
        ({"table_array": [[1]]}, "valid string"),
        ({"answer": " "}, "a reference is empty"),
        ({"question": ""}, "the question is empty"),
        ({"feta_id": 1}, "stands on line 1, too"),
        ({"feta_id": "x"}, "valid integer"),
    ],
)
def test_faults_of_fetaqa_are_named_with_their_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    row = json.loads((FIXTURES / "fetaqa" / "fetaQA-v1_dev.jsonl").read_text(encoding="utf-8").splitlines()[0])
    text = "\n".join(json.dumps({**row, **more}) for more in ({}, {"feta_id": 99, **changes}))
    (tmp_path / "fetaQA-v1_dev.jsonl").write_text(text, encoding="utf-8")
    ((line, said),) = faults_of(read_fetaqa, tmp_path)
    assert line == 2
    assert message in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": [["a"]]}, "row 2 of the table has 1 cells"),
        ({"header": []}, "at least 1 item"),
        ({"row_headings": 3}, "3 columns of row headings in a table of 2"),
        ({"row_headings": -1}, "greater than or equal to 0"),
        ({"answers": None}, "question is given"),
        ({"statement": "s", "label": "entailed"}, "question, answers, statement, label is given"),
        ({"question": None, "answers": None, "statement": "s", "label": "true"}, "entailed, refuted"),
        ({"answers": []}, "at least 1 item"),
        ({"colour": "red"}, "Extra inputs"),
        ({"id": "x"}, "stands on line 1, too"),
    ],
)
def test_faults_of_own_tables_are_named_with_their_line(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    row = {"id": "x", "header": [["a", "b"]], "rows": [["1", "2"]], "question": "q?", "answers": ["1"]}
    other = {key: value for key, value in {**row, "id": "y", **changes}.items() if value is not None}
    (tmp_path / "own.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(other)}\n", encoding="utf-8")
    ((line, said),) = faults_of(read_table_json, tmp_path)
    assert line == 2
    assert message in said


# ------------------------------------------------------------------------------------------------------ the real data


@pytest.mark.parametrize(
    ("name", "reader", "rows", "tables"),
    [
        ("wikitablequestions", read_wikitablequestions, {"train": 2000, "test": 500}, 290),
        ("tabfact", read_tabfact, {"dev": 2000, "test": 500}, 329),
        ("fetaqa", read_fetaqa, {"dev": 1001, "test": 300}, None),
    ],
)
def test_counts_of_the_real_data(
    licensed_data: Path, name: str, reader: Reader, rows: dict[str, int], tables: int | None
) -> None:
    if not (licensed_data / name).is_dir():
        pytest.skip(f"no {name} in ../shared/data")
    found = read(reader, licensed_data / name)
    assert {split: len(of) for split, of in found.items()} == rows
    if tables is not None:
        assert len({id(q.table) for of in found.values() for q in of}) == tables
    if name == "tabfact":
        entailed = {split: sum(q.answers == ("entailed",) for q in of) for split, of in found.items()}
        assert entailed == {"dev": 1015, "test": 252}
