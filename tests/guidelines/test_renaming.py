"""Other names and orders for joint extraction: guideline, gold, what is given and targets change together, or nothing
does."""

from __future__ import annotations

import json
import random
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import GuidelineError
from bythebook.guidelines import Renaming, Variation, load_from_library, vary
from bythebook.guidelines.variations import varied_guideline, varied_names
from bythebook.metrics.diagnostics import agreement, renamed
from bythebook.parsing import TAG_SETS, parse_extraction
from bythebook.prompts import render
from bythebook.rewards import reward
from bythebook.schema import ExtractionGold, ExtractionSchema
from bythebook.tasks import task_named
from bythebook.tasks.world.joint_annotators import annotate_jointly, scene_in
from bythebook.tasks.world.joint_sentences import gold_of
from bythebook.types import Entity, EntityType, Example, Extraction, Guideline, RelationType, Span

ROOT = Path(__file__).parents[2]
SEEDS = st.integers(0, 99) | st.text(max_size=3)
VARIATIONS = st.builds(
    Variation,
    shuffle_relations=st.none() | SEEDS,
    rename_labels=st.none() | SEEDS,
    permute_labels=st.none() | SEEDS,
)
SUB_TASKS = ["ner", "re", "re_plus", "end2end"]


@lru_cache(maxsize=1)
def questions() -> list[Example]:
    """Of the joint world and of SciER, in every sub-task."""
    world = task_named("world_joint").read(None, train=6, ood=10, sub_tasks=SUB_TASKS)
    scier = task_named("scier").read(ROOT / "tests/fixtures/scier", sub_tasks=SUB_TASKS)
    return [e for rows in (*world.values(), *scier.values()) for e in rows]


def _types_of(extraction: Extraction | None) -> list[str | None]:
    if extraction is None:
        return []
    mentions = [m for r in extraction.relations for m in (r.head, r.tail)]
    return [e.type for e in (*extraction.entities, *mentions)]


# ----------------------------------------------------------------------------------- there and back


@settings(max_examples=60, deadline=None)
@given(variation=VARIATIONS, data=st.data())
def test_renaming_and_its_inverse_give_everything_back(variation: Variation, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from(questions()))
    names = varied_names(before.guideline, variation)
    after = names.example(before)
    back = names.inverse.example(after, before.guideline)
    assert back == before
    assert names.inverse.inverse == names
    assert (after == before) == names.changes_nothing
    # Prose comes back, too, where every new name is known for a name wherever it stands.
    if variation.rename_labels is not None or before.guideline.domain.startswith(("trained", "unseen")):
        assert names.inverse.guideline(after.guideline) == before.guideline


@settings(max_examples=60, deadline=None)
@given(variation=VARIATIONS, data=st.data())
def test_the_varied_guideline_admits_the_varied_gold(variation: Variation, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from(questions()))
    (after,) = vary([before], variation)
    assert before.extraction is not None
    assert after.extraction is not None
    schema = ExtractionSchema.of(after.guideline)
    broken = [d.code for d in ExtractionSchema.of(before.guideline).admits(before.extraction)]
    assert [d.code for d in schema.admits(after.extraction)] == broken
    assert set(_types_of(after.extraction)) | set(_types_of(after.given)) <= {*schema.entity_types, None}
    # Only names change: not what is marked, nor where, nor in which order.
    names = varied_names(before.guideline, variation)
    assert names.inverse.extraction(after.extraction) == before.extraction
    assert (after.id, after.text, after.sub_task) == (before.id, before.text, before.sub_task)


@settings(max_examples=40, deadline=None)
@given(variation=VARIATIONS, data=st.data())
def test_targets_and_rewards_are_in_the_new_words(variation: Variation, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from(questions()))
    (after,) = vary([before], variation)
    assert after.extraction is not None
    schema = ExtractionSchema.of(after.guideline)
    gold = ExtractionGold.of(after).to_json()
    for name, tags in (("answer", "think"), ("mimic", "plan")):
        text = task_named("world_joint").targets[name](after, random.Random(0))
        read = parse_extraction(text, schema, after.sub_task, source=after.text, tags=TAG_SETS[tags], given=after.given)
        assert read.extraction is not None
        assert read.dropped == 0
        written = schema.write(schema.canonical(after.extraction, after.text), after.sub_task)
        assert schema.write(read.extraction, after.sub_task) == written
    assert reward("r2grpo", tags="plan").verdict(text, gold).correct


# ----------------------------------------------------------------------------------- what is shown


@pytest.mark.parametrize(
    "variation",
    [Variation(shuffle_relations=1), Variation(permute_labels=1), Variation(rename_labels=1, shuffle_relations=2)],
)
def test_the_gold_is_what_a_literal_reader_of_the_new_guideline_extracts(variation: Variation) -> None:
    before = task_named("world_joint").read(None, ood=60)["ood"]
    after = vary(before, variation)
    for e in after:
        assert e.extraction == gold_of(e.guideline, e.text, scene_in(e).facts)
        answer = annotate_jointly("careful", e, random.Random(0))
        assert reward("r2grpo").verdict(answer, ExtractionGold.of(e).to_json()).correct
    if variation != Variation(shuffle_relations=1):
        assert [e.extraction for e in after] != [e.extraction for e in before]


