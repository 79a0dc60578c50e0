from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.readers.semeval2018 import check_semeval2018, practice_documents, read_semeval2018
from bythebook.readers.semeval2018_texts import read_mentions

FIXTURE = Path(__file__).parents[1] / "fixtures" / "semeval2018_task7"
TEXT = (
    '<doc>\n<text id="A">\n<abstract>A <entity id="A.1">b</entity> c '
    '<entity id="A.2">d</entity>\n.</abstract></text>\n</doc>'
)


def release(folder: Path, relations: bytes | str = "USAGE(A.1,A.2)\n", text: bytes | str = TEXT) -> Path:
    for name, content in (("1.1.text.xml", text), ("1.1.relations.txt", relations)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def faults(folder: Path) -> list[tuple[str, int, str]]:
    found = check_semeval2018(folder)["faults"]
    return [(Path(f["file"]).name, f["line"], f["message"]) for f in found]


def test_rows_have_the_sentence_with_both_mentions() -> None:
    rows = {r.ids: r for r in read_semeval2018(FIXTURE)}
    assert len(rows) == 10
    recall = rows["T01-1.5", "T01-1.6"]
    assert recall.text == "The tagger reaches a higher recall than Dr. Smith's decision list."
    assert (recall.e1.of(recall.text), recall.e2.of(recall.text)) == ("tagger", "recall")
    assert (recall.label.text, recall.document, recall.split, recall.line) == ("RESULT(e1,e2)", "T01-1", "train", 3)
    assert rows["T01-1.1", "T01-1.2"].text == "A perceptron for sense tagging"
    assert rows["T01-1.3", "T01-1.4"].label.text == "USAGE(e2,e1)"
    date = rows["T01-2.7", "T01-2.8"]
    assert date.e2.of(date.text) == "date line"


def test_compare_has_no_direction() -> None:
    labels = {r.label.text for r in read_semeval2018(FIXTURE) if r.label.name == "COMPARE"}
    assert labels == {"COMPARE(e1,e2)"}


def test_nested_mentions_are_both_read() -> None:
    mentions, found = read_mentions(FIXTURE / "1.1.text.xml")
    assert found == []
    outer, inner = mentions["T01-2.3"], mentions["T01-2.4"]
    assert (outer.span.of(outer.segment), inner.span.of(inner.segment)) == ("letter openings", "letter")


def test_line_ends_make_no_difference(tmp_path: Path) -> None:
    for file in FIXTURE.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read_semeval2018(tmp_path) == read_semeval2018(FIXTURE)


def test_files_are_found_in_subfolders_and_keys_by_their_other_name(tmp_path: Path) -> None:
    for file in FIXTURE.iterdir():
        folder = tmp_path / ("test/a" if "test" in file.name else "training")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / file.name.replace("1.1.test.relations.txt", "keys.test.1.1.txt"))
    assert read_semeval2018(tmp_path) == read_semeval2018(FIXTURE)
    assert check_semeval2018(tmp_path) == {"rows": {"1.1 train": 7, "1.1 test": 3}, "faults": []}


FAULTY_LINES = [
    ("USAGE(A.1 A.2)", "not a relation: 'USAGE(A.1 A.2)'"),
    ("USAGE(A.1,A.2,REVERS)", "not a relation"),
    ("USAGE", "not a relation"),
    ("x" * 100_000, "not a relation"),
    ("USES(A.1,A.2)", "not one of the 6 relations: 'USES'"),
    ("USAGE(A.1,A.9)", "no entity 'A.9' in the texts"),
    ("USAGE(A.2,A.1)", "the second entity does not stand after the first"),
    ("USAGE(A.1,A.1)", "the second entity does not stand after the first"),
    (b"\xff\xfe(A.1,A.2)", "not UTF-8"),
]


