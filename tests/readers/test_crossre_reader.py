from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.readers.crossre import check_crossre, read_crossre

FIXTURE = Path(__file__).parents[1] / "fixtures" / "crossre"


def row(**changes: Any) -> dict[str, Any]:
    sound = {
        "doc_key": "ai-dev-1",
        "sentence": ["Logo", "uses", "Lisp", "."],
        "ner": [[0, 0, "product"], [2, 2, "product"]],
        "relations": [[0, 0, 2, 2, "usage", "", False, False]],
    }
    return {**sound, **changes}


def check(folder: Path, *rows: Any, domain: str = "ai") -> list[tuple[int, str]]:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
    (folder / f"{domain}-dev.json").write_bytes(b"\n".join(lines) + b"\n")
    return [(f["line"], f["message"]) for f in check_crossre(folder)["faults"]]


def test_tokens_become_offsets_and_relations_name_entities() -> None:
    found = read_crossre(FIXTURE)
    assert list(found) == [("ai", "train"), ("ai", "test"), ("news", "train"), ("news", "dev"), ("news", "test")]
    first = found["news", "train"][0]
    assert first.text == "The Salt League accused the River League of fraud in Alm ."
    assert {e.id: e.span.of(first.text) for e in first.entities} == {
        "1": "Salt League",
        "2": "River League",
        "3": "Alm",
    }
    assert [(r.head, r.tail, r.type) for r in first.relations or ()] == [("2", "1", "opposite"), ("1", "3", "physical")]
    assert (first.id, first.domain, first.line) == ("news-train-1", "news", 1)
    assert found["news", "train"][2].relations == ()


def test_the_folder_above_is_taken_too(tmp_path: Path) -> None:
    (tmp_path / "crossre_data").symlink_to(FIXTURE, target_is_directory=True)
    assert read_crossre(tmp_path) == read_crossre(FIXTURE)


FAULTY: list[tuple[Any, str]] = [
    (b"{", "Invalid JSON"),
    (b"\xff", "not UTF-8"),
    (b"[" * 100_000, "Invalid JSON"),
    ([1], "Input should be an object"),
    ({"doc_key": "x"}, "sentence: Field required"),
    (row(doc_key=5), "doc_key: Input should be a valid string"),
    (row(sentence="Logo"), "sentence: Input should be a valid array"),
    (row(ner=[[0, 0]]), "ner.0.2: Field required"),
    (row(ner=[[0, True, "x"]], relations=[]), "ner.0.1: Input should be a valid integer"),
    (row(ner=[[0, 9, "x"]], relations=[]), "entity [0, 9] has no such tokens"),
    (row(ner=[[1, 0, "x"]], relations=[]), "entity [1, 0] has no such tokens"),
    (row(ner=[[-1, 0, "x"]], relations=[]), "entity [-1, 0] has no such tokens"),
    (row(ner=[[0, 0, "x"], [0, 0, "y"]], relations=[]), "two entities have the same tokens"),
    (row(sentence=[""], ner=[], relations=[]), "the sentence is empty"),
    (row(relations=[[0, 0, 2]]), "a relation is [head start"),
    (row(relations=[[0, 0, 2, "2", "usage"]]), "a relation is [head start"),
    (row(relations=[[0, 0, 1, 1, "usage"]]), "the relation [0, 0, 1, 1] joins tokens that are no entity"),
    (row(relations=[[0, 0, 2, 2, "uses"]]), "not one of the 17 relations: 'uses'"),
    (row(doc_key="ai-dev-0"), "the doc_key 'ai-dev-0' stands in ai-dev.json, line 1 already"),
]


@pytest.mark.parametrize(("faulty", "message"), FAULTY)
def test_every_fault_is_named_with_its_line(faulty: Any, message: str, tmp_path: Path) -> None:
    ((line, found),) = check(tmp_path, row(doc_key="ai-dev-0"), faulty, row(doc_key="ai-dev-2"))
    assert line == 2
    assert found.startswith(message)
    with pytest.raises(DataError, match=r"ai-dev\.json:2: .*a line is one JSON object"):
        read_crossre(tmp_path)


def test_slips_are_named_and_left_out(tmp_path: Path) -> None:
    usage = [0, 0, 2, 2, "usage", "", False, False]
    slips = [usage, usage, [0, 0, 0, 0, "role", "", False, False], [2, 2, 0, 0, "role", "", False, False]]
    assert check(tmp_path, row(relations=slips)) == [
        (1, "the relation 'usage' stands twice between the same entities; left out"),
        (1, "a relation 'role' joins an entity with itself; left out"),
    ]
    (document,) = read_crossre(tmp_path)["ai", "dev"]
    assert [(r.head, r.tail, r.type) for r in document.relations or ()] == [("1", "2", "usage"), ("2", "1", "role")]


def test_an_empty_file_and_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no <domain>-<split>\.json"):
        read_crossre(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_crossre(tmp_path / "x")
    assert check(tmp_path) == [(1, "the file holds no sentence")]


def test_the_official_release_has_the_published_counts(licensed_data: Path) -> None:
    found = check_crossre(licensed_data / "crossre")
    sentences = {
        "news": (164, 350, 400),
        "science": (103, 351, 400),
        "literature": (100, 400, 416),
        "ai": (100, 350, 431),
    }
    assert found["rows"] == {
        f"{domain} {split}": n
        for domain in ("ai", "literature", "news", "science")
        for split, n in zip(("train", "dev", "test"), sentences[domain], strict=True)
    }
    # What the release really has: three relations of an entity with itself, and three that stand twice.
    slips = [(Path(f["file"]).name, f["line"]) for f in found["faults"]]
    assert sorted(slips) == [
        ("ai-test.json", 345),
        ("literature-dev.json", 150),
        ("literature-test.json", 14),
        ("news-train.json", 98),
        ("science-test.json", 215),
        ("science-train.json", 53),
    ]
    found_relations = [
        len(d.relations or ()) for rows in read_crossre(licensed_data / "crossre").values() for d in rows
    ]
    assert sum(found_relations) == 181 + 308 + 396 + 401 + 1387 + 1446 + 400 + 1570 + 1623 + 363 + 1079 + 1164 - 6
