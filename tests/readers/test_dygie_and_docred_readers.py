from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.readers.docred import check_docred, read_docred
from bythebook.readers.dygie import check_dygie, read_dygie, read_dygie_file
from bythebook.readers.faults import Faults

FIXTURES = Path(__file__).parents[1] / "fixtures"

# ------------------------------------------------------------------------------------------------------------ DyGIE


def row(**changes: Any) -> dict[str, Any]:
    sound = {
        "doc_key": "K1",
        "sentences": [["Kestrel", "finds", "nests", "."], ["It", "sees", "well", "."]],
        "ner": [[[0, 0, "Method"], [2, 2, "Task"]], [[4, 4, "Generic"]]],
        "relations": [[[0, 0, 2, 2, "USED-FOR"]], []],
        "clusters": [[[0, 0], [4, 4]]],
    }
    return {**sound, **changes}


def dygie(folder: Path, *rows: Any) -> list[tuple[int, str]]:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
    (folder / "x.json").write_bytes(b"\n".join(lines) + b"\n")
    return [(f["line"], f["message"]) for f in check_dygie(folder / "x.json")["faults"]]


def test_documents_are_read_whole_and_cut_into_sentences() -> None:
    found = read_dygie(FIXTURES / "scierc")
    assert {name: [d.whole.id for d in rows] for name, rows in found.items()} == {
        "dev": ["K03"],
        "test": ["K04"],
        "train": ["K01", "K02"],
    }
    first = found["train"][0]
    text = first.whole.text
    assert text.startswith("A tracker relies on optical flow . It is judged")
    assert [e.span.of(text) for e in first.whole.entities] == [
        "tracker",
        "optical flow",
        "It",
        "drift rate",
        "Lemmas",
        "suffixes",
    ]
    assert [[s.of(text) for s in cluster] for cluster in first.clusters] == [["tracker", "It"]]
    sentences = first.by_sentence()
    assert [(s.id, s.text) for s in sentences] == [
        ("K01-1", "A tracker relies on optical flow ."),
        ("K01-2", "It is judged by its drift rate ."),
        ("K01-3", "Lemmas and suffixes are stored ."),
    ]
    second = sentences[1]
    assert [(e.id, e.span.of(second.text)) for e in second.entities] == [("3", "It"), ("4", "drift rate")]
    assert [(r.head, r.tail, r.type) for r in second.relations or ()] == [("4", "3", "EVALUATE-FOR")]


def test_what_nobody_annotated_has_no_relations(tmp_path: Path) -> None:
    bare = row()
    del bare["relations"], bare["clusters"]
    assert dygie(tmp_path, bare) == []
    (document,) = read_dygie(tmp_path)["x"]
    assert document.whole.relations is None
    assert [s.relations for s in document.by_sentence()] == [None, None]


DYGIE: list[tuple[Any, str]] = [
    (b"{", "Invalid JSON"),
    (b"\xff", "not UTF-8"),
    ([1], "Input should be an object"),
    (row(doc_key=1), "doc_key: Input should be a valid string"),
    (row(sentences=[["a", 1]]), "sentences.0.1: Input should be a valid string"),
    (row(relations=[[[0, 0, 2, 2, "a,b"]], []]), "relations.0.0.4: Value error, a label name may not contain"),
    (row(ner=[[]]), "ner has 1 lists for 2 sentences"),
    (row(relations=[[], [], []]), "relations has 3 lists for 2 sentences"),
    (row(sentences=[["Kestrel", "finds", "nests", "."], []], ner=[[], []], relations=[[], []]), "sentence 2 is empty"),
    (row(ner=[[[0, 4, "Method"]], []], relations=[[], []]), "entity [0, 4] does not lie in its sentence"),
    (row(ner=[[[2, 1, "Method"]], []], relations=[[], []]), "entity [2, 1] does not lie in its sentence"),
    (row(ner=[[[-1, 0, "Method"]], []], relations=[[], []]), "entity [-1, 0] does not lie in its sentence"),
    (row(ner=[[[0, 0, "A"], [0, 0, "B"]], []], relations=[[], []]), "two entities of sentence 1 have the same tokens"),
    (row(relations=[[[0, 0, 1, 1, "X"]], []]), "the relation [0, 0, 1, 1] joins tokens that are no entity"),
    (row(relations=[[[0, 0, 4, 4, "X"]], []]), "the relation [0, 0, 4, 4] joins tokens that are no entity of its sent"),
    (row(clusters=[[[7, 8]]]), "the mention [7, 8] of a cluster has no such tokens"),
    (row(doc_key="K0"), "the doc_key 'K0' stands in line 1 already"),
]