def test_no_old_name_is_left_in_a_prompt_and_given_types_are_new() -> None:
    for e in vary(questions(), Variation(rename_labels=4)):
        assert e.guideline.entity_types
        prompt = render(e)[0]["content"]
        own = next(q for q in questions() if q.id == e.id).guideline
        declared = (*own.entity_types, *own.relation_types)
        # Of names that are ordinary words, as SciER's entity types, the words stay.
        assert not [t.name for t in declared if "-" in t.name and t.name in prompt]
        assert all(t.name in prompt for t in (*e.guideline.entity_types, *e.guideline.relation_types))
        if e.sub_task == "re_plus":
            assert e.given is not None
            assert all(json.dumps([m.text, m.type], ensure_ascii=False) in prompt for m in e.given.entities)
            assert all(m.type and m.type[0] == "T" and m.type[1:].isdigit() for m in e.given.entities)


def test_signatures_definitions_and_prose_follow_their_entity_types() -> None:
    book = load_from_library("scier")
    shown = Renaming(entity_types={"Method": "T1", "Task": "T2"}).guideline(book)
    assert [t.name for t in shown.entity_types] == ["Dataset", "T1", "T2"]
    before, after = book.relation("Used-For"), shown.relation("Used-For")
    assert before is not None
    assert after is not None
    new = {"Method": "T1", "Task": "T2"}
    assert after.head_types == tuple(new.get(t, t) for t in before.head_types)
    assert [d for d, _ in after.examples] == [d for d, _ in before.examples]
    prose = Guideline(
        title="t",
        version="1",
        domain="d",
        preamble="`tool` or a tool; any Gear-Part.",
        entity_types=(EntityType(name="tool", definition="no Gear-Part"), EntityType(name="Gear-Part", definition="x")),
        relation_types=(
            RelationType(name="Fits", definition="a Gear-Part fits", restrictions=("the head is a Gear-Part",)),
        ),
    )
    changed = Renaming(entity_types={"tool": "Gear-Part", "Gear-Part": "T-2"}).guideline(prose)
    assert changed.preamble == "`Gear-Part` or a tool; any T-2."
    assert changed.entity_types[0].definition == "no T-2"
    assert changed.relation_types[0].definition == "a T-2 fits"
    assert changed.relation_types[0].restrictions == ("the head is a T-2",)


def test_orders_of_entity_types_differ_and_hold_the_same() -> None:
    book = load_from_library("mdkg")
    names = [t.name for t in book.entity_types]
    orders = {
        tuple(t.name for t in varied_guideline(book, Variation(shuffle_relations=s)).entity_types) for s in range(20)
    }
    assert len(orders) > 15
    assert all(sorted(order) == sorted(names) for order in orders)


def test_a_marked_mention_follows_its_type() -> None:
    book = load_from_library("mdkg")
    kind = book.entity_types[0].name
    marked = (Entity(id="e1", span=Span(start=0, end=1), type=kind), Entity(id="e2", span=Span(start=2, end=3)))
    one = Example(id="q", text="a b", entities=marked, guideline=book, domain="d")
    (shown,) = vary([one], Variation(rename_labels=0))
    assert [e.type for e in shown.entities] == [varied_names(book, Variation(rename_labels=0)).entity_types[kind], None]
    assert (shown.gold, shown.extraction, shown.given) == (None, None, None)


def test_names_of_entity_types_that_will_not_do_are_refused() -> None:
    book = load_from_library("scier")
    with pytest.raises(GuidelineError, match="no entity type 'Used-For'"):
        Renaming(entity_types={"Used-For": "X"}).guideline(book)
    with pytest.raises(GuidelineError, match="entity type declared twice: Task"):
        Renaming(entity_types={"Method": "Task"}).guideline(book)
    with pytest.raises(GuidelineError, match="may not contain"):
        Renaming(entity_types={"Method": "a(b"}).guideline(book)
    with pytest.raises(ValueError, match="no way back"):
        _ = Renaming(entity_types={"Method": "X", "Task": "X"}).inverse


# ----------------------------------------------------------------------------------- the diagnostic


def test_the_diagnostic_undoes_what_a_variation_did() -> None:
    before = [e for e in questions() if e.sub_task == "end2end"]
    variation = Variation(rename_labels=1, shuffle_relations=1)
    after = vary(before, variation)
    gold = [e.extraction for e in before if e.extraction]
    undone, as_is = [], []
    for old, new in zip(before, after, strict=True):
        assert new.extraction is not None
        names = varied_names(old.guideline, variation).inverse
        undone.append(renamed(new.extraction, {**names.entity_types, **names.relations}))
        as_is.append(new.extraction)
    assert undone == gold
    assert agreement(gold, undone)["identical"] == 1.0
    found = agreement(gold, as_is)
    assert (found["entity_f1"], found["relation_f1"]) == (0.0, 0.0)
