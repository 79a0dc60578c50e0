from __future__ import annotations

from pathlib import Path

import pytest

from bythebook.errors import DataError, GuidelineError
from bythebook.guidelines import library_names, load_guideline
from bythebook.readers.documents import Document, document_of
from bythebook.tasks.documents import TASK, guideline_in, guideline_of, load, pair_examples
from bythebook.types import Entity, Guideline, Span


@pytest.fixture(scope="module")
def folder(fixtures: Path) -> Path:
    return fixtures / "machines"


@pytest.fixture(scope="module")
def guideline(folder: Path) -> Guideline:
    return load_guideline(folder / "guideline.md")


def golds(folder: Path, name: str) -> dict[str, str | None]:
    rows = load(folder / name, guideline=folder / "guideline.md")["test"]
    return {e.id: e.gold.text if e.gold else None for e in rows}


def test_pairs_stand_in_text_order_with_gold_from_the_relations(folder: Path) -> None:
    assert golds(folder, "documents.jsonl") == {
        "d1#2-3": "Operates(e1,e2)",
        "d1#2-1": "none",
        "d1#3-1": "Feeds(e1,e2)",
        "d2#1-2": "Beside(e1,e2)",
        "d3#1-3": "none",
    }


def test_marked_sentences_keep_their_roles_and_labels(folder: Path) -> None:
    assert golds(folder, "sentences.jsonl") == {
        "s1": "Feeds(e1,e2)",
        "s2": "Feeds(e2,e1)",
        "s3": "none",
        "s4": "Operates(e1,e2)",
        "s5": "Beside(e1,e2)",
        "sentences-7": "Feeds(e1,e2)",
        "7": None,
    }


def test_head_that_stands_second_is_the_other_direction(guideline: Guideline) -> None:
    row = {
        "text": "x y",
        "entities": [{"id": "late", "start": 2, "end": 3}, {"id": "early", "start": 0, "end": 1}],
        "relations": [{"head": "late", "tail": "early", "type": "Feeds"}],
    }
    document, _ = document_of(row, "d", guideline)
    assert document is not None
    (example,) = pair_examples(document, guideline)
    assert example.gold is not None
    assert example.gold.text == "Feeds(e2,e1)"
    assert example.meta == {"document": "d", "e1": "early", "e2": "late"}
    assert example.entity("e1").span.of(example.text) == "x"


def many(count: int) -> Document:
    """One-letter mentions at the offsets 0, 2, 4, …"""
    entities = tuple(Entity(id=str(i), span=Span(start=2 * i, end=2 * i + 1)) for i in range(count))
    return Document(id="m", text="x " * count, entities=entities)


def test_every_pair_once_without_a_bound(guideline: Guideline) -> None:
    examples = pair_examples(many(7), guideline)
    assert len(examples) == 21
    assert len({e.id for e in examples}) == 21
    assert all(e.gold is None for e in examples)
    assert all(e.entity("e1").span.end <= e.entity("e2").span.start for e in examples)


@pytest.mark.parametrize(("bound", "pairs"), [(0, 0), (1, 6), (2, 6), (3, 11), (100, 21)])
def test_distance_counts_the_characters_between(bound: int, pairs: int, guideline: Guideline) -> None:
    assert len(pair_examples(many(7), guideline, max_distance=bound)) == pairs


def test_annotated_pair_without_relation_is_unlabelled_where_the_guideline_has_no_such_label(
    guideline: Guideline,
) -> None:
    document = many(2).model_copy(update={"relations": ()})
    bare = guideline.model_copy(update={"no_relation": None})
    assert pair_examples(document, bare)[0].gold is None
    gold = pair_examples(document, guideline)[0].gold
    assert gold is not None
    assert gold.text == "none"


def test_folder_gives_a_split_for_each_file_and_a_file_the_split_asked_for(folder: Path) -> None:
    splits = load(folder, guideline=folder / "guideline.md")
    assert {name: len(rows) for name, rows in splits.items()} == {"documents": 5, "sentences": 7}
    assert {e.split for e in splits["documents"]} == {"documents"}
    train = load(folder / "sentences.jsonl", guideline=folder / "guideline.md", split="train")
    assert list(train) == ["train"]
    assert {e.domain for e in train["train"]} == {"workshop", "pottery"}


def test_a_folder_brings_its_guideline_along(folder: Path, guideline: Guideline, tmp_path: Path) -> None:
    assert {e.guideline for rows in load(folder).values() for e in rows} == {guideline}
    assert guideline_in(folder) == folder / "guideline.md"
    assert guideline_in(folder / "sentences.jsonl") is None
    (tmp_path / "x.jsonl").write_text('{"text": "<e1>x</e1> <e2>y</e2>", "label": "Eats(e1,e2)"}\n')
    (tmp_path / "guideline.md").write_text((folder / "guideline.md").read_text(encoding="utf-8"))
    assert TASK.check is not None
    assert TASK.check(tmp_path)["faults"][0]["message"] == "the guideline declares no relation 'Eats'"


def test_missing_path_or_guideline_says_what_to_give(folder: Path) -> None:
    with pytest.raises(DataError, match="give its path"):
        load(guideline="x.md")
    with pytest.raises(DataError, match="needs a guideline"):
        load(folder / "sentences.jsonl")
    with pytest.raises(DataError, match=r"nowhere\.jsonl: no such file"):
        load(folder / "nowhere.jsonl", guideline=folder / "guideline.md")
    with pytest.raises(GuidelineError, match="can't be read"):
        load(folder / "sentences.jsonl", guideline="nowhere.md")


def test_guideline_by_object_file_or_library_name(folder: Path, guideline: Guideline) -> None:
    assert guideline_of(guideline) is guideline
    assert guideline_of(str(folder / "guideline.md")) == guideline
    assert guideline_of(library_names()[0]).relation_types


def test_task_checks_with_and_without_a_guideline(folder: Path, tmp_path: Path) -> None:
    assert TASK.check is not None
    assert TASK.check(folder, folder / "guideline.md") == {"rows": {"documents": 3, "sentences": 7}, "faults": []}
    file = tmp_path / "x.jsonl"
    file.write_text('{"text": "<e1>x</e1> <e2>y</e2>", "label": "Eats(e1,e2)"}\n')
    assert TASK.check(file)["faults"] == []
    (fault,) = TASK.check(file, folder / "guideline.md")["faults"]
    assert (fault["line"], fault["message"]) == (1, "the guideline declares no relation 'Eats'")