@pytest.mark.parametrize(("faulty", "message"), DYGIE)
def test_every_fault_of_dygie_is_named_with_its_line(faulty: Any, message: str, tmp_path: Path) -> None:
    found = dygie(tmp_path, row(doc_key="K0"), faulty, row(doc_key="K2"))
    assert found[0][0] == 2
    assert found[0][1].startswith(message)
    with pytest.raises(DataError, match=r"x\.json:2: .*a line is one JSON object"):
        read_dygie(tmp_path)


def test_slips_of_dygie_are_named_and_left_out(tmp_path: Path) -> None:
    one = [0, 0, 2, 2, "USED-FOR"]
    assert dygie(tmp_path, row(relations=[[one, one, [0, 0, 0, 0, "COMPARE"]], []])) == [
        (1, "the relation [0, 0, 2, 2, 'USED-FOR'] stands twice; left out"),
        (1, "a relation 'COMPARE' joins the entity [0, 0] with itself; left out"),
    ]
    assert len(read_dygie(tmp_path)["x"][0].whole.relations or ()) == 1


def test_names_that_are_not_expected_are_faults(tmp_path: Path) -> None:
    dygie(tmp_path, row())
    faults = Faults()
    types, relations = frozenset({"Method", "Task"}), frozenset({"PART-OF"})
    assert read_dygie_file(tmp_path / "x.json", faults, entity_types=types, relations=relations) == []
    assert [f["message"] for f in faults.rows] == [
        "not one of the 2 entity types: 'Generic'",
        "not one of the 1 relations: 'USED-FOR'",
    ]


def test_an_empty_file_and_folders_without_files(tmp_path: Path) -> None:
    for read, kind in ((read_dygie, "json and no .jsonl"), (read_docred, "json")):
        with pytest.raises(DataError, match=rf"no \.{kind} file in this folder"):
            read(tmp_path)
        with pytest.raises(DataError, match="no such file or folder"):
            read(tmp_path / "x")
    assert dygie(tmp_path) == [(1, "the file holds no document")]


def test_scierc_has_the_published_counts(licensed_data: Path) -> None:
    found = check_dygie(licensed_data / "scierc")
    assert found["rows"] == {"dev": 50, "test": 100, "train": 350}
    # What the release really has: four relations that stand twice.
    assert [(Path(f["file"]).name, f["line"]) for f in found["faults"]] == [
        ("train.json", line) for line in (16, 19, 19, 251)
    ]
    counts = {}
    for name, documents in read_dygie(licensed_data / "scierc").items():
        sentences = [s for d in documents for s in d.by_sentence()]
        counts[name] = (
            len(sentences),
            sum(len(s.entities) for s in sentences),
            sum(len(s.relations or ()) for s in sentences),
            sum(len(d.clusters) for d in documents),
        )
    assert counts == {
        "train": (1861, 5598, 3219 - 4, 720),
        "dev": (275, 811, 455, 100),
        "test": (551, 1685, 974, 195),
    }


# ----------------------------------------------------------------------------------------------------------- DocRED


def item(**changes: Any) -> dict[str, Any]:
    sound = {
        "title": "Alm",
        "sents": [["Alm", "is", "a", "town", "."], ["It", "lies", "in", "Norway", "."]],
        "vertexSet": [
            [{"name": "Alm", "pos": [0, 1], "sent_id": 0, "type": "LOC"}],
            [{"name": "Norway", "pos": [3, 4], "sent_id": 1, "type": "LOC"}],
        ],
        "labels": [{"h": 0, "t": 1, "r": "P17", "evidence": [1]}],
    }
    return {**sound, **changes}


def vertex(**changes: Any) -> list[list[dict[str, Any]]]:
    return [[{"name": "Alm", "pos": [0, 1], "sent_id": 0, "type": "LOC", **changes}], item()["vertexSet"][1]]


def docred(folder: Path, *items: Any) -> list[tuple[int, str]]:
    lines = ",\n".join(json.dumps(i) for i in items)
    (folder / "x.json").write_text(f"[{lines}]\n", encoding="utf-8")
    return [(f["line"], f["message"]) for f in check_docred(folder / "x.json")["faults"]]