@pytest.mark.parametrize(("line", "message"), FAULTY_LINES)
def test_every_faulty_line_is_named(line: str | bytes, message: str, tmp_path: Path) -> None:
    raw = line if isinstance(line, bytes) else line.encode()
    release(tmp_path, b"USAGE(A.1,A.2)\n" + raw + b"\n")
    ((name, number, found),) = faults(tmp_path)
    assert (name, number) == ("1.1.relations.txt", 2)
    assert found.startswith(message)
    with pytest.raises(DataError, match=r"1\.1\.relations\.txt:2: .*a line is TYPE"):
        read_semeval2018(tmp_path)


def test_a_pair_that_stands_twice_is_named(tmp_path: Path) -> None:
    release(tmp_path, "USAGE(A.1,A.2)\nTOPIC(A.1,A.2)\n")
    assert faults(tmp_path) == [("1.1.relations.txt", 2, "the pair stands in line 1 already")]


FAULTY_TEXTS = [
    (TEXT.replace("</doc>", ""), 5, "not XML: "),
    (TEXT.replace('id="A.2"', 'id="A.1"'), 3, "an entity needs an id of its own, got 'A.1'"),
    (TEXT.replace('<text id="A">', "<text>"), 2, "a text needs an id of its own, got ''"),
    (TEXT.replace(">d<", "> <"), 3, "entity 'A.2' is empty"),
    ('<!DOCTYPE d [<!ENTITY a "b">]>' + TEXT, 1, "a document type declaration"),
    ("<a>" * 60 + "</a>" * 60, 1, "more than 50 elements inside each other"),
    ("<doc/>", 1, "the file holds no entity"),
    ("", 1, "not XML: no element found"),
]


@pytest.mark.parametrize(("text", "line", "message"), FAULTY_TEXTS)
def test_every_fault_of_the_texts_is_named(text: str, line: int, message: str, tmp_path: Path) -> None:
    release(tmp_path, text=text)
    found = faults(tmp_path)
    assert found[0][:2] == ("1.1.text.xml", line)
    assert found[0][2].startswith(message)


def test_entities_of_different_texts_are_no_pair(tmp_path: Path) -> None:
    text = TEXT.replace(" c ", ' c </abstract></text><text id="B"><abstract>')
    release(tmp_path, text=text)
    assert faults(tmp_path)[0][2].startswith("the two entities stand in different texts")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        read_semeval2018(tmp_path / "x")
    with pytest.raises(DataError, match=r"no 1\.1\.text\.xml or 1\.2\.text\.xml"):
        read_semeval2018(tmp_path)
    release(tmp_path)
    (tmp_path / "1.1.relations.txt").unlink()
    with pytest.raises(DataError, match=r"no 1\.1\.relations\.txt for 1\.1\.text\.xml"):
        read_semeval2018(tmp_path)
    release(tmp_path)
    (tmp_path / "1.1.text.xml").unlink()
    with pytest.raises(DataError, match=r"no 1\.1\.text\.xml for 1\.1\.relations\.txt"):
        read_semeval2018(tmp_path)
    (tmp_path / "deeper").mkdir()
    release(tmp_path)
    release(tmp_path / "deeper")
    with pytest.raises(DataError, match="stands there 2 times"):
        read_semeval2018(tmp_path)
    with pytest.raises(DataError, match=r"no training-eval\.txt"):
        practice_documents(tmp_path, "1.1")


def test_an_empty_file_of_relations_is_a_fault(tmp_path: Path) -> None:
    release(tmp_path, "\n")
    assert faults(tmp_path) == [("1.1.relations.txt", 1, "the file holds no relation")]


def test_the_official_release_has_the_published_counts(licensed_data: Path) -> None:
    found = check_semeval2018(licensed_data / "semeval2018_task7")
    assert found == {"rows": {"1.1 train": 1228, "1.1 test": 355, "1.2 train": 1248, "1.2 test": 355}, "faults": []}
    rows = read_semeval2018(licensed_data / "semeval2018_task7")
    reverse = [r for r in rows if r.label.direction == "(e2,e1)"]
    assert len(reverse) == 393 + 106 + 329 + 96
    assert all(r.e1.of(r.text).strip() and r.e1.end <= r.e2.start for r in rows)
    assert len(practice_documents(licensed_data / "semeval2018_task7", "1.1")) == 50
