from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.guidelines import load_guideline
from bythebook.readers.documents import (
    check_documents,
    document_files,
    document_of,
    document_rows,
    read_documents,
    scan_documents,
)
from bythebook.types import Guideline


@pytest.fixture(scope="module")
def folder(fixtures: Path) -> Path:
    return fixtures / "machines"


@pytest.fixture(scope="module")
def guideline(folder: Path) -> Guideline:
    return load_guideline(folder / "guideline.md")


def test_marked_sentences_lose_their_marks_and_keep_their_roles(folder: Path, guideline: Guideline) -> None:
    rows = {d.id: d for d in read_documents(folder / "sentences.jsonl", guideline)}
    assert list(rows) == ["s1", "s2", "s3", "s4", "s5", "sentences-7", "7"]
    assert rows["s3"].text == "An engineer near the lathe hums."
    assert {e.id: e.span.of(rows["s3"].text) for e in rows["s3"].entities} == {"e1": "lathe", "e2": "engineer"}
    assert [e.span.of(rows["sentences-7"].text) for e in rows["sentences-7"].entities] == ["hopper", "mill"]
    assert all(d.marked for d in rows.values())
    assert (rows["s2"].relations or ())[0].head == "e2"
    assert rows["s3"].relations == ()
    assert rows["7"].relations is None
    assert rows["s4"].domain == "pottery"
    assert [rows[i].line for i in ("s5", "sentences-7")] == [5, 7]


def test_documents_keep_offsets_types_and_relations(folder: Path, guideline: Guideline) -> None:
    first, second, third = read_documents(folder / "documents.jsonl", guideline)
    assert {e.id: e.span.of(first.text) for e in first.entities} == {"t1": "Ann", "t2": "press", "t3": "furnace"}
    assert [e.type for e in first.entities] == ["Device", "Person", "Device"]
    assert [(r.head, r.tail, r.type) for r in second.relations or ()] == [("2", "1", "Beside")]
    assert third.relations == ()
    assert not first.marked


def test_sound_files_have_no_faults(folder: Path, guideline: Guideline) -> None:
    assert check_documents(folder, guideline) == {"rows": {"documents": 3, "sentences": 7}, "faults": []}
    assert check_documents(folder / "documents.jsonl")["rows"] == {"documents": 3}


