from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError
from bythebook.readers.scier import check_scier, read_scier

FIXTURE = Path(__file__).parents[1] / "fixtures" / "scier"


def row(**changes: Any) -> dict[str, Any]:
    sound = {
        "doc_id": "7",
        "sentence": "Kestrel beats Heron on OrchardQA .",
        "ner": [["Kestrel", "Method"], ["Heron", "Method"], ["OrchardQA", "Dataset"]],
        "rel": [["Kestrel", "Compare-With", "Heron"]],
        "rel_plus": [["Kestrel:Method", "Compare-With", "Heron:Method"]],
    }
    return {**sound, **changes}


def related(*relations: tuple[str, str, str]) -> dict[str, Any]:
    """The sound row with other relations; arguments are written `text:Type`."""
    bare = [[head.rpartition(":")[0], kind, tail.rpartition(":")[0]] for head, kind, tail in relations]
    return row(rel=bare, rel_plus=[list(r) for r in relations])


def check(folder: Path, *rows: Any) -> list[tuple[int, str]]:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
    (folder / "dev.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return [(f["line"], f["message"]) for f in check_scier(folder)["faults"]]


def test_sentences_with_typed_entities_and_relations() -> None:
    found = read_scier(FIXTURE)
    assert {split: len(rows) for split, rows in found.items()} == {"train": 6, "dev": 2, "test": 2, "test_ood": 1}
    first = found["train"][0]
    assert (first.id, first.document, first.line) == ("train-1", "11", 1)
    assert [(e.text, e.type, e.span) for e in first.extraction.entities] == [
        ("Kestrel", "Method", None),
        ("ladder search", "Method", None),
        ("route planning", "Task", None),
    ]
    relation = first.extraction.relations[1]
    assert (relation.head.text, relation.type, relation.tail.text) == ("Kestrel", "Used-For", "route planning")
    assert (relation.head.type, relation.tail.type) == ("Method", "Task")
    assert found["train"][2].extraction.entities == ()


def test_repeated_mentions_are_kept_and_no_fault_and_a_colon_is_part_of_a_name() -> None:
    train = read_scier(FIXTURE)["train"]
    assert [e.text for e in train[3].extraction.entities].count("Heron") == 3
    assert train[5].extraction.entities[0].text == "Alder : Base"
    assert check_scier(FIXTURE)["faults"] == []


@pytest.mark.parametrize("folder", ["", "LLM"])
def test_the_folder_and_the_one_above_are_taken(folder: str) -> None:
    assert read_scier(FIXTURE / folder) == read_scier(FIXTURE / "LLM")


FAULTY: list[tuple[Any, str]] = [
    (b"{", "Invalid JSON"),
    (b"\xff", "not UTF-8"),
    (b"[" * 100_000, "Invalid JSON"),
    (b'{"doc_id": "\\ud83d"}', "Invalid JSON"),
    ([1], "Input should be an object"),
    ({"doc_id": "7"}, "sentence: Field required"),
    (row(doc_id=7), "doc_id: Input should be a valid string"),
    (row(ner=[["Kestrel"]]), "ner.0.1: Field required"),
    (row(sentence=" "), "the sentence is empty"),
    (row(ner=[[" ", "Method"]], rel=[], rel_plus=[]), "an entity 'Method' without text"),
    (row(ner=[["Kestrel", "Bird"]], rel=[], rel_plus=[]), "not one of the 3 entity types: 'Bird'"),
    (related(("Kestrel:Method", "Beats", "Heron:Method")), "not one of the 9 relations: 'Beats'"),
    (row(rel_plus=[]), "rel and rel_plus do not name the same relations"),
    (row(rel=[["Heron", "Compare-With", "Kestrel"]]), "rel and rel_plus do not name the same relations"),
]


@pytest.mark.parametrize(("faulty", "message"), FAULTY)
def test_every_fault_is_named_with_its_line(faulty: Any, message: str, tmp_path: Path) -> None:
    found = check(tmp_path, row(), faulty, row())
    assert found[0][0] == 2
    assert found[0][1].startswith(message)
    with pytest.raises(DataError, match=r"dev\.jsonl:2: .*a line is one JSON object"):
        read_scier(tmp_path)


def test_slips_are_named_and_left_out(tmp_path: Path) -> None:
    strange = row(ner=[["Kestrel", "Method"], ["Falcon", "Method"]], rel=[], rel_plus=[])
    lost = related(("Kestrel:Method", "Used-For", "Heron:Task"), ("Kestrel:Method", "Compare-With", "Heron:Method"))
    assert check(tmp_path, strange, lost) == [
        (1, "the entity 'Falcon' does not stand in the sentence; left out"),
        (2, "a relation Used-For joins 'Heron' (Task), which is no entity of the sentence; left out"),
    ]
    first, second = read_scier(tmp_path)["dev"]
    assert [e.text for e in first.extraction.entities] == ["Kestrel"]
    assert [r.type for r in second.extraction.relations] == ["Compare-With"]


OFTEN = (
    "the relation Compare-With of 'Kestrel' and 'Heron' stands 2 times; pairs of such mentions in the sentence: 1; kept"
)


def test_what_stands_more_often_than_it_can_is_named_and_kept(tmp_path: Path) -> None:
    often = row(ner=[["Kestrel", "Method"]] * 2, rel=[], rel_plus=[])
    twice = related(*[("Kestrel:Method", "Compare-With", "Heron:Method")] * 2)
    assert check(tmp_path, often, twice) == [
        (1, "the entity 'Kestrel' stands 2 times, its text 1 times in the sentence; kept"),
        (2, OFTEN),
    ]
    first, second = read_scier(tmp_path)["dev"]
    assert (len(first.extraction.entities), len(second.extraction.relations)) == (2, 2)


def test_an_empty_file_and_folders_without_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of train\.jsonl, dev\.jsonl.*give the folder LLM"):
        read_scier(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        read_scier(tmp_path / "x")
    assert check(tmp_path) == [(1, "the file holds no sentence")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    value=st.fixed_dictionaries(
        {"doc_id": st.text(max_size=3), "sentence": st.text(max_size=9) | _JSON},
        optional={
            "ner": _JSON,
            "rel": _JSON,
            "rel_plus": st.lists(st.lists(st.text(max_size=4), max_size=4), max_size=2),
        },
    )
)
def test_any_row_is_read_or_has_a_fault(value: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "dev.jsonl").write_text(json.dumps(value), encoding="utf-8")
    found = check_scier(folder)
    assert found["rows"]["dev"] == 1 or found["faults"]


def test_the_release_has_the_published_rows(licensed_data: Path) -> None:
    found = check_scier(licensed_data / "scier")
    assert found["rows"] == {"train": 5575, "dev": 713, "test": 854, "test_ood": 580}
    # What the release really has: eight relations that stand more often than their mentions have pairs.
    train = [("train.jsonl", line) for line in (1841, 3434, 3493, 3928, 3928, 4665, 5169)]
    assert [(Path(f["file"]).name, f["line"]) for f in found["faults"]] == [*train, ("dev.jsonl", 24)]
    assert all(f["message"].endswith("; kept") for f in found["faults"])
