from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.readers.brat import read_brat
from bythebook.readers.faults import Faults
from bythebook.readers.spert import read_spert

FIXTURE = Path(__file__).parents[1] / "fixtures" / "mdkg"
RELATIONS = frozenset({"occurs_in", "associated_with", "abbreviation_for", "risk_factor_of", "treatment_for"})


# ------------------------------------------------------------------------------------------------------------- brat


def brat(folder: Path, ann: str, text: str = "Panic in\npupils.") -> tuple[list[Any], list[tuple[int, str]]]:
    (folder / "1.txt").write_text(text, encoding="utf-8")
    (folder / "1.ann").write_text(ann, encoding="utf-8")
    faults = Faults()
    documents = read_brat(folder, RELATIONS, faults)
    return documents, [(f["line"], f["message"]) for f in faults.rows]


SOUND = "T1\tsymptom 0 5\tPanic\nT2\tregion 9 15\tpupils\nR1\toccurs_in Arg1:T1 Arg2:T2\n"


def test_mentions_and_relations_of_brat(tmp_path: Path) -> None:
    more = "E1\tX:T1\nA1\tNegated T1\n#1\tAnnotatorNotes T1\tx\n*\tEquiv T1 T2\n\n"
    (document,), faults = brat(tmp_path, SOUND + more)
    assert faults == []
    assert document.text == "Panic in pupils."
    assert [(e.id, e.span.of(document.text), e.type) for e in document.entities] == [
        ("T1", "Panic", "symptom"),
        ("T2", "pupils", "region"),
    ]
    assert [(r.head, r.tail, r.type) for r in document.relations] == [("T1", "T2", "occurs_in")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T3\tsymptom 0 5;9 15\tPanic pupils", "a mention in several pieces is not read"),
        ("T3 symptom 0 5", "a mention is 'T1<TAB>type start end<TAB>text'"),
        ("T3\tsymptom 5 5\t", "T3 is [5, 5), the text has 16 characters"),
        ("T3\tsymptom 0 17\tx", "T3 is [0, 17), the text has 16 characters"),
        ("T1\tsymptom 0 5\tPanic", "the id 'T1' stands twice"),
        ("R2\toccurs_in T1 T2", "a relation is 'R1<TAB>type Arg1:T1 Arg2:T2'"),
        ("R2\toccurs_in Arg1:T1 Arg2:T9", "there is no entity 'T9'"),
        ("R2\tAlias Arg1:T1 Arg2:T2", "not one of the 5 relations: 'Alias'; left out"),
        ("R2\toccurs_in Arg1:T1 Arg2:T1", "a relation joins an entity with itself; left out"),
        ("R2\toccurs_in Arg1:T1 Arg2:T2", "the relation stands twice; left out"),
    ],
)
def test_every_fault_of_brat_is_named(line: str, message: str, tmp_path: Path) -> None:
    _, faults = brat(tmp_path, SOUND + line + "\n")
    assert faults == [(4, message)]


def test_a_missing_text_and_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    brat(tmp_path, SOUND)
    (tmp_path / "2.ann").write_text(SOUND)
    faults = Faults()
    assert len(read_brat(tmp_path, RELATIONS, faults)) == 1
    assert [f["message"] for f in faults.rows] == ["there is no 2.txt beside it"]
    (tmp_path / "2.txt").write_bytes(b"Panic\n\xff")
    with pytest.raises(DataError, match=r"2\.txt:2: not UTF-8"):
        read_brat(tmp_path, RELATIONS, Faults())


# ------------------------------------------------------------------------------------------------------------ SpERT


def spert(folder: Path, content: str | bytes) -> tuple[list[Any], list[tuple[int, str]]]:
    file = folder / "x.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    faults = Faults()
    documents = read_spert(file, RELATIONS, faults)
    return documents, [(f["line"], f["message"]) for f in faults.rows]


def row(**changes: Any) -> dict[str, Any]:
    entities = [{"type": "symptom", "start": 0, "end": 1}, {"type": "region", "start": 2, "end": 3}]
    relations = [{"type": "occurs_in", "head": 0, "tail": 1}]
    return {"tokens": ["Panic", "in", "pupils"], "entities": entities, "relations": relations, **changes}


def test_tokens_entities_and_relations_of_spert(tmp_path: Path) -> None:
    documents, faults = spert(tmp_path, json.dumps([row(orig_id="7_0", dep=[]), row()], indent=2))
    assert faults == []
    assert [(d.id, d.text, d.line) for d in documents] == [
        ("7_0", "Panic in pupils", 2),
        ("x-2", "Panic in pupils", 30),
    ]
    assert [e.span.of(documents[0].text) for e in documents[0].entities] == ["Panic", "pupils"]
    assert documents[0].relations[0].model_dump() == {"head": "0", "tail": "1", "type": "occurs_in"}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "sentence 2: tokens: Field required"),
        (row(tokens="x"), "sentence 2: tokens: Input should be a valid list"),
        (row(tokens=[], entities=row()["entities"][:1], relations=[]), "sentence 2: entity 0 is [0, 1) of 0 tokens"),
        (row(tokens=[" "], entities=[], relations=[]), "sentence 2: the sentence is empty"),
        (row(relations=[{"type": "occurs_in", "head": 0, "tail": 2}]), "sentence 2: a relation joins 0 and 2 of 2"),
        (row(relations=[{"type": "occurs_in", "head": -1, "tail": 1}]), "sentence 2: a relation joins -1 and 1 of 2"),
        (row(relations=[{"type": "Alias", "head": 0, "tail": 1}]), "not one of the 5 relations: 'Alias'; left out"),
        (row(relations=[{"type": "occurs_in", "head": 1, "tail": 1}]), "a relation joins an entity with itself"),
        (row(relations=row()["relations"] * 2), "the relation stands twice; left out"),
        (row(orig_id="a"), "sentence 2: the orig_id 'a' stands in line 1 already"),
        (5, "Input should be a valid dictionary"),
    ],
)
def test_every_fault_of_spert_is_named(item: Any, message: str, tmp_path: Path) -> None:
    documents, faults = spert(tmp_path, f"[{json.dumps(row(orig_id='a'))},\n{json.dumps(item)}]")
    assert documents[0].id == "a"
    ((line, found),) = faults
    assert line == 2
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"x\.json:1: the file holds no JSON list"),
        ("{}", r"x\.json:1: the file holds no JSON list"),
        ("[{}\n,\n{", r"x\.json:3: not JSON"),
        ("[{}\n", r"x\.json:2: not JSON: the list breaks off"),
        ("[" * 100_000, r"x\.json:1: not JSON"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_what_is_no_list_is_refused(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        spert(tmp_path, content)
