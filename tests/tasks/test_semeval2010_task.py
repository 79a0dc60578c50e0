from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.guidelines import write_guideline
from bythebook.metrics.semeval2010 import LABELS, OFFICIAL, RELATIONS
from bythebook.prompts import marked_text, render_guideline
from bythebook.readers.semeval2010 import read_semeval2010
from bythebook.schema import Grammar
from bythebook.tasks import semeval2010 as task
from bythebook.types import Entity, Example, Label, Span

FIXTURE = Path(__file__).parents[1] / "fixtures" / "semeval2010_task8"
DATA = Path(__file__).parents[2] / "../shared/data/semeval2010_task8"
with_data = pytest.mark.skipif(not DATA.is_dir(), reason="no SemEval-2010 files beside the repository")


def ids(examples: list[Example]) -> list[str]:
    return [e.id for e in examples]


# ---------------------------------------------------------------------------------------------------------- the splits


def test_the_official_split_of_the_fixture() -> None:
    parts = task.load(FIXTURE)
    assert ids(parts["train"]) == [f"semeval2010-{n}" for n in range(1, 11)]
    assert ids(parts["test"]) == [f"semeval2010-{n}" for n in range(8001, 8005)]
    example = parts["train"][1]
    assert marked_text(example) == "Our <e1>gardener</e1> trims the hedge with electric <e2>shears</e2>."
    assert example.gold is not None
    assert example.gold.text == "Instrument-Agency(e2,e1)"
    assert (example.domain, example.split, example.guideline) == ("semeval2010", "train", task.guideline())


def test_r1re_pools_and_drops_other_and_records_its_draw() -> None:
    parts = task.load(FIXTURE, "r1re", seed=3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 11, "test": 1}
    everything = parts["train"] + parts["test"]
    assert len(set(ids(everything))) == 12
    assert all(e.gold is not None and e.gold.name != "Other" for e in everything)
    assert {e.meta["draw"] for e in everything} == {"r1re, seed 3"}
    assert {e.meta["official_split"] for e in everything} == {"train", "test"}


def test_the_draw_depends_on_the_seed_alone() -> None:
    drawn = [ids(task.load(FIXTURE, "r1re", seed=s)["test"]) for s in range(12)]
    assert drawn == [ids(task.load(FIXTURE, "r1re", seed=s)["test"]) for s in range(12)]
    assert len({tuple(d) for d in drawn}) > 3


def test_grouped_keeps_every_sentence_once() -> None:
    parts = task.load(FIXTURE, "grouped")
    assert list(parts) == ["train", "dev", "test"]
    assert len({i for part in parts.values() for i in ids(part)}) == sum(map(len, parts.values())) == 14


def test_an_unknown_split_and_an_empty_part_are_refused() -> None:
    with pytest.raises(DataError, match="splits are: official, r1re, grouped"):
        task.load(FIXTURE, "random")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="leaves test without a sentence"):
        task.load(FIXTURE / "training" / "TRAIN_FILE.TXT")


@with_data
def test_the_official_release_splits_as_published() -> None:
    sizes = {s: {name: len(part) for name, part in task.load(DATA, s).items()} for s in ("official", "r1re")}
    assert sizes == {"official": {"train": 8000, "test": 2717}, "r1re": {"train": 8353, "test": 500}}


@with_data
def test_the_recorded_draw_of_r1re_does_not_change() -> None:
    drawn = " ".join(ids(task.load(DATA, "r1re")["test"]))
    assert hashlib.sha256(drawn.encode()).hexdigest()[:16] == "87c2e4fbd5babfd5"


@with_data
def test_grouped_tears_no_near_duplicates_apart() -> None:
    parts = task.load(DATA, "grouped")
    assert {name: len(part) for name, part in parts.items()} == {"train": 7200, "dev": 800, "test": 2717}
    where = {e.id: name for name, part in parts.items() for e in part}
    groups = task.near_duplicates(read_semeval2010(DATA))
    assert len(groups) == 70
    assert sum(map(len, groups)) == 146
    # The official split does tear: 31 groups have sentences on both sides.
    assert sum(len({r.split for r in g}) == 2 for g in groups) == 31
    assert all(len({where[f"semeval2010-{r.number}"] for r in g}) == 1 for g in groups)


# ---------------------------------------------------------------------------------------------------------- scoring


def test_gold_is_read_from_a_folder_from_blocks_and_from_lines(tmp_path: Path) -> None:
    expected = task.gold_answers(task.load(FIXTURE)["test"])
    assert task.read_gold(FIXTURE) == expected
    assert task.read_gold(FIXTURE / "testing_keys" / "TEST_FILE_FULL.TXT") == expected
    lines = tmp_path / "key.txt"
    lines.write_text("".join(f"{n}\t{label}\n" for n, label in expected.items()), encoding="utf-8")
    assert task.read_gold(lines) == expected
    assert task.score_answers(lines, FIXTURE)["protocols"][OFFICIAL]["f1"] == 1.0


