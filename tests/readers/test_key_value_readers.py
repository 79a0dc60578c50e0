"""Readers of documents with values under keys: SROIE, and JSONL of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.key_values import KeyedDocument, read_keyed_documents
from bythebook.readers.sroie import Receipt, read_sroie
from bythebook.tasks.sroie import check as check_sroie


def receipts(path: Path) -> tuple[list[Receipt], list[dict[str, Any]]]:
    faults = Faults()
    return read_sroie(path, faults), faults.rows


def documents(path: Path) -> tuple[dict[str, list[KeyedDocument]], list[str]]:
    faults = Faults()
    found = read_keyed_documents(path, faults)
    return found, [f"{Path(row['file']).name}:{row['line']}: {row['message']}" for row in faults.rows]


def test_sroie_lines_keep_their_commas_and_boxes(fixtures: Path) -> None:
    found, faults = receipts(fixtures / "sroie")
    assert faults == []
    assert [r.id for r in found] == ["000", "001", "002", "003", "004", "005", "199", "200", "201", "202"]
    assert [r.split for r in found] == ["train"] * 7 + ["test"] * 3
    first = found[0]
    assert [line.text for line in first.lines][1] == "12, CANAL ROW, NORTH QUAY"
    assert first.lines[0].box == (40, 60, 300, 60, 300, 78, 40, 78)
    assert all("\r" not in line.text for r in found for line in r.lines)
    assert set(found[3].values or {}) == {"company", "date", "total"}
    assert found[4].values is not None
    assert found[4].values["company"] == "CAFE BLAUER HÜGEL"


@pytest.mark.parametrize(
    ("box", "key", "message"),
    [
        ("1,2,3,4,5,6,7,x,TEXT", "{}", "eight numbers and a text"),
        ("1,2,3", "{}", "eight numbers and a text"),
        ("1,2,3,4,5,6,7,8, ", "{}", "a box and no text"),
        ("", "{}", "no line"),
        ("1,2,3,4,5,6,7,8,T", '{"total": ["9"]}', "each with a text"),
        ("1,2,3,4,5,6,7,8,T", '{"sum": "9"}', "keys are company, date, address, total"),
        ("1,2,3,4,5,6,7,8,T", '{"total": "9", "total": "8"}', "a key twice"),
        ("1,2,3,4,5,6,7,8,T", "[]", "no JSON object"),
        ("1,2,3,4,5,6,7,8,T", '{"total": " "}', "the total is empty; kept"),
    ],
)
def test_sroie_faults_are_named(tmp_path: Path, box: str, key: str, message: str) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "key").mkdir()
    (tmp_path / "box/001.csv").write_text(box)
    (tmp_path / "key/001.json").write_text(key)
    _, faults = receipts(tmp_path)
    assert len(faults) == 1
    assert message in faults[0]["message"]


def test_a_receipt_without_keys_is_unannotated_and_keys_without_a_receipt_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder `box`"):
        receipts(tmp_path)
    (tmp_path / "box").mkdir()
    (tmp_path / "key").mkdir()
    (tmp_path / "box/a1.csv").write_text("1,2,3,4,5,6,7,8,T\n")
    (tmp_path / "key/a2.json").write_text("{}")
    found, faults = receipts(tmp_path)
    assert [(r.id, r.values, r.split) for r in found] == [("a1", None, "test")]
    assert [row["message"] for row in faults] == ["there is no box/a2.csv beside it"]


def test_files_that_are_no_utf_8_are_faults(tmp_path: Path) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box/001.csv").write_bytes(b"1,2,3,4,5,6,7,8,\xff\n")
    _, faults = receipts(tmp_path)
    assert faults[0]["message"] == "not UTF-8"
    (tmp_path / "x.jsonl").write_bytes(b"\xff\n")
    assert documents(tmp_path / "x.jsonl")[1] == ["x.jsonl:1: not UTF-8"]


def test_the_receipts_have_the_counts_that_were_counted(licensed_data: Path) -> None:
    found = check_sroie(licensed_data / "sroie")
    assert found["rows"] == {"train": 200, "test": 100}
    train, test = found["counts"]["train"], found["counts"]["test"]
    assert {key: train[key] + test[key] for key in train} == {
        "lines": 15_754, "annotated": 300, "company": 300, "date": 300, "address": 299, "total": 300,
    }  # fmt: skip
    assert [row["message"] for row in found["faults"]] == ["the total is empty; kept"]


def test_numbers_keep_their_digits_and_keys_may_stand_beside_the_rows(fixtures: Path) -> None:
    found, faults = documents(fixtures / "key_values")
    assert faults == []
    assert {split: len(rows) for split, rows in found.items()} == {"ood": 2, "test": 2, "train": 8}
    first = found["train"][1]
    assert first.values is not None
    assert first.values["weight"] == "2.50"
    assert first.values["contents"] == [{"thing": "lamp", "value": "12.00"}]
    assert (first.title, first.domain, first.id) == ("Parcel slip", "parcel slip", "p1")
    other = found["ood"][0]
    assert (other.key_schema.names, other.domain, other.id) == (("holder", "number"), "library", "ood-1")
    assert other.lines == ("Library card", "Name: Ida Berg", "No 4471")
    assert found["test"][1].values is None


GOOD: dict[str, Any] = {"text": "t", "keys": [{"name": "a"}, {"name": "b", "many": True}], "values": {"a": "1"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": " "}, "the document is empty"),
        ({"lines": ["x"]}, "under `lines` or under `text`"),
        ({"keys": []}, "there are no keys"),
        ({"keys": [{"name": "a.b"}]}, "can't be a key"),
        ({"keys": [{"name": "a"}, {"name": "a"}]}, "declared twice"),
        ({"values": {"c": "1"}}, "no such key is declared: c"),
        ({"values": {"b": "1"}}, "b is no list"),
        ({"values": ["1"]}, "values"),
        ({"values": {"b": ["x"] * 3_000}}, "can be read"),
        ({"id": ""}, "id"),
    ],
)
def test_faults_of_rows_are_named_with_their_line(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(GOOD) + "\n\n" + json.dumps({**GOOD, **change}) + "\n")
    found, faults = documents(file)
    assert len(found["x"]) == 1
    assert len(faults) == 1
    assert faults[0].startswith("x.jsonl:3: ")
    assert message in faults[0]


@pytest.mark.parametrize(
    ("line", "message"),
    [("[1]", "no JSON object"), ('{"text": "t"} x', "no JSON object"), ('{"text": "t", "text": "u"}', "a key twice")],
)
def test_lines_that_are_no_object_are_faults(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(line)
    assert message in documents(file)[1][0]


def test_an_id_that_stands_twice_and_an_empty_file_are_faults(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join([json.dumps({**GOOD, "id": "n"})] * 2))
    assert "stands on line 1, too" in documents(file)[1][0]
    file.write_text("")
    assert "no document" in documents(file)[1][0]


@pytest.mark.parametrize("text", ["7", "[", '[{"name": "a.b"}]', '[{"name": "a"}, {"name": "a"}]', "[]"])
def test_keys_that_break_the_format_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    (tmp_path / "x.jsonl").write_text(json.dumps(GOOD))
    with pytest.raises(DataError, match=r"keys\.json"):
        documents(tmp_path)
