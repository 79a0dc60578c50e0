"""The joint world: gold is what a literal reader extracts, and everything is drawn from the seed."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from bythebook.errors import BythebookError, GuidelineError, RecipeError
from bythebook.schema import ExtractionSchema
from bythebook.tasks.world.joint import TASK, joint_stream
from bythebook.tasks.world.joint_annotators import annotate_jointly, scene_in
from bythebook.tasks.world.joint_rules import Fact, joint_domains, relation_under, types_of
from bythebook.tasks.world.words import TRAINED_NAMES, UNSEEN_NAMES
from bythebook.types import EntityType, Guideline, RelationType

BOOK = Guideline(
    title="t",
    version="1",
    domain="d",
    entity_types=(
        EntityType(name="A-A", definition="a pump.\na valve."),
        EntityType(name="B-B", definition="a tank."),
    ),
    relation_types=(
        RelationType(name="R-R", definition="e1 feeds e2.\ne1 fills e2.", direction="(e1,e2)", head_types=("A-A",),
                     tail_types=("B-B",), restrictions=("unless barely",)),
        RelationType(name="S-S", definition="e1 lifts e2.", direction="(e2,e1)"),
    ),
    no_relation="Other",
)  # fmt: skip


@pytest.mark.parametrize(
    ("fact", "found"),
    [
        (Fact("pump", "feeds", "tank", None), ("pump", "R-R", "tank")),
        (Fact("valve", "fills", "tank", "gladly"), ("valve", "R-R", "tank")),
        (Fact("pump", "feeds", "tank", "barely"), None),  # the exception
        (Fact("tank", "feeds", "pump", None), None),  # the signature
        (Fact("pump", "feeds", "valve", None), None),
        (Fact("pump", "feeds", "boat", None), None),  # no entity
        (Fact("pump", "paints", "tank", None), None),  # no rule
        (Fact("pump", "lifts", "valve", None), ("valve", "S-S", "pump")),  # turned round by the rule
    ],
)
def test_a_clause_is_read_literally(fact: Fact, found: tuple[str, str, str] | None) -> None:
    assert relation_under(BOOK, fact) == found


def test_other_prose_is_refused() -> None:
    other = BOOK.model_copy(update={"entity_types": (EntityType(name="A-A", definition="whatever pumps"),)})
    with pytest.raises(GuidelineError, match="A-A"):
        types_of(other)


@pytest.mark.parametrize("split", ["train", "id", "ood", "fresh"])
def test_gold_lies_in_the_text_and_fits_the_guideline(split: str) -> None:
    examples = list(islice(joint_stream(split, seed=3, entity_types=(2, 4), k=(2, 6), per_guideline=2), 400))
    assert len({e.id for e in examples}) == 400
    free = 0
    for example in examples:
        gold = example.extraction
        assert gold is not None
        types = types_of(example.guideline)
        listed = {w.strip(".,") for w in example.text.split()} & set(types)
        assert {e.text: e.type for e in gold.entities} == {noun: types[noun] for noun in listed}
        assert all(e.span is not None and e.span.of(example.text) == e.text for e in gold.entities)
        starts = [e.span.start for e in gold.entities if e.span]
        assert starts == sorted(starts)
        assert ExtractionSchema.of(example.guideline).admits(gold) == ()
        told = [relation_under(example.guideline, fact) for fact in scene_in(example).facts]
        assert [(r.head.text, r.type, r.tail.text) for r in gold.relations] == [t for t in told if t]
        free += not gold.relations
    assert 0.3 < free / len(examples) < 0.5
    cases = Counter(case for e in examples for case in scene_in(e).cases)
    assert set(cases) == {"holds", "no_rule", "signature", "no_entity"}


def test_unseen_guidelines_share_no_name_with_training() -> None:
    def names(split: str) -> set[str]:
        books = [e.guideline for e in islice(joint_stream(split, seed=0), 50)]
        return {x.name for g in books for x in (*g.entity_types, *g.relation_types)}

    assert names("ood") <= set(UNSEEN_NAMES)
    assert names("train") | names("fresh") <= set(TRAINED_NAMES)
    fixed = {x.name for g in joint_domains() for x in (*g.entity_types, *g.relation_types)}
    assert names("id") <= fixed


def test_the_same_seed_gives_the_same_sentences() -> None:
    one, same, other = (
        TASK.read(None, seed=seed, train=30, fresh_share=0.5, id=5, ood=5) for seed in (1, 1, 2)
    )  # fmt: skip
    assert one == same
    assert {e.text for e in one["train"]}.isdisjoint({e.text for e in other["train"]})
    assert {e.domain == "fresh" for e in one["train"]} == {True, False}
    assert (len(one["train"]), len(one["id"]), len(one["ood"])) == (30, 5, 5)


def test_sub_tasks_are_asked_of_the_same_sentences() -> None:
    rows = TASK.read(None, ood=40, sub_tasks="ner re re_plus")["ood"]
    kinds = Counter(e.sub_task for e in rows)
    assert kinds["ner"] == 40
    assert 0 < kinds["re"] < 30
    assert kinds["re"] < kinds["re_plus"] <= 40
    assert all(e.given is not None for e in rows if e.sub_task != "ner")


@pytest.mark.parametrize(
    "options",
    [{"k": 1}, {"k": (2, 9)}, {"entity_types": (3, 2)}, {"train": -1}, {"sub_tasks": "label"}, {"unknown": 1}],
)
def test_options_that_cannot_be_are_named(options: dict[str, object]) -> None:
    with pytest.raises(BythebookError, match=next(iter(options)).removesuffix("s").replace("_", ".")):
        TASK.read(None, **options)
    with pytest.raises(RecipeError):
        TASK.read(None, k=1)


def test_a_careful_annotator_writes_the_gold_answer_and_a_hasty_one_oversteps() -> None:
    rng = random.Random(0)
    wrong = Counter[str]()
    for example in islice(joint_stream("ood", seed=5), 300):
        assert example.extraction is not None
        gold = ExtractionSchema.of(example.guideline).write(example.extraction, "end2end")
        careful = annotate_jointly("careful", example, rng)
        assert careful.endswith(f"</think><answer>{gold}</answer>")
        for kind in ("hasty", "guessing"):
            wrong[kind] += not annotate_jointly(kind, example, rng).endswith(f"<answer>{gold}</answer>")
    assert 20 < wrong["hasty"] < 150 < wrong["guessing"]
