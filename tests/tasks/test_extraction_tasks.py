"""SciER, SciERC, CrossRE and a team's own data as joint extraction."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, InputError, RecipeError
from bythebook.guidelines import load_from_library, load_guideline, write_guideline
from bythebook.readers.crossre import read_crossre
from bythebook.readers.dygie import read_dygie
from bythebook.readers.scier import read_scier
from bythebook.schema import ExtractionSchema, Grammar
from bythebook.studies.show import check_data, sample_rows
from bythebook.tasks import crossre, documents, scier, scierc, task_named
from bythebook.tasks.crossre_joint import DOMAIN_TYPES, TYPES, joint_guideline
from bythebook.tasks.extraction import Passage, asked_sub_tasks, questions
from bythebook.types import Example, ExtractedEntity, ExtractedRelation

FIXTURES = Path(__file__).parents[1] / "fixtures"
MACHINES = FIXTURES / "machines"
GUIDELINE = MACHINES / "guideline.md"


def answer(example: Example) -> Any:
    """The gold as a model would write it."""
    assert example.extraction is not None
    return json.loads(ExtractionSchema.of(example.guideline).write(example.extraction, example.sub_task))


# ------------------------------------------------------------------------------------------------------- sub-tasks


def test_each_sub_task_gives_and_asks_what_it_should() -> None:
    found = {
        s: {e.id.partition("#")[0]: e for e in scier.load(FIXTURES / "scier", s)["train"]}
        for s in ("ner", "re", "re_plus", "end2end")
    }
    name = "scier-train-5"
    ner, re_, plus, both = (found[s][name] for s in ("ner", "re", "re_plus", "end2end"))
    entities = [["Reading comprehension", "Task"], ["RC", "Task"], ["question answering", "Task"]]
    relations = [
        ["RC", "Synonym-Of", "Reading comprehension"],
        ["Reading comprehension", "SubTask-Of", "question answering"],
    ]
    assert answer(ner) == {"ner": entities}
    assert answer(re_) == answer(plus) == {"rel": relations}
    assert answer(both) == {"ner": entities, "rel": relations}
    assert (ner.given, both.given) == (None, None)
    assert re_.given is not None
    # In the order of the text: the order of the gold would tell which is the head.
    assert [(r.head.text, r.type, r.tail.text) for r in re_.given.relations] == [
        ("Reading comprehension", "", "RC"),
        ("Reading comprehension", "", "question answering"),
    ]
    assert all(m.type is None for r in re_.given.relations for m in (r.head, r.tail))
    assert plus.given is not None
    assert [[e.text, e.type] for e in plus.given.entities] == entities
    assert (ner.id, both.id) == ("scier-train-5#ner", "scier-train-5")
    # Nothing related: not asked in `re`. One entity or none: not asked in `re_plus`.
    assert "scier-train-3" not in found["re"]
    assert not {"scier-train-3", "scier-train-6"} & set(found["re_plus"])
    assert answer(found["end2end"]["scier-train-3"]) == {"ner": [], "rel": []}


def test_a_pair_with_several_relations_is_given_once() -> None:
    one, two = (ExtractedEntity(text=t, type="Method") for t in ("Alder", "Heron"))
    relations = tuple(
        ExtractedRelation(head=h, type=kind, tail=t)
        for h, kind, t in ((two, "Part-Of", one), (one, "Compare-With", two), (two, "Used-For", one))
    )
    passage = Passage(id="p", text="Alder has Heron .", entities=(one, two), relations=relations, domain="d")
    (example,) = questions([passage], load_from_library("scier"), ["re"], split="train")
    assert example.given is not None
    assert [(r.head.text, r.tail.text) for r in example.given.relations] == [("Alder", "Heron")]
    assert len(answer(example)["rel"]) == 3


def test_several_sub_tasks_at_once_as_text_or_list() -> None:
    asked = scier.load(FIXTURES / "scier", sub_tasks="ner re re_plus")["dev"]
    assert asked == scier.load(FIXTURES / "scier", sub_tasks=["ner", "re", "re_plus"])["dev"]
    assert [e.id for e in asked] == [f"scier-dev-{n}#{s}" for n in (1, 2) for s in ("ner", "re", "re_plus")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sub_task": "label"}, r"no sub-task 'label'.*ner, re, re_plus, end2end"),
        ({"sub_tasks": "ner all"}, "no sub-task 'all'"),
        ({"sub_tasks": " "}, "no sub-task asked for"),
        ({"sub_task": "ner", "sub_tasks": "re"}, "both sub_task and sub_tasks are given"),
    ],
)
def test_other_sub_tasks_are_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        scier.load(FIXTURES / "scier", **options)  # type: ignore[arg-type]


def test_label_is_the_default_where_there_is_such_a_task_and_stands_alone() -> None:
    assert asked_sub_tasks(None, None, default="label") == ("label",)
    with pytest.raises(DataError, match="stands alone"):
        asked_sub_tasks(None, "label ner", default="label")


# ----------------------------------------------------------------------------------------------------------- SciER


def test_scier_counts_and_broken_type_signatures_are_said() -> None:
    found = scier.check(FIXTURES / "scier")
    assert found["rows"] == {"train": 6, "dev": 2, "test": 2, "test_ood": 1}
    assert found["counts"]["train"] == {"documents": 2, "entities": 15, "relations": 8, "without relation": 2}
    (note,) = found["notes"]
    assert note.startswith("1 of 2 relations SubClass-Of join other entity types")
    assert note.endswith("(the first: dev, line 2: Dataset with Dataset)")


def test_scier_counts_stay_out_where_a_fault_stops_the_reading(tmp_path: Path) -> None:
    (tmp_path / "dev.jsonl").write_text("{}\n")
    assert set(scier.check(tmp_path)) == {"rows", "faults"}


def test_scier_release_has_the_published_counts(licensed_data: Path) -> None:
    counts = scier.check(licensed_data / "scier")["counts"]
    names = ("documents", "entities", "relations", "without relation")
    assert {split: tuple(n[name] for name in names) for split, n in counts.items()} == {
        "train": (80, 18041, 8743, 1608),
        "dev": (10, 2234, 1132, 191),
        # 1,627 and 194 in the copy of R2GRPO, which changes six of these rows.
        "test": (10, 2948, 1626, 195),
        "test_ood": (6, 1295, 582, 315),
    }
    sizes = {s: len(rows) for s, rows in scier.load(licensed_data / "scier", "re").items()}
    assert sizes == {"train": 5575 - 1608, "dev": 713 - 191, "test": 854 - 195, "test_ood": 580 - 315}


# ---------------------------------------------------------------------------------------------------------- SciERC


def test_scierc_by_sentence_and_by_document() -> None:
    by_sentence = scierc.load(FIXTURES / "scierc")["test"]
    assert [(e.id, e.meta["document"]) for e in by_sentence] == [(f"scierc-K04-{n}", "K04") for n in (1, 2, 3)]
    second = by_sentence[1]
    assert second.extraction is not None
    assert [(e.text, e.span and e.span.of(second.text)) for e in second.extraction.entities] == [
        (t, t) for t in ("grammar of Danish", "Danish", "parsing")
    ]
    (whole,) = scierc.load(FIXTURES / "scierc", unit="document")["test"]
    assert (whole.id, len(answer(whole)["rel"])) == ("scierc-K04", 3)
    with pytest.raises(DataError, match=r"no unit 'word'.*sentence, document"):
        scierc.load(FIXTURES / "scierc", unit="word")  # type: ignore[arg-type]


def test_scierc_mistakes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of train\.json"):
        scierc.load(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        scierc.load(tmp_path / "x")
    (tmp_path / "dev.json").write_text('{"doc_key": "K", "sentences": [["a"]], "ner": [[[0, 0, "Bird"]]]}\n')
    with pytest.raises(DataError, match=r"dev\.json:1: not one of the 6 entity types: 'Bird'"):
        scierc.load(tmp_path)
    assert set(scierc.check(tmp_path)) == {"rows", "faults"}


def test_scierc_release_has_the_published_counts(licensed_data: Path) -> None:
    found = scierc.check(licensed_data / "scierc")
    assert found["rows"] == {"train": 1861, "dev": 275, "test": 551}
    assert {s: (n["documents"], n["entities"], n["relations"], n["clusters"]) for s, n in found["counts"].items()} == {
        "train": (350, 5598, 3219 - 4, 720),
        "dev": (50, 811, 455, 100),
        "test": (100, 1685, 974, 195),
    }


# --------------------------------------------------------------------------------------------------------- CrossRE


def test_crossre_asks_whole_sentences_under_the_types_of_their_domain() -> None:
    parts = crossre.load(FIXTURES / "crossre", sub_task="end2end")
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 5, "dev": 2, "test": 3}
    first = parts["test"][0]
    assert (first.id, first.domain) == ("crossre-ai-test-1", "ai")
    assert answer(first)["ner"] == [["Drift calculus", "field"], ["Nils Aker", "researcher"], ["Alm", "location"]]
    # A pair may have several relations here: `label` leaves such pairs out.
    assert [r[1] for r in answer(first)["rel"]] == ["origin", "role", "physical"]
    for e in (e for rows in parts.values() for e in rows):
        assert e.extraction is not None
        assert ExtractionSchema.of(e.guideline).admits(e.extraction) == ()
        assert {t.name for t in e.guideline.entity_types} == set(DOMAIN_TYPES[e.domain])
    other = crossre.load(FIXTURES / "crossre", domains="news", sub_tasks="ner re")
    assert {name: {e.domain for e in rows} for name, rows in other.items()}["ood"] == {"ai"}


def test_crossre_is_relation_classification_unless_asked_otherwise() -> None:
    assert crossre.load(FIXTURES / "crossre") == crossre.load(FIXTURES / "crossre", sub_task="label")
    assert all(e.sub_task == "label" for rows in crossre.load(FIXTURES / "crossre").values() for e in rows)
    assert load_from_library("crossre").entity_types == ()


def test_crossre_types_are_defined_and_used() -> None:
    used = {name for names in DOMAIN_TYPES.values() for name in names}
    assert used == set(TYPES)
    for domain, names in DOMAIN_TYPES.items():
        assert len(set(names)) == len(names)
        assert joint_guideline(domain).relation_types == load_from_library("crossre").relation_types


def test_crossre_release_has_the_counted_sentences_and_no_other_types(licensed_data: Path) -> None:
    parts = crossre.load(licensed_data / "crossre", sub_task="end2end")
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 467, "dev": 1451, "test": 1647}
    declared = {d: {t.name for t in joint_guideline(d).entity_types} for d in DOMAIN_TYPES}
    others = {
        (e.domain, m.type)
        for rows in parts.values()
        for e in rows
        for m in (e.extraction.entities if e.extraction else ())
        if m.type not in declared[e.domain]
    }
    assert others == set()
    counts = crossre.check(licensed_data / "crossre")["counts"]
    assert counts["news train"]["relations"] == 181 - 1
    assert sum(n["relations"] for n in counts.values()) == 10_312


# ------------------------------------------------------------------------------------------------------- own data


def test_own_documents_raw_text_included(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (MACHINES / "documents.jsonl").read_text().splitlines()][:1]
    rows += [{"id": "raw", "text": "A pump."}, {"id": "none", "text": "Quiet.", "entities": [], "relations": []}]
    rows += [{"id": "half", "text": "Ann rests.", "entities": [{"id": 1, "start": 0, "end": 3, "type": "Person"}]}]
    file = tmp_path / "x.jsonl"
    file.write_text("\n".join(json.dumps(r) for r in rows))
    found = {e.id: e for e in documents.load(file, guideline=GUIDELINE, sub_task="end2end")["test"]}
    assert answer(found["d1"]) == {
        "ner": [["Ann", "Person"], ["press", "Device"], ["furnace", "Device"]],
        "rel": [["Ann", "Operates", "press"], ["press", "Feeds", "furnace"]],
    }
    assert answer(found["none"]) == {"ner": [], "rel": []}
    assert (found["raw"].extraction, found["half"].extraction) == (None, None)
    ner = {e.id: e for e in documents.load(file, guideline=GUIDELINE, sub_task="ner")["test"]}
    assert answer(ner["half#ner"]) == {"ner": [["Ann", "Person"]]}
    assert ner["raw#ner"].extraction is None
    found_counts = documents.check(file, GUIDELINE, sub_task="end2end")
    assert found_counts["counts"] == {"x": {"documents": 4, "entities": 4, "relations": 2, "without relation": 1}}


@pytest.mark.parametrize(
    ("row", "sub_task", "message"),
    [
        ({"text": "<e1>a</e1> <e2>b</e2>", "label": "none"}, "ner", r"x\.jsonl:1: a marked sentence asks for one rel"),
        ({"text": "a b", "relations": []}, "ner", r"x\.jsonl:1: 'relations' and 'label' need 'entities'"),
        (
            {"text": "a", "entities": [{"id": 1, "start": 0, "end": 1}]},
            "ner",
            r"x\.jsonl:1: the entity 'a' of x-1 has no",
        ),
        (
            {
                "text": "a b",
                "entities": [{"id": i, "start": 2 * i, "end": 2 * i + 1} for i in (0, 1)],
                "relations": [{"head": 0, "tail": 1, "type": "Feeds"}] * 2,
            },
            "re",
            r"x\.jsonl:1: the relation 'Feeds' of '0' and '1' stands twice",
        ),
    ],
)
def test_what_is_no_row_of_joint_extraction_is_refused(
    row: dict[str, Any], sub_task: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(row))
    with pytest.raises(DataError, match=message):
        documents.load(file, guideline=GUIDELINE, sub_task=sub_task)


def test_two_relations_of_a_pair_are_two_answers_here(tmp_path: Path) -> None:
    entities = [{"id": i, "start": 2 * i, "end": 2 * i + 1} for i in (0, 1)]
    relations = [{"head": 0, "tail": 1, "type": t} for t in ("Feeds", "Beside", "none")]
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"text": "a b", "entities": entities, "relations": relations}))
    (example,) = documents.load(file, guideline=GUIDELINE, sub_task="re")["test"]
    assert answer(example) == {"rel": [["a", "Feeds", "b"], ["a", "Beside", "b"]]}
    with pytest.raises(DataError, match="an answer names one"):
        documents.load(file, guideline=GUIDELINE)


def test_entity_types_are_needed_where_they_are_asked_for(tmp_path: Path) -> None:
    book = load_guideline(GUIDELINE).model_copy(update={"entity_types": ()})
    with pytest.raises(DataError, match=r"end2end asks for entity types, the guideline declares none.*Entity type"):
        documents.load(MACHINES / "documents.jsonl", guideline=book, sub_task="end2end")
    assert len(documents.load(MACHINES / "documents.jsonl", guideline=book, sub_task="re")["test"]) == 2


BOOKS = """# {title}