def test_text_file_holds_a_marked_sentence_a_line(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_bytes("\ufeffA <e1>b</e1> c <e2>d</e2>.\r\n\r\n<e1>x</e1>{<e2>y</e2>}\r\n".encode())
    rows = read_documents(file)
    assert [(d.id, d.text) for d in rows] == [("some-1", "A b c d."), ("some-3", "x{y}")]


@pytest.mark.parametrize("name", ["raw.txt", "raw.jsonl"])
def test_raw_text_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("The pump feeds the boiler.\n" if name == "raw.txt" else '{"id": "1", "text": "The pump."}\n')
    with pytest.raises(DataError, match=r"raw\.\w+:1: raw text without entities, which the question.*<e1>"):
        read_documents(file)
    assert "mark the two" in check_documents(file)["faults"][0]["message"]


ENTITIES = [{"id": "a", "start": 0, "end": 1}, {"id": "b", "start": 2, "end": 3}]


def between(*relations: tuple[str, str, str]) -> dict[str, Any]:
    named = [{"head": h, "tail": t, "type": r} for h, t, r in relations]
    return {"text": "x y z", "entities": ENTITIES, "relations": named}


FAULTY: list[tuple[Any, str]] = [
    ({"entities": []}, "text: Field required"),
    ({"text": 5}, "text: Input should be a valid string"),
    ({"text": "  ", "entities": []}, "the text is empty"),
    ({"text": "x", "entities": [{"id": "a", "start": 0, "end": 2}]}, r"\[0, 2\), the text has 1 characters"),
    ({"text": "x", "entities": [{"id": "a", "start": 1, "end": 1}]}, r"\[1, 1\)"),
    ({"text": "x", "entities": [{"id": "a", "start": -1, "end": 1}]}, r"\[-1, 1\)"),
    (
        {"text": "x", "entities": [{"id": "a", "start": "0", "end": 1}]},
        r"entities\.0\.start: Input should be a valid i",
    ),
    ({"text": "x", "entities": [{"id": "a", "start": False, "end": 1}]}, r"entities\.0\.start"),
    ({"text": "x", "entities": [{"id": "a", "start": 0}]}, r"entities\.0\.end: Field required"),
    ({"text": "xyz", "entities": [{"id": "a", "start": 0, "end": 2, "text": "yz"}]}, "says 'yz', its offsets say 'xy'"),
    ({"text": "x", "entities": [{"id": "a", "start": 0, "end": 1}] * 2}, "entity id 'a' stands 2 times"),
    ({"text": "x", "entities": [{"id": "a", "start": 0, "end": 1, "type": "Tree"}]}, "no entity type 'Tree'"),
    ({"text": "x", "entities": [], "label": "Feeds(e1,e2)"}, "'label' belongs to a marked sentence"),
    (between(("a", "q", "Feeds")), "the tail 'q' of a relation is no entity"),
    (between(("a", "a", "Feeds")), "a relation joins 'a' with itself"),
    (between(("a", "b", "Eats")), "the guideline declares no relation 'Eats'"),
    (between(("a", "b", "Feeds"), ("b", "a", "Feeds")), "two relations between"),
    (between(("a", "b", "Feeds"), ("a", "b", "Operates")), "two relations between"),
    (between(("a", "b", "Fe(ds")), r"relations\.0\.type"),
    ({"text": "<e1>x</e1> y"}, "the marks must be"),
    ({"text": "<e1>x <e2>y</e2></e1>"}, "the marks must be"),
    ({"text": "<e1>x</e1> <e2>y</e2> <e1>z</e1>"}, "the marks must be"),
    ({"text": "</e1>x<e1> <e2>y</e2>"}, "the marks must be"),
    ({"text": "<e1> </e1> <e2>y</e2>"}, "e1 is empty"),
    ({"text": "<e1>x</e1> <e2>y</e2>", "relations": []}, "'relations' belong to a row with 'entities'"),
    ({"text": "<e1>x</e1> <e2>y</e2>", "label": "Eats(e1,e2)"}, "the guideline declares no relation 'Eats'"),
    ({"text": "<e1>x</e1> <e2>y</e2>", "label": "Feeds"}, r"not of the form Relation\(e1,e2\).*or none"),
    ({"text": "<e1>x</e1> <e2>y</e2>", "label": "none(e1,e2)"}, "declares no relation 'none'"),
    ({"text": "<e1>\ud83d</e1> <e2>y</e2>"}, "half of a surrogate pair|valid string"),
    ({"text": "<e1>x</e1> <e2>y</e2>", "id": "\udc00"}, "half of a surrogate pair|valid string"),
]


@pytest.mark.parametrize(("row", "message"), FAULTY)
def test_every_fault_is_named_with_its_line(row: Any, message: str, guideline: Guideline, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    good = {"text": "<e1>x</e1> <e2>y</e2>"}
    file.write_text("\n".join(json.dumps(r) for r in (good, row, good)))
    documents, faults = scan_documents(file, guideline)
    assert [d.id for d in documents] == ["rows-1", "rows-3"]
    assert [f.line for f in faults] == [2]
    with pytest.raises(DataError, match=message):
        read_documents(file, guideline)


def test_symmetric_relation_given_in_both_directions_is_one_relation(guideline: Guideline) -> None:
    document, faults = document_of(between(("a", "b", "Beside"), ("b", "a", "Beside")), "d", guideline)
    assert document is not None
    assert faults == []


def test_lines_that_are_no_objects_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    file = tmp_path / "odd.jsonl"
    lines = [b"{", b"[1]", b'"text"', b"\xff\xfe", b"1" * 5000, b"[" * 100_000, b'{"text": "<e1>x</e1> <e2>y</e2>"}']
    file.write_bytes(b"\n".join(lines))
    documents, faults = scan_documents(file)
    assert [d.line for d in documents] == [7]
    assert [f.line for f in faults] == [1, 2, 3, 4, 5, 6]
    assert {f.file for f in faults} == {file}


@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r", b"\r\n\n\r"])
def test_line_ends_may_be_of_any_kind(ends: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(b'{"id": "a", "text": "<e1>x</e1> <e2>y</e2>"}' + ends + b'{"id": "b", "text": 5}' + ends)
    documents, faults = scan_documents(file)
    assert [d.id for d in documents] == ["a"]
    assert [f.line for f in faults] == [2 + ends.count(b"\n\n") + ends.count(b"\n\r")]


def test_utf_16_is_one_fault_and_not_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes('{"text": "<e1>x</e1> <e2>y</e2>"}\n{"text": "x"}\n'.encode("utf-16"))
    (fault,) = check_documents(file)["faults"]
    assert (fault["line"], fault["message"]) == (1, "UTF-16: save the file as UTF-8")


def test_a_file_without_rows_is_a_fault_and_no_empty_task(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text("\n \n")
    assert check_documents(file) == {
        "rows": {"x": 0},
        "faults": [{"file": str(file), "line": 1, "message": "the file holds no row"}],
    }
    with pytest.raises(DataError, match=r"x\.jsonl:1: the file holds no row"):
        read_documents(file)
    assert scan_documents(file) == ([], [])  # to annotate nothing is no mistake


def test_a_line_of_a_hundred_thousand_characters_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"text": "<e1>x</e1> " + "y" * 100_000 + " <e2>z</e2>"}) + "\n")
    (document,) = read_documents(file)
    assert len(document.text) == 100_004


def test_rows_come_back_as_objects_with_their_ids(folder: Path, tmp_path: Path) -> None:
    found = dict(document_rows(folder / "sentences.jsonl"))
    assert list(found) == [d.id for d in read_documents(folder / "sentences.jsonl")]
    assert all(row["id"] == name for name, row in found.items())
    file = tmp_path / "some.txt"
    file.write_text("A <e1>b</e1> c <e2>d</e2>.\n")
    assert dict(document_rows(file)) == {"some-1": {"text": "A <e1>b</e1> c <e2>d</e2>.", "id": "some-1"}}


def test_id_given_twice_names_both_lines(tmp_path: Path) -> None:
    file = tmp_path / "twice.jsonl"
    file.write_text('{"id": "a", "text": "<e1>x</e1> <e2>y</e2>"}\n' * 2)
    documents, faults = scan_documents(file)
    assert len(documents) == 1
    assert str(faults[0]) == f"{file}:2: the id 'a' stands in line 1 already"


def test_several_faults_of_a_row_are_all_told(guideline: Guideline) -> None:
    document, faults = document_of(between(("a", "q", "Eats")), "d", guideline)
    assert document is None
    assert len(faults) == 2


def test_label_is_free_without_a_guideline() -> None:
    marked = "<e1>x</e1> <e2>y</e2>"
    named, _ = document_of({"text": marked, "label": "Anything(e2,e1)"}, "d")
    bare, _ = document_of({"text": marked, "label": "Other"}, "d")
    broken, faults = document_of({"text": marked, "label": "Other(e3,e1)"}, "d")
    assert named is not None
    assert named.relations is not None
    assert named.relations[0].type == "Anything"
    assert bare is not None
    assert bare.relations == ()
    assert broken is None
    assert "not of the form" in faults[0]


def test_file_that_is_not_there_and_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        read_documents(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match=r"no \.jsonl file"):
        document_files(tmp_path)
