"""Predictions of joint extraction in both forms, and to whom their lines belong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError
from bythebook.readers.predictions import AnswerRow, Asked, assign, read_answer_rows
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span

TEXT = "The saw cuts oak ."
ASKED = [Asked("t-1", "d", TEXT), Asked("t-2", "d", "Twice ."), Asked("t-3", "d", "Twice .")]


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "answers.jsonl"
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows), encoding="utf-8")
    return path


def read(folder: Path, *rows: Any) -> list[AnswerRow]:
    return read_answer_rows(write(folder, *rows))


def only(folder: Path, **row: Any) -> AnswerRow:
    (found,) = read(folder, row)
    return found


def assigned(folder: Path, *rows: Any) -> Any:
    path = write(folder, *rows)
    return assign(read_answer_rows(path), ASKED, path)


def entity(text: str, kind: str | None = None, start: int | None = None) -> ExtractedEntity:
    span = None if start is None else Span(start=start, end=start + len(text))
    return ExtractedEntity(text=text, type=kind, span=span)


# ------------------------------------------------------------------------------------------------------------- forms


def test_plain_rows_have_texts(tmp_path: Path) -> None:
    found = only(tmp_path, id=7, ner=[["saw", "Tool"]], rel=[["saw", "Cuts", "oak"]])
    relation = ExtractedRelation(head=entity("saw"), type="Cuts", tail=entity("oak"))
    assert (found.id, found.line) == ("7", 1)
    assert found.extraction == Extraction(entities=(entity("saw", "Tool"),), relations=(relation,))
    assert (found.entities, found.relations) == (True, True)


def test_rel_plus_has_the_types_beside_rel_or_in_its_place(tmp_path: Path) -> None:
    typed = [["a:b:Tool", "Cuts", "oak:Wood"]]
    alone = only(tmp_path, id="1", rel_plus=typed)
    both = only(tmp_path, id="1", rel_plus=typed, rel=[["a:b", "Cuts", "oak"]])
    assert alone.extraction == both.extraction
    assert alone.extraction.relations[0].head == entity("a:b", "Tool")
    assert (alone.entities, alone.relations) == (False, True)


def test_rows_with_offsets_name_arguments_by_id_or_in_place(tmp_path: Path) -> None:
    found = only(
        tmp_path,
        id="1",
        text=TEXT,
        entities=[{"id": "t1", "start": 4, "end": 7, "type": "Tool"}, {"id": 2, "start": 13, "end": 16, "text": "oak"}],
        relations=[
            {"head": "t1", "tail": 2, "type": "Cuts", "p": 0.7},
            {"head": {"text": "saw", "type": "Tool"}, "tail": {"start": 13, "end": 16}, "type": "Cuts"},
        ],
    ).extraction
    saw, oak = entity("saw", "Tool", 4), entity("oak", None, 13)
    assert found.entities == (saw, oak)
    assert found.relations[0] == ExtractedRelation(head=saw, type="Cuts", tail=oak)
    assert found.relations[1] == ExtractedRelation(head=entity("saw", "Tool"), type="Cuts", tail=oak)


def test_records_of_an_evaluation_hold_the_plain_form_as_json(tmp_path: Path) -> None:
    plain = {"ner": [["saw", "Tool"]], "rel": [["saw", "Cuts", "oak"]]}
    record = {"schema": "bythebook.prediction/1", "id": "1", "sample": -1, "answer": json.dumps(plain)}
    found, silent, nothing = read(tmp_path, record, record | {"answer": '{"ner": []}'}, record | {"answer": None})
    assert found.extraction == only(tmp_path, id="1", **plain).extraction
    assert (silent.entities, silent.relations) == (True, False)
    assert nothing.extraction == Extraction()


def test_an_empty_answer_is_one(tmp_path: Path) -> None:
    found = only(tmp_path, id="1", ner=[], rel=[])
    assert found.extraction == Extraction()
    assert (found.entities, found.relations) == (True, True)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "1"}, "the row has no answer"),
        ({"id": "1", "ner": [], "entities": []}, "the row has both forms of an answer"),
        ({"id": "1", "ner": [["saw"]]}, "ner.0.1: Field required"),
        ({"id": "1", "ner": [["saw", 3]]}, "ner.0.1: Input should be a valid string"),
        ({"id": "1", "ner": "saw"}, "ner: Input should be a valid list"),
        ({"id": "1", "rel": [["a", "r", "b", "c"]]}, "rel.0: Tuple should have at most 3 items"),
        ({"id": "1", "rel_plus": [["a:T", "r", "b"]]}, "rel_plus has 'text:Type' as head and tail, not 'b'"),
        ({"id": "1", "rel": [], "rel_plus": [["a:T", "r", "b:T"]]}, "rel and rel_plus do not name the same"),
        ({"id": "1", "entities": [{"start": 3}]}, "a mention has one of start and end"),
        ({"id": "1", "entities": [{"start": 3, "end": 3, "text": "a"}]}, "a mention is [3, 3), which is no part"),
        ({"id": "1", "text": "ab", "entities": [{"start": 0, "end": 3}]}, "a mention is [0, 3), which is no part"),
        ({"id": "1", "entities": [{"start": 0, "end": 3}]}, "a mention has neither its text nor offsets"),
        ({"id": "1", "entities": [{"start": -1, "end": 3}]}, "entities.0.start: Input should be greater"),
        ({"id": "1", "entities": [{"id": 1, "text": "a"}, {"id": "1", "text": "b"}]}, "two entities have the id '1'"),
        ({"id": "1", "relations": [{"head": "t1", "tail": "t1", "type": "r"}]}, "a relation names 't1', which is the"),
        ({"id": ["1"], "ner": []}, "id."),
        ({"id": "1", "answer": "sha256:00"}, "the record holds a digest of its answer: of licensed data no text"),
        ({"id": "1", "answer": "Used-For(e1,e2)"}, "answer: not JSON"),
        ({"id": "1", "answer": "[]"}, "answer: no JSON object"),
        ({"id": "1", "answer": '{"ner": [3]}'}, "ner.0: Input should be a valid tuple"),
        ({"id": "1", "answer": 3}, "answer is no text"),
        ({"id": "1", "answer": 3, "ner": [3]}, "ner.0: Input should be a valid tuple"),
        ([], "a line must hold one JSON object"),
        ('{"id": "1", "ner": [', "not JSON"),
        ('{"id": "1", "id": "2", "ner": []}', "not JSON: the key 'id' stands twice"),
        ("[" * 100_000, "not JSON: nested too deeply"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_line_in_no_form_is_named(tmp_path: Path, row: Any, said: str) -> None:
    path = write(tmp_path, {"id": "0", "ner": []}, row)
    with pytest.raises(DataError, match=re.escape(f"{path}:2: {said}")):
        read_answer_rows(path)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file holds no row"):
        read(tmp_path)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "start", "end", "id"]), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "ner", "rel", "rel_plus", "entities", "relations", "text"]), json_values))
def test_whatever_a_line_holds_it_is_read_or_named(tmp_path_factory: pytest.TempPathFactory, row: dict) -> None:
    path = write(tmp_path_factory.getbasetemp(), row)
    try:
        where = (path, read_answer_rows(path)[0].line)
    except DataError as error:
        where = (Path(str(error.file)), error.line or 0)
    assert where == (path, 1)


# ----------------------------------------------------------------------------------------------- to whom they belong


def test_lines_with_one_id_are_samples_in_their_order_or_in_that_of_their_numbers(tmp_path: Path) -> None:
    rows = [{"id": f"t-{n}", "ner": [[text, "T"]]} for n in (1, 2, 3) for text in "ab"]
    found = assigned(tmp_path, *rows)
    assert found.number == 2
    assert [[x.entities[0].text for x in found.samples[a.id]] for a in ASKED] == [["a", "b"]] * 3
    numbered = [row | {"sample": 1 - i % 2} for i, row in enumerate(rows)]
    assert [x.entities[0].text for x in assigned(tmp_path, *numbered).samples["t-1"]] == ["b", "a"]


def test_a_text_without_a_line_has_empty_answers_and_is_named(tmp_path: Path) -> None:
    found = assigned(tmp_path, {"id": "t-1", "ner": []}, {"id": "t-1", "ner": []})
    assert found.missing == ("t-2", "t-3")
    assert found.samples["t-2"] == (Extraction(), Extraction())
    assert (found.entities, found.relations) == (True, False)


def test_lines_without_id_go_by_document_and_sentence_in_turns(tmp_path: Path) -> None:
    rows = [
        {"doc_id": "d", "sentence": text, "ner": [[mark, "T"]]}
        for text, mark in ((TEXT, "a"), ("Twice .", "b"), ("Twice .", "c"))
    ]
    found = assigned(tmp_path, *rows)
    assert [found.samples[a.id][0].entities[0].text for a in ASKED] == ["a", "b", "c"]
    assert found.missing == ()


def test_greedy_lines_beside_samples_are_left_out(tmp_path: Path) -> None:
    rows = [{"id": a.id, "sample": n, "ner": [[str(n), "T"]]} for a in ASKED for n in (-1, 0, 1)]
    found = assigned(tmp_path, *rows)
    assert (found.number, found.greedy) == (2, 3)
    assert [x.entities[0].text for x in found.samples["t-2"]] == ["0", "1"]
    greedy = assigned(tmp_path, *rows[::3])
    assert (greedy.number, greedy.greedy, greedy.samples["t-1"][0].entities[0].text) == (1, 0, "-1")


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ([{"ner": []}], 1, "the row has no id (give every line the id of its gold row, or its doc_id and sentence)"),
        ([{"doc_id": "d", "ner": []}], 1, "the row has no id"),
        ([{"id": "t-9", "ner": []}], 1, "id 't-9' is not in the gold (ids are like 't-1')"),
        ([{"doc_id": "e", "sentence": TEXT, "ner": []}], 1, "the gold has no such sentence in document 'e'"),
        (
            [{"id": "t-1", "ner": []}, {"id": "t-1", "ner": []}, {"id": "t-2", "ner": []}],
            3,
            "'t-2' has 1 samples, 't-1' has 2 (give every text as many samples)",
        ),
        ([{"id": "t-1", "sample": 0, "ner": []}] * 2, 2, "sample 0 of one text stands twice, in line 1 already"),
    ],
)
def test_a_line_that_belongs_to_no_text_is_named(tmp_path: Path, rows: list[Any], line: int, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        assigned(tmp_path, *rows)
    assert caught.value.line == line