def test_ids_of_other_tasks_are_refused() -> None:
    assert task.answer_number("semeval2010-8001") == 8001
    for bad in ("8001", "semeval2010-", "world-3", "semeval2010-²", "semeval2010-" + "9" * 5000):
        with pytest.raises(DataError, match="not an id of this task"):
            task.answer_number(bad)


def test_gold_answers_need_gold() -> None:
    example = task.load(FIXTURE)["test"][0].model_copy(update={"gold": None})
    with pytest.raises(DataError, match="has no gold"):
        task.gold_answers([example])


# ------------------------------------------------------------------------------------------------------ the guideline


def test_the_guideline_declares_the_labels_of_the_scorer() -> None:
    shown = task.guideline()
    assert tuple(sorted(label.text for label in shown.labels)) == tuple(sorted(LABELS))
    assert tuple(sorted(r.name for r in shown.relation_types)) == RELATIONS
    assert shown.no_relation == "Other"


def test_no_relation_of_the_guideline_is_symmetric_or_of_one_direction() -> None:
    for r in task.guideline().relation_types:
        assert not r.symmetric
        assert r.fixed_direction is None


def test_every_definition_is_one_short_line() -> None:
    for r in task.guideline().relation_types:
        assert "\n" not in r.definition
        assert len(r.definition.split()) <= 12
        assert r.definition[0].islower()


def test_every_relation_has_its_sections_and_examples_in_both_directions() -> None:
    shown = task.guideline()
    grammar = Grammar.of(shown)
    marks = re.compile(r".*<e1>.+</e1>.*<e2>.+</e2>.*")
    for r in shown.relation_types:
        assert r.head_types
        assert r.tail_types
        assert r.direction
        assert r.restrictions
        assert r.overlaps
        assert {answer for _, answer in r.examples} == {f"{r.name}(e1,e2)", f"{r.name}(e2,e1)"}
        for miss in r.near_misses:
            label = grammar.read(miss.answer)
            assert label is not None
            assert grammar.knows(label)
            assert label.name != r.name
            assert miss.reason
        assert len(r.near_misses) == 1
        for sentence in [s for s, _ in r.examples] + [m.sentence for m in r.near_misses]:
            assert marks.fullmatch(sentence)


def test_overlaps_name_relations_of_the_guideline() -> None:
    names = {r.name for r in task.guideline().relation_types}
    for r in task.guideline().relation_types:
        for overlap in r.overlaps:
            named = set(re.findall(r"[A-Z][a-z]+-[A-Z][a-z]+", overlap.partition(":")[0]))
            assert named
            assert named <= names - {r.name}


def test_the_condensed_rendering_has_all_relations_and_no_examples() -> None:
    text = render_guideline(task.guideline(), "condensed")
    for r in task.guideline().relation_types:
        assert f"## {r.name}\nDefinition: {r.definition}" in text
        assert r.examples[0][0] not in text
    assert text.rstrip().splitlines()[-2] == "## Other"


@with_data
def test_the_guideline_shares_no_seven_words_with_the_official_ones_or_the_data() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 7]) for i in range(len(words) - 6)}

    official: set[tuple[str, ...]] = set()
    for file in sorted((DATA / "guidelines").glob("*.txt")):
        official |= runs(file.read_text(encoding="utf-8"))
    for row in read_semeval2010(DATA):
        official |= runs(row.text)
    assert len(official) > 100_000
    plain = re.sub(r"</?e[12]>", "", write_guideline(task.guideline()))
    assert runs(plain) & official == set()


def test_the_roles_target_names_both_arguments_then_the_answer() -> None:
    shown = task.guideline()
    sentence = Example(
        id="semeval2010-1",
        text="smoke from fire",
        entities=(Entity(id="e1", span=Span(start=0, end=5)), Entity(id="e2", span=Span(start=11, end=15))),
        gold=None,
        guideline=shown,
        domain="semeval2010",
    )
    for gold, steps in [
        (Label(name="Cause-Effect", direction="(e2,e1)"), "Cause is e2, Effect is e1"),
        (Label(name="Cause-Effect", direction="(e1,e2)"), "Cause is e1, Effect is e2"),
        (Label(name="Other"), "no definition fits"),
    ]:
        text = task.roles_reasoning(sentence.model_copy(update={"gold": gold}), random.Random(0))
        assert text == f"<think>{steps}</think><answer>{gold.text}</answer>"