- Version: 1
- Domain: d

{types}
## Relation type: {relation}
### Definition
one lies in the other
"""


@pytest.mark.parametrize(
    ("format", "path", "types", "relation", "sizes"),
    [
        ("brat", "brat_joint", "Person Device", "Operates", {"test": 1}),
        ("conll", "conll", "PER LOC ORG", "x", {"iob1": 4, "iob2": 4, "iobes": 4}),
        ("conll", "conll/iob2.conll", "PER LOC ORG", "x", {"test": 4}),
        ("docred", "docred", "LOC PER MISC", "P17", {"dev": 3, "test": 1}),
        ("dygie", "scierc", "Task Method Metric Material OtherScientificTerm Generic", "USED-FOR", {}),
    ],
)
def test_other_formats_are_own_data_too(
    format: Any, path: str, types: str, relation: str, sizes: dict[str, int], tmp_path: Path
) -> None:
    relations = {"brat": ["Feeds"], "docred": ["P50", "P19"], "dygie": [*scierc_relations()]}.get(format, [])
    book = BOOKS.format(
        title="t",
        types="".join(f"## Entity type: {t}\n\nthings called {t}\n\n" for t in types.split()),
        relation=relation,
    )
    book += "".join(
        f"\n## Relation type: {r}\n### Definition\none is {r} of the other\n" for r in relations if r != relation
    )
    (tmp_path / "g.md").write_text(book)
    parts = documents.load(FIXTURES / path, guideline=tmp_path / "g.md", sub_task="ner", format=format)
    assert {name: len(rows) for name, rows in parts.items()} == (sizes or {"dev": 2, "test": 3, "train": 5})
    for e in (e for rows in parts.values() for e in rows):
        assert e.extraction is not None
        assert all(m.span is not None and m.span.of(e.text) == m.text for m in e.extraction.entities)
    found = check_data("documents", FIXTURES / path, tmp_path / "g.md", format=format, sub_task="ner")
    assert found["faults"] == []
    assert sum(found["rows"].values()) == sum(len(rows) for rows in parts.values())
    narrow = BOOKS.format(title="t", types="## Entity type: Bird\n\nbirds\n", relation="Near")
    (tmp_path / "narrow.md").write_text(narrow)
    with pytest.raises(DataError, match=r"entity type|entity types"):
        documents.load(FIXTURES / path, guideline=tmp_path / "narrow.md", sub_task="ner", format=format)


def scierc_relations() -> list[str]:
    return [r.name for r in load_from_library("scierc").relation_types]


def test_brat_files_serve_joint_extraction_and_pairs(tmp_path: Path) -> None:
    (example,) = documents.load(FIXTURES / "brat_joint", guideline=GUIDELINE, sub_task="end2end", format="brat")["test"]
    assert answer(example) == {
        "ner": [["Ann", "Person"], ["press", "Device"], ["press", "Device"], ["furnace", "Device"]],
        "rel": [["Ann", "Operates", "press"], ["press", "Feeds", "furnace"]],
    }
    pairs = documents.load(FIXTURES / "brat_joint", guideline=GUIDELINE, format="brat")["test"]
    assert len(pairs) == 6
    ann = (FIXTURES / "brat_joint" / "a.ann").read_text() + "R3\tFeeds Arg1:T2 Arg2:T1\n"
    (tmp_path / "a.txt").write_text((FIXTURES / "brat_joint" / "a.txt").read_text())
    (tmp_path / "a.ann").write_text(ann)
    assert len(documents.load(tmp_path, guideline=GUIDELINE, sub_task="end2end", format="brat")["test"]) == 1
    with pytest.raises(DataError, match=r"a\.ann:1: a: two relations between 'T2' and 'T1', Operates and Feeds"):
        documents.load(tmp_path, guideline=GUIDELINE, format="brat")
    (tmp_path / "a.txt").write_text("Ann runs.")
    (tmp_path / "a.ann").write_text("T1\tBird 0 3\tAnn\n")
    with pytest.raises(DataError, match=r"a\.ann:1: not one of the 2 entity types: 'Bird'"):
        documents.load(tmp_path, guideline=GUIDELINE, sub_task="ner", format="brat")


def test_mistakes_about_formats(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no format 'xml'.*jsonl, brat, conll, docred, dygie"):
        documents.load(MACHINES, guideline=GUIDELINE, format="xml")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"no folder with \.ann files"):
        documents.load(MACHINES, guideline=GUIDELINE, format="brat")
    with pytest.raises(DataError, match=r"no \.json file in this folder"):
        documents.load(MACHINES, guideline=GUIDELINE, sub_task="re", format="docred")
    with pytest.raises(DataError, match=r"DocRED join entities.*ask for sub_task end2end"):
        documents.load(FIXTURES / "docred", guideline=GUIDELINE, format="docred")
    for name in ("a.json", "a.jsonl"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match="several files are called 'a'"):
        documents.load(tmp_path, guideline=GUIDELINE, format="dygie")


# ------------------------------------------------------------------------------------------------- what is shown


def test_rows_of_joint_extraction_are_shown_with_their_gold() -> None:
    rows = sample_rows("scier", FIXTURES / "scier", 1)
    assert [row["split"] for row in rows] == ["train", "dev", "test", "test_ood"]
    assert json.loads(rows[3]["gold"]) == {
        "ner": [["Heron", "Method"], ["NightDrive", "Dataset"]],
        "rel": [["Heron", "Evaluated-With", "NightDrive"]],
    }
    assert rows[2]["prompt"].endswith("Für „ Kräuter-Suche “ we use Alder .")
    ner = sample_rows("crossre", FIXTURES / "crossre", 1, sub_task="ner")
    assert json.loads(ner[0]["gold"]) == {
        "ner": [["Tabu search", "algorithm"], ["metaheuristic", "field"], ["memory", "misc"]]
    }
    (raw, *_) = sample_rows("documents", MACHINES / "documents.jsonl", 1, GUIDELINE, sub_task="re")
    assert "Ann" in raw["gold"]


def test_options_that_a_task_does_not_have_are_refused() -> None:
    with pytest.raises(RecipeError, match="'semeval2018' has no option 'sub_task'"):
        sample_rows("semeval2018", FIXTURES / "semeval2018_task7", 1, sub_task="ner")
    with pytest.raises(RecipeError, match="'scier' has no option 'guideline'"):
        check_data("scier", FIXTURES / "scier", GUIDELINE)
    with pytest.raises(InputError, match="reads no files"):
        task_named("world").checked(FIXTURES)


# -------------------------------------------------------------------------------------------------- the guidelines

SIGNATURES = {
    "Part-Of": ("Method", "Method"),
    "SubClass-Of": ("Method", "Method"),
    "SubTask-Of": ("Task", "Task"),
    "Benchmark-For": ("Dataset", "Task"),
    "Trained-With": ("Method", "Dataset"),
    "Evaluated-With": ("Method", "Dataset"),
    "Synonym-Of": (),
    "Used-For": (),
    "Compare-With": (),
}


def test_scier_guideline_has_the_published_types_and_signatures() -> None:
    book = load_from_library("scier")
    assert {e.name for e in book.entity_types} == {"Dataset", "Method", "Task"}
    assert {r.name: (*r.head_types, *r.tail_types) for r in book.relation_types} == SIGNATURES
    assert not any(r.symmetric for r in book.relation_types)


def test_scierc_guideline_has_the_published_types() -> None:
    book = load_from_library("scierc")
    assert len(book.entity_types) == 6
    assert {r.name: r.symmetric for r in book.relation_types} == {
        "USED-FOR": False,
        "FEATURE-OF": False,
        "HYPONYM-OF": False,
        "PART-OF": False,
        "EVALUATE-FOR": False,
        "COMPARE": True,
        "CONJUNCTION": True,
    }


@pytest.mark.parametrize("name", ["scier", "scierc"])
def test_every_relation_has_every_section(name: str) -> None:
    book = load_from_library(name)
    grammar = Grammar.of(book)
    for r in book.relation_types:
        assert r.direction
        assert r.restrictions
        assert r.overlaps
        assert r.near_misses
        wanted = {f"{r.name}(e1,e2)"} | (set() if r.symmetric else {f"{r.name}(e2,e1)"})
        assert {given for _, given in r.examples} == wanted
        for miss in r.near_misses:
            label = grammar.read(miss.answer)
            assert label is not None
            assert grammar.knows(label)
            assert label.name != r.name


@pytest.mark.parametrize("name", ["scier", "scierc", "crossre"])
def test_the_guidelines_share_no_seven_words_with_the_releases(name: str, licensed_data: Path) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 7]) for i in range(len(words) - 6)}

    if name == "scier":
        texts = [r.text for rows in read_scier(licensed_data / "scier").values() for r in rows]
        texts.append((licensed_data / "scier" / "annotation_guideline.txt").read_text(encoding="utf-8"))
    elif name == "scierc":
        texts = [d.whole.text for rows in read_dygie(licensed_data / "scierc").values() for d in rows]
    else:
        texts = [d.text for rows in read_crossre(licensed_data / "crossre").values() for d in rows]
        texts.append((licensed_data / "crossre" / "annotation_guidelines.txt").read_text(encoding="utf-8"))
    theirs = set[tuple[str, ...]]().union(*map(runs, texts))
    assert len(theirs) > 10_000
    books = [load_from_library(name)] if name != "crossre" else [joint_guideline(d) for d in DOMAIN_TYPES]
    for book in books:
        assert runs(re.sub(r"</?e[12]>", "", write_guideline(book))) & theirs == set()
