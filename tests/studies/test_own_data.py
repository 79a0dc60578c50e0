from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, InputError
from bythebook.generation.loading import embedded_path
from bythebook.guidelines import load_guideline
from bythebook.readers.documents import check_documents, read_documents
from bythebook.records import read_jsonl
from bythebook.studies.own_data import split_documents, write_example
from bythebook.tasks.documents import load
from bythebook.tasks.world.rules import flip, rule_for, rules_of
from bythebook.types import Example, Guideline, Label


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "corpus"
    write_example(folder)
    return folder


def rows(file: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_jsonl(file)]


def literal_answer(guideline: Guideline, example: Example) -> Label:
    """What the rules say of a sentence in which the verb stands behind whoever acts, directly but for an adverb."""
    known = {rule.verb for rule in rules_of(guideline)}
    words = re.findall(r"\w+", example.text)
    verbs = [w for w in words if w in known]
    rule = rule_for(guideline, verbs[0]) if verbs else None
    if rule is None or rule.exception in words:
        return Label(name=str(guideline.no_relation))
    second = example.entity("e2").span
    inverted = re.match(rf" (\w+ )?{rule.verb}\b", example.text[second.end :]) is not None
    return Label(name=rule.name, direction=flip(rule.direction) if inverted else rule.direction)


# ------------------------------------------------------------------------------------------------------ the example


def test_the_example_is_forty_sentences_and_twelve_without_annotation(corpus: Path) -> None:
    assert check_documents(corpus, load_guideline(corpus / "guideline.md")) == {
        "rows": {"rest": 12, "sentences": 40},
        "faults": [],
    }
    assert all("relations" in row for row in rows(corpus / "sentences.jsonl"))
    assert not any("relations" in row for row in rows(corpus / "rest.jsonl"))


def test_the_annotation_follows_the_guideline(corpus: Path) -> None:
    guideline = load_guideline(corpus / "guideline.md")
    examples = load(corpus / "sentences.jsonl", guideline=guideline)["test"]
    assert len(examples) == 40
    for e in examples:
        assert e.gold == literal_answer(guideline, e), e.text
    assert {e.gold.text for e in examples if e.gold} == {label.text for label in guideline.labels}


def test_every_word_is_one_that_the_embedded_model_knows(corpus: Path) -> None:
    known = set(json.loads((embedded_path() / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
    bare = {token.strip(" Ġ▁").lower() for token in known}
    for name in ("sentences.jsonl", "rest.jsonl"):
        for row in rows(corpus / name):
            assert [w for w in re.findall(r"\w+", row["text"].lower()) if w not in bare] == []


def test_what_is_there_is_not_overwritten(corpus: Path) -> None:
    with pytest.raises(InputError, match=r"guideline\.md: the file is there already"):
        write_example(corpus)


# -------------------------------------------------------------------------------------------------------- the split


def test_a_split_holds_every_annotated_row_once_and_its_guideline(corpus: Path, tmp_path: Path) -> None:
    found = split_documents(corpus, tmp_path / "split", seed=1)
    parts = {name: rows(tmp_path / "split" / f"{name}.jsonl") for name in ("train", "dev", "test")}
    before = {row["id"]: row for row in rows(corpus / "sentences.jsonl")}
    assert sorted(row["id"] for part in parts.values() for row in part) == sorted(before)
    assert all(row == before[row["id"]] for part in parts.values() for row in part)
    assert {name: len(part) for name, part in parts.items()} == {
        name: part["documents"] for name, part in found["splits"].items()
    }
    assert load_guideline(tmp_path / "split" / "guideline.md") == load_guideline(corpus / "guideline.md")
    assert [row["id"] for row in rows(tmp_path / "split/rest/rest.jsonl")] == [f"r{i:02}" for i in range(1, 13)]
    assert json.loads((tmp_path / "split/split.json").read_text()) == found
    assert {name: len(examples) for name, examples in load(tmp_path / "split").items()} == {
        "dev": 6,
        "test": 6,
        "train": 28,
    }


def write(file: Path, texts: list[str], label: str = "Zeno-Sot(e1,e2)") -> Path:
    file.write_text("".join(json.dumps({"text": t, **({"label": label} if label else {})}) + "\n" for t in texts))
    return file


def test_near_duplicates_stay_together(corpus: Path, tmp_path: Path) -> None:
    file = tmp_path / "twins.jsonl"
    kinds = ["pump", "boiler", "kettle", "stove", "oven", "drum", "lamp", "belt", "fan", "gear"]
    texts = [
        f"the <e1>{k}</e1> in the {k} house of number {i} feeds the <e2>tank</e2>" for k in kinds for i in range(4)
    ]
    write(file, texts)
    for seed in range(5):
        output = tmp_path / str(seed)
        found = split_documents(file, output, corpus / "guideline.md", seed=seed)
        assert found["near_duplicates"] == 40
        where: dict[str, set[str]] = {}
        for name in ("train", "dev", "test"):
            for document in read_documents(output / f"{name}.jsonl"):
                where.setdefault(document.text.split()[1], set()).add(name)
        assert all(len(parts) == 1 for parts in where.values())


def test_rows_without_an_id_keep_the_one_they_are_called_by(corpus: Path, tmp_path: Path) -> None:
    texts = [
        f"<e1>{a}</e1> feeds <e2>{b}</e2>" for a in ("pump", "lamp", "fan") for b in ("tank", "bird", "cat", "dog")
    ]
    split_documents(
        write(tmp_path / "bare.jsonl", texts), tmp_path / "out", corpus / "guideline.md", dev=0.25, test=0.25
    )
    ids = [row["id"] for name in ("train", "dev", "test") for row in rows(tmp_path / "out" / f"{name}.jsonl")]
    assert sorted(ids) == sorted(f"bare-{i}" for i in range(1, 13))


def test_a_share_of_nothing_leaves_the_part_out(corpus: Path, tmp_path: Path) -> None:
    split_documents(corpus / "sentences.jsonl", tmp_path / "out", dev=0.0, test=0.25)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "guideline.md",
        "split.json",
        "test.jsonl",
        "train.jsonl",
    ]


def test_mistakes_are_said_and_leave_nothing_behind(corpus: Path, tmp_path: Path) -> None:
    sentences, out = corpus / "sentences.jsonl", tmp_path / "out"
    with pytest.raises(DataError, match="leave nothing to train on"):
        split_documents(sentences, out, dev=0.5, test=0.5)
    with pytest.raises(DataError, match="leave nothing to train on"):
        split_documents(sentences, out, dev=-0.1)
    few = write(tmp_path / "few.jsonl", ["<e1>a</e1> feeds <e2>b</e2>"])
    with pytest.raises(DataError, match=r"1 annotated rows leave (train|dev|test) empty"):
        split_documents(few, out, corpus / "guideline.md")
    with pytest.raises(DataError, match="0 annotated rows leave train empty"):
        split_documents(corpus / "rest.jsonl", out)
    with pytest.raises(DataError, match="a split needs a guideline"):
        split_documents(few, out)
    with pytest.raises(DataError, match=r"bad\.jsonl:1: .*declares no relation"):
        split_documents(
            write(tmp_path / "bad.jsonl", ["<e1>a</e1> <e2>b</e2>"], "X(e1,e2)"), out, corpus / "guideline.md"
        )
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="there is something here already"):
        split_documents(sentences, out)
    assert [p.name for p in out.iterdir()] == ["mine.txt"]
    with pytest.raises(InputError, match="can't be made"):
        split_documents(sentences, out / "mine.txt" / "split")
