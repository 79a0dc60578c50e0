"""Files of raw text: resumed, listed where they fail, written for brat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joint_model import Extractor, by_words, written

from bythebook.annotation import annotate_file
from bythebook.annotation.brat import file_name
from bythebook.errors import DataError, InputError
from bythebook.guidelines import load_guideline
from bythebook.readers.brat import read_brat
from bythebook.readers.documents import read_documents
from bythebook.readers.faults import Faults
from bythebook.types import Completion, Guideline


@pytest.fixture(scope="module")
def guideline(fixtures: Path) -> Guideline:
    return load_guideline(fixtures / "machines" / "guideline.md")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("Ann runs the pump.\n\nBo runs the kiln.\nThe boiler rests.\n", encoding="utf-8")
    return path


def test_a_text_file_is_annotated_line_by_line_and_kept(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    found = annotate_file(texts, output, guideline, Extractor(by_words))
    assert (found["written"], found["failed"], found["partial"], "abstained" in found) == (3, 0, 0, False)
    rows = lines(output)
    assert [(r["id"], len(r["entities"]), len(r["relations"])) for r in rows] == [
        ("texts-1", 2, 1), ("texts-3", 2, 1), ("texts-4", 1, 0),
    ]  # fmt: skip
    silent = Extractor(by_words)
    assert annotate_file(texts, output, guideline, silent)["kept"] == 3
    assert silent.asked == []
    assert [d.id for d in read_documents(output, guideline, joint=True)] == ["texts-1", "texts-3", "texts-4"]


def test_every_cut_of_the_output_is_mended(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    annotate_file(texts, output, guideline, Extractor(by_words), samples=2)
    data = output.read_bytes()
    for cut in range(0, len(data), 211):
        output.write_bytes(data[:cut])
        annotate_file(texts, output, guideline, Extractor(by_words), samples=2)
        assert output.read_bytes() == data


def test_texts_without_an_answer_are_listed_and_those_not_asked_are_asked_again(
    texts: Path, guideline: Guideline, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"

    def answer(text: str, number: int) -> Any:
        if "pump" in text:
            return Completion(text="", finish_reason="error", error="HTTP 500")
        return "no idea" if "kiln" in text else by_words(text)

    found = annotate_file(texts, output, guideline, Extractor(answer))
    assert (found["written"], found["failed"]) == (3, 2)
    assert [(e["id"], e["status"]) for e in lines(Path(found["errors"]))] == [
        ("texts-1", "unscored"), ("texts-3", "no_answer"),
    ]  # fmt: skip
    again = Extractor(by_words)
    again.separate = True  # type: ignore[attr-defined]
    found = annotate_file(texts, output, guideline, again)
    assert again.asked == ["Ann runs the pump."]
    assert (found["written"], found["failed"]) == (1, 1)


def test_a_document_of_which_some_windows_have_an_answer_is_partial(guideline: Guideline, tmp_path: Path) -> None:
    source = tmp_path / "long.txt"
    source.write_text("Ann runs the pump. Bo runs the kiln.\n")
    model = Extractor(lambda text, number: by_words(text) if "Ann" in text else "?")
    found = annotate_file(source, tmp_path / "out.jsonl", guideline, model, window=20)
    assert (found["written"], found["partial"], found["failed"]) == (1, 1, 0)


def test_an_output_of_another_sub_task_is_left_alone(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    annotate_file(texts, output, guideline, Extractor(by_words))
    before = output.read_bytes()
    with pytest.raises(InputError, match=r"out\.jsonl:1: holds predictions of another sub-task \(end2end, not ner\)"):
        annotate_file(texts, output, guideline, Extractor(by_words), sub_task="ner")
    assert output.read_bytes() == before


def test_an_output_that_was_drawn_another_way_is_left_alone(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    annotate_file(texts, output, guideline, Extractor(by_words), samples=2)
    before = output.read_bytes()
    with pytest.raises(InputError, match=r"out\.jsonl:1: holds predictions that were drawn another way \(samples: 2\)"):
        annotate_file(texts, output, guideline, Extractor(by_words))
    assert output.read_bytes() == before
    assert lines(output)[0]["decoding"] == {"samples": 2}


def test_unsure_rows_are_counted_and_no_failures(guideline: Guideline, tmp_path: Path) -> None:
    source = tmp_path / "marked.txt"
    source.write_text("The <e1>pump</e1> feeds the <e2>boiler</e2>.\n")
    label = ("Feeds(e1,e2)", "none")
    model = Extractor(lambda text, number: f"<think>x</think><answer>{label[number]}</answer>")
    options = {"samples": 2, "abstain_below": 0.9}
    found = annotate_file(source, tmp_path / "out.jsonl", guideline, model, **options)
    assert (found["written"], found["failed"], found["partial"], found["abstained"]) == (1, 0, 0, 1)


def test_rows_that_can_not_be_asked_are_listed_with_their_line(guideline: Guideline, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    good = {"id": "g", "text": "Ann runs it", "entities": [{"id": "a", "start": 0, "end": 3, "type": "Person"}]}
    bare = {"id": "b", "text": "Ann runs it", "entities": [{"id": "a", "start": 0, "end": 3}]}
    rows = [{"text": "Raw."}, good, bare, {"text": "<e1>a</e1> <e2>b</e2>"}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = annotate_file(source, tmp_path / "out.jsonl", guideline, Extractor(by_words), sub_task="re_plus")
    assert (found["written"], found["failed"]) == (1, 3)
    assert sorted(e["line"] for e in lines(Path(found["errors"]))) == [1, 3, 4]
    source.write_text(json.dumps(rows[0]))
    with pytest.raises(DataError, match=r"rows\.jsonl:1: raw text without entities.*end2end"):
        annotate_file(source, tmp_path / "other.jsonl", guideline, Extractor(by_words), sub_task="re_plus")


# --------------------------------------------------------------------------------------------------------------- brat


def test_brat_files_hold_the_prediction(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    folder = tmp_path / "brat"
    found = annotate_file(texts, folder, guideline, Extractor(by_words), samples=2, format="brat")
    assert (found["output"], found["written"]) == (str(folder), 3)
    faults = Faults(remedy="")
    relations = frozenset(r.name for r in guideline.relation_types)
    documents = read_brat(folder, relations, faults, frozenset(t.name for t in guideline.entity_types))
    assert faults.beside({})["faults"] == []
    rows = {row["id"]: row for row in lines(folder / "predictions.jsonl")}
    assert [d.id for d in documents] == list(rows)
    for document in documents:
        row = rows[document.id]
        assert document.text == row["text"]
        assert [(e.span.start, e.span.end, e.type) for e in document.entities] == [
            (e["start"], e["end"], e["type"]) for e in row["entities"]
        ]
        assert len(document.relations or ()) == len(row["relations"])
    assert "#1\tAnnotatorNotes T1\tp = 1\n" in (folder / "texts-1.ann").read_text(encoding="utf-8")
    configuration = (folder / "annotation.conf").read_text(encoding="utf-8")
    assert "Operates\tArg1:Person, Arg2:Device\n" in configuration
    assert "Feeds\tArg1:<ENTITY>, Arg2:<ENTITY>\n" in configuration
    assert annotate_file(texts, folder, guideline, Extractor(by_words), samples=2, format="brat")["kept"] == 3


def test_brat_names_and_texts_that_files_do_not_take(guideline: Guideline, tmp_path: Path) -> None:
    source, folder = tmp_path / "rows.jsonl", tmp_path / "brat"
    rows = [{"id": "a/b c", "text": "Ann\nBell runs the pump."}, {"id": "ü" * 90, "text": "Bo rests."}]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = Extractor(lambda text, number: (([["Ann Bell", "Person"]] if "Bell" in text else []), []))
    annotate_file(source, folder, guideline, model, format="brat")
    assert (folder / "a%2Fb%20c.ann").read_text() == "T1\tPerson 0 8\tAnn Bell\n"
    assert (folder / "a%2Fb%20c.txt").read_text() == "Ann\nBell runs the pump."
    name = file_name("ü" * 90)
    assert len(name) < 200
    assert name != file_name("ü" * 91)
    assert (folder / f"{name}.ann").read_text() == ""


def test_formats_and_outputs_that_can_not_be(texts: Path, guideline: Guideline, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no format 'xml' of annotations .*jsonl, brat"):
        annotate_file(texts, tmp_path / "o", guideline, Extractor(by_words), format="xml")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: is a file, brat needs a folder"):
        annotate_file(texts, tmp_path / "file", guideline, Extractor(by_words), format="brat")


def test_an_answer_in_another_tag_set_is_read_as_the_model_was_asked(guideline: Guideline, tmp_path: Path) -> None:
    source = tmp_path / "t.txt"
    source.write_text("Ann runs the pump.\n")
    model = Extractor(lambda text, number: written(*by_words(text)).replace("think", "plan"))
    model.settings = model.settings.model_copy(update={"tags": "plan"})
    annotate_file(source, tmp_path / "out.jsonl", guideline, model)
    (row,) = lines(tmp_path / "out.jsonl")
    assert (row["thinking"], row["errors"], len(row["relations"])) == ("so", [], 1)
