"""The gold column: the gold of joint extraction as a string, and which of the two kinds of gold a string is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bythebook.schema import ExtractionGold, ExtractionSchema, Gold, read_gold
from bythebook.types import (
    EntityType,
    Example,
    ExtractedEntity,
    ExtractedRelation,
    Extraction,
    Guideline,
    Label,
    RelationType,
    Span,
)

GUIDELINE = Guideline(
    title="Papers",
    version="1",
    domain="papers",
    entity_types=(EntityType(name="Method", definition="d"),),
    relation_types=(
        RelationType(name="like", definition="d", direction="symmetric"),
        RelationType(name="solves", definition="d", head_types=("Method",)),
    ),
    no_relation="none",
)
A = ExtractedEntity(text="an A", type="Method", span=Span(start=0, end=4))
B = ExtractedEntity(text="é", type="Method", span=Span(start=9, end=10))
EXAMPLE = Example(
    id="1",
    text="an A and é",
    guideline=GUIDELINE,
    domain="papers",
    sub_task="end2end",
    extraction=Extraction(entities=(A, B), relations=(ExtractedRelation(head=B, type="like", tail=A),)),
)
GOLD = ExtractionGold.of(EXAMPLE)


def test_the_gold_has_what_a_reward_needs() -> None:
    assert GOLD.text == EXAMPLE.text
    assert GOLD.sub_task == "end2end"
    assert GOLD.extraction_schema == ExtractionSchema.of(GUIDELINE)
    assert GOLD.extraction.entities == (A, B)
    assert GOLD.extraction.relations == (ExtractedRelation(head=A, type="like", tail=B),)


def test_a_gold_survives_json_and_equal_golds_are_equal_text() -> None:
    written = GOLD.to_json()
    assert ExtractionGold.from_json(written) == GOLD
    assert "\n" not in written
    assert list(json.loads(written)) == sorted(json.loads(written))
    turned = ExtractedRelation(head=A, type="like", tail=B)
    same = EXAMPLE.model_copy(update={"extraction": Extraction(entities=(A, B), relations=(turned,))})
    assert ExtractionGold.of(same).to_json() == written
    other = EXAMPLE.model_copy(update={"extraction": Extraction(entities=(A, B))})
    assert ExtractionGold.of(other).to_json() != written


def test_what_the_prompt_tells_is_in_the_gold() -> None:
    example = EXAMPLE.model_copy(update={"sub_task": "re_plus", "given": Extraction(entities=(A, B))})
    gold = ExtractionGold.of(example)
    assert gold.given == Extraction(entities=(A, B))
    assert ExtractionGold.from_json(gold.to_json()) == gold


def test_an_example_without_gold_has_none() -> None:
    with pytest.raises(ValueError, match="example 1 has no gold"):
        ExtractionGold.of(EXAMPLE.model_copy(update={"extraction": None}))


def test_the_kind_of_a_gold_is_told() -> None:
    label = Gold.of(Label(name="solves", direction="(e2,e1)"), GUIDELINE)
    assert read_gold(label.to_json()) == label
    assert read_gold(GOLD.to_json()) == GOLD
    assert read_gold(json.dumps(json.loads(GOLD.to_json()), indent=1)) == GOLD
    assert read_gold(GOLD.to_json()) is read_gold(GOLD.to_json())


def test_a_text_that_quotes_the_other_kind_changes_nothing() -> None:
    example = EXAMPLE.model_copy(update={"text": 'an A and é, "extraction_schema" {"grammar": 1, "label": 2}'})
    gold = ExtractionGold.of(example)
    assert read_gold(gold.to_json()) == gold


@pytest.mark.parametrize("text", ["", "{}", "null", '"extraction_schema"', '{"extraction_schema": 1}', "[" * 99_999])
def test_what_is_no_gold_is_none(text: str) -> None:
    assert read_gold(text) is None
    with pytest.raises(ValidationError):
        ExtractionGold.from_json(text)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.text() | st.text().map(lambda inner: GOLD.to_json()[:40] + inner))
def test_any_text_is_told(text: str) -> None:
    assert read_gold(text) is None
