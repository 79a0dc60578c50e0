"""SemEval-2018, CrossRE and MDKG as tasks, and the guidelines they bring."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bythebook.errors import DataError, RecipeError
from bythebook.guidelines import load_from_library, write_guideline
from bythebook.prompts import marked_text
from bythebook.readers.crossre import read_crossre
from bythebook.readers.semeval2018 import read_semeval2018
from bythebook.schema import Grammar
from bythebook.tasks import crossre, mdkg, semeval2018
from bythebook.types import Example

FIXTURES = Path(__file__).parents[1] / "fixtures"
NAMES = ("crossre", "mdkg", "semeval2018")


def golds(rows: list[Example]) -> dict[str, str | None]:
    return {e.id: e.gold.text if e.gold else None for e in rows}


# ---------------------------------------------------------------------------------------------------- SemEval-2018


def test_semeval2018_has_its_official_split() -> None:
    parts = semeval2018.load(FIXTURES / "semeval2018_task7")
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 7, "test": 3}
    first = parts["test"][0]
    assert first.id == "semeval2018-1.1-T02-1.1-T02-1.2"
    assert marked_text(first) == "Our <e1>stemmer</e1> relies on a <e2>suffix list</e2> ."
    assert first.gold is not None
    assert first.gold.text == "USAGE(e2,e1)"


def test_semeval2018_practice_texts_become_dev() -> None:
    parts = semeval2018.load(FIXTURES / "semeval2018_task7", practice=True)
    assert {name: {e.meta["document"] for e in rows} for name, rows in parts.items()} == {
        "train": {"T01-1"},
        "dev": {"T01-2"},
        "test": {"T02-1"},
    }


def test_semeval2018_refuses_other_subtasks() -> None:
    with pytest.raises(DataError, match=r"no pair of subtask 1\.2"):
        semeval2018.load(FIXTURES / "semeval2018_task7", subtask="1.2")
    with pytest.raises(DataError, match=r"no subtask '2'.*1\.1, 1\.2, both"):
        semeval2018.load(FIXTURES / "semeval2018_task7", subtask="2")  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="no option 'part'"):
        semeval2018.TASK.read(FIXTURES / "semeval2018_task7", part="1.1")


def test_semeval2018_release_splits_as_published(licensed_data: Path) -> None:
    sizes = {}
    for subtask in ("1.1", "1.2", "both"):
        parts = semeval2018.load(licensed_data / "semeval2018_task7", subtask=subtask, practice=True)  # type: ignore[arg-type]
        sizes[subtask] = {name: len(rows) for name, rows in parts.items()}
        assert not {e.meta["document"] for e in parts["train"]} & {e.meta["document"] for e in parts["dev"]}
    assert sizes == {
        "1.1": {"train": 1071, "dev": 157, "test": 355},
        "1.2": {"train": 979, "dev": 269, "test": 355},
        "both": {"train": 2049, "dev": 427, "test": 710},
    }


# --------------------------------------------------------------------------------------------------------- CrossRE


def test_crossre_asks_related_pairs_in_the_order_of_the_text() -> None:
    parts = crossre.load(FIXTURES / "crossre")
    assert golds(parts["test"]) == {
        "crossre-ai-test-1-2-3": "physical(e1,e2)",
        "crossre-ai-test-2-1-2": "part-of(e2,e1)",
        "crossre-ai-test-2-1-3": "part-of(e2,e1)",
        "crossre-news-test-1-1-2": "win-defeat(e1,e2)",
    }
    assert golds(parts["train"])["crossre-news-train-1-1-2"] == "opposite(e1,e2)"
    assert {e.domain for e in parts["test"]} == {"ai", "news"}
    assert "dev" not in parts  # its one related pair has two labels


def test_crossre_pairs_with_several_labels_by_option() -> None:
    parts = crossre.load(FIXTURES / "crossre", several="first")
    assert golds(parts["dev"]) == {"crossre-news-dev-1-1-2": "role(e1,e2)"}
    assert parts["dev"][0].meta["labels"] == "role(e1,e2) temporal(e1,e2)"
    assert golds(parts["test"])["crossre-ai-test-1-1-2"] == "origin(e1,e2)"


def test_crossre_other_pairs_are_none_by_option() -> None:
    train = crossre.load(FIXTURES / "crossre", unrelated=True)["train"]
    assert golds(train)["crossre-news-train-1-2-3"] == "none"
    assert golds(train)["crossre-news-train-1-1-2"] == "opposite(e1,e2)"


def test_crossre_domains_that_are_not_trained_on_are_out_of_domain() -> None:
    parts = crossre.load(FIXTURES / "crossre", domains="news")
    assert {name: {e.domain for e in rows} for name, rows in parts.items()} == {
        "train": {"news"},
        "test": {"news"},
        "ood": {"ai"},
    }
    with pytest.raises(DataError, match=r"no domain 'music'.*ai, news"):
        crossre.load(FIXTURES / "crossre", domains=["news", "music"])


def test_crossre_check_says_how_gold_is_defined() -> None:
    found = crossre.check(FIXTURES / "crossre")
    (note,) = found["notes"]
    assert note.startswith("15 related pairs; 2 of them have several labels (relation or direction) and are left out")


def test_crossre_release_has_the_counted_pairs(licensed_data: Path) -> None:
    (note,) = crossre.check(licensed_data / "crossre")["notes"]
    assert note.startswith("9832 related pairs; 463 of them have several labels")
    sizes = {name: len(rows) for name, rows in crossre.load(licensed_data / "crossre").items()}
    assert sizes == {"train": 1187, "dev": 3893, "test": 4289}
    assert sum(sizes.values()) == 9832 - 463
    # The figure of 332 counts head-tail pairs in several rows, of which the reader drops the two that only repeat.
    several = 0
    for rows in read_crossre(licensed_data / "crossre").values():
        for document in rows:
            heads_and_tails = [(r.head, r.tail) for r in document.relations or ()]
            several += len({pair for pair in heads_and_tails if heads_and_tails.count(pair) > 1})
    assert several == 330


# ------------------------------------------------------------------------------------------------------------ MDKG


def test_mdkg_json_is_drawn_by_abstract() -> None:
    parts = mdkg.load(FIXTURES / "mdkg" / "json")
    abstracts = {name: {e.meta["document"].partition("_")[0] for e in rows} for name, rows in parts.items()}
    assert abstracts["train"] | abstracts["test"] == {"101", "102", "103", "104", "105"}
    assert not abstracts["train"] & abstracts["test"]
    assert len(abstracts["test"]) == 1
    assert parts == mdkg.load(FIXTURES / "mdkg" / "json")
    draws = {frozenset(golds(mdkg.load(FIXTURES / "mdkg" / "json", seed=s)["test"])) for s in range(20)}
    assert len(draws) > 1


def test_mdkg_associated_with_has_no_direction_and_several_labels_are_left_out() -> None:
    found = golds([e for rows in mdkg.load(FIXTURES / "mdkg" / "json").values() for e in rows])
    assert found["mdkg-101_2-0-1"] == "associated_with(e1,e2)"
    assert found["mdkg-101_0-0-1"] == "abbreviation_for(e2,e1)"
    assert found["mdkg-104_1-0-1"] == "risk_factor_of(e2,e1)"
    assert "mdkg-105_0-1-2" not in found
    kept = golds([e for rows in mdkg.load(FIXTURES / "mdkg" / "json", several="first").values() for e in rows])
    assert kept["mdkg-105_0-1-2"] == "associated_with(e1,e2)"


def test_mdkg_named_files_are_the_splits_that_they_say(tmp_path: Path) -> None:
    items = json.loads((FIXTURES / "mdkg/json/MDIEC.json").read_text())
    for name, part in {"train": items[:6], "valid": items[6:8], "test": items[8:9]}.items():
        (tmp_path / f"MDIEC_{name}.json").write_text(json.dumps(part))
    sizes = {name: len(rows) for name, rows in mdkg.load(tmp_path).items()}
    assert sizes == {"train": 7, "dev": 2, "test": 1}


def test_mdkg_brat_shows_the_sentence_and_leaves_out_relations_across_sentences() -> None:
    parts = mdkg.load(FIXTURES / "mdkg" / "brat")
    rows = {e.id: e for part in parts.values() for e in part}
    assert sorted(rows) == [
        "mdkg-201-T2-T1",
        "mdkg-201-T2-T3",
        "mdkg-201-T5-T6",
        "mdkg-202-T1-T2",
        "mdkg-202-T1-T3",
        "mdkg-202-T2-T3",
    ]
    assert marked_text(rows["mdkg-201-T2-T1"]) == "<e1>Insomnia</e1> (<e2>INS</e2>) is frequent in shift workers."
    assert golds(list(rows.values()))["mdkg-201-T2-T1"] == "abbreviation_for(e2,e1)"
    assert rows["mdkg-201-T5-T6"].text.startswith("Light therapy for insomnia was tried, e.g. Bright")
    (_, note) = mdkg.check(FIXTURES / "mdkg" / "brat")["notes"]
    assert note.startswith("1 relations are not asked")


def test_mdkg_mistakes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        mdkg.load(tmp_path / "x")
    with pytest.raises(DataError, match=r"no \.ann and no \.json"):
        mdkg.load(tmp_path)
    (tmp_path / "a.json").write_text('[{"tokens": 5}]')
    with pytest.raises(DataError, match=r"a\.json:1: sentence 1: tokens: .*data check mdkg"):
        mdkg.load(tmp_path)
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(DataError, match="too few related pairs"):
        mdkg.load(tmp_path)


# ------------------------------------------------------------------------------------------------------ guidelines


@pytest.mark.parametrize(
    ("name", "relations", "labels"), [("crossre", 17, 31), ("mdkg", 9, 17), ("semeval2018", 6, 11)]
)
def test_the_guidelines_declare_the_published_relations(name: str, relations: int, labels: int) -> None:
    shown = load_from_library(name)
    assert (len(shown.relation_types), len(shown.labels)) == (relations, labels)
    symmetric = {r.name for r in shown.relation_types if r.symmetric}
    expected = {
        "crossre": {"compare", "opposite", "related-to", "social"},
        "mdkg": {"associated_with"},
        "semeval2018": {"COMPARE"},
    }
    assert symmetric == expected[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_section_is_there_and_every_example_is_an_answer(name: str) -> None:
    shown = load_from_library(name)
    grammar = Grammar.of(shown)
    marks = re.compile(r".*<e1>.+</e1>.*<e2>.+</e2>.*")
    declared = {t.name for t in shown.entity_types}
    for r in shown.relation_types:
        assert "\n" not in r.definition
        assert len(r.definition.split()) <= 16
        assert r.direction
        assert r.restrictions
        assert r.overlaps
        wanted = {f"{r.name}(e1,e2)"} | (set() if r.symmetric else {f"{r.name}(e2,e1)"})
        assert {answer for _, answer in r.examples} == wanted
        for miss in r.near_misses:
            label = grammar.read(miss.answer)
            assert label is not None
            assert grammar.knows(label)
            assert label.name != r.name
            assert miss.reason
        assert r.near_misses
        assert all(marks.fullmatch(s) for s in [s for s, _ in r.examples] + [m.sentence for m in r.near_misses])
        assert not declared or {*r.head_types, *r.tail_types} <= declared
        for overlap in r.overlaps:
            other = overlap.partition(":")[0]
            assert other in grammar.relations
            assert other != r.name


@pytest.mark.parametrize("name", ["crossre", "semeval2018"])
def test_the_guidelines_share_no_seven_words_with_the_release(name: str, licensed_data: Path) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 7]) for i in range(len(words) - 6)}

    texts = [r.text for r in read_semeval2018(licensed_data / "semeval2018_task7")]
    if name == "crossre":
        texts = [d.text for rows in read_crossre(licensed_data / "crossre").values() for d in rows]
        texts.append((licensed_data / "crossre" / "annotation_guidelines.txt").read_text(encoding="utf-8"))
    theirs = set[tuple[str, ...]]().union(*map(runs, texts))
    assert len(theirs) > 10_000
    assert runs(re.sub(r"</?e[12]>", "", write_guideline(load_from_library(name)))) & theirs == set()