def test_clusters_of_mentions_and_relations_between_their_first() -> None:
    found = read_docred(FIXTURES / "docred")
    assert {name: [d.whole.id for d in rows] for name, rows in found.items()} == {
        "dev": ["Alm", "Low Tide", "Alm (3)"],
        "test": ["Skagen"],
    }
    second = found["dev"][1]
    text = second.whole.text
    assert [(e.id, e.span.of(text), e.type) for e in second.whole.entities] == [
        ("0.0", "Low Tide", "MISC"),
        ("1.0", "Moss Farrow", "PER"),
        ("1.1", "Farrow", "PER"),
        ("2.0", "Alm", "LOC"),
    ]
    assert second.clusters == (("0.0",), ("1.0", "1.1"), ("2.0",))
    assert [(r.head, r.type, r.tail) for r in second.whole.relations or ()] == [
        ("0.0", "P50", "1.0"),
        ("1.0", "P19", "2.0"),
    ]
    assert [s.of(text) for s in second.sentences] == [
        "Low Tide is a novel by Moss Farrow .",
        "Farrow was born in Alm .",
    ]
    assert found["test"][0].whole.relations is None


DOCRED: list[tuple[Any, str]] = [
    ([1], "document 2: Input should be"),
    (item(title=5), "document 2: title: Input should be a valid string"),
    (item(vertexSet=vertex(pos=[0])), "document 2: vertexSet.0.0.pos: List should have at least 2 items"),
    (item(title=" "), "document 2: the title is empty"),
    (item(sents=[["Alm", "is"], []], vertexSet=[], labels=[]), "document 2: sentence 1 is empty"),
    (item(vertexSet=[[], []], labels=[]), "document 2: entity 0 has no mention"),
    (item(vertexSet=vertex(sent_id=2)), "document 2: entity 0: there is no sentence 2"),
    (item(vertexSet=vertex(sent_id=-1)), "document 2: entity 0: there is no sentence -1"),
    (item(vertexSet=vertex(pos=[4, 6])), "document 2: entity 0: pos [4, 6] does not lie in sentence 0 of 5 tokens"),
    (item(vertexSet=vertex(pos=[1, 1])), "document 2: entity 0: pos [1, 1] does not lie in sentence 0"),
    (item(labels=[{"h": 0, "t": 2, "r": "P17"}]), "document 2: a label's t is 2, there are 2 entities"),
    (item(labels=[{"h": -1, "t": 0, "r": "P17"}]), "document 2: a label's h is -1, there are 2 entities"),
    (item(labels=[{"h": 0, "t": 1, "r": ""}]), "document 2: labels.0.r: Value error, a label name has"),
]


@pytest.mark.parametrize(("faulty", "message"), DOCRED)
def test_every_fault_of_docred_is_named_with_its_line(faulty: Any, message: str, tmp_path: Path) -> None:
    found = docred(tmp_path, item(), faulty, item(title="Skagen"))
    assert found[0][0] == 2
    assert found[0][1].startswith(message)
    with pytest.raises(DataError, match=r"x\.json:2: .*a file is one JSON list"):
        read_docred(tmp_path)


def test_slips_of_docred_are_named_and_left_out(tmp_path: Path) -> None:
    label = {"h": 0, "t": 1, "r": "P17"}
    mention = item()["vertexSet"][0][0]
    slips = item(vertexSet=[[mention, mention], item()["vertexSet"][1]], labels=[label, label, {**label, "t": 0}])
    assert [message for _, message in docred(tmp_path, slips)] == [
        "entity 0 of 'Alm' has the mention 'Alm' twice; left out",
        "the relation [0, 1, 'P17'] of 'Alm' stands twice; left out",
        "a relation 'P17' of 'Alm' joins entity 0 with itself; left out",
    ]
    (document,) = read_docred(tmp_path)["x"]
    assert (document.clusters, len(document.whole.relations or ())) == ((("0.0",), ("1.0",)), 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file holds no JSON list"),
        ("{}", "the file holds no JSON list"),
        ("[{}", "not JSON: the list breaks off"),
        ("[" * 100_000, "not JSON"),
        ("[]", "the file holds no document"),
    ],
)
def test_what_is_no_list_of_documents_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=rf"x\.json:1: {message}"):
        read_docred(tmp_path)
