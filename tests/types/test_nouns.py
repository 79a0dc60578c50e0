"""The nouns: immutable, validated, serialisable."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bythebook.types import (
    AnswerItem,
    Completion,
    Deviation,
    Entity,
    Example,
    Guideline,
    Label,
    Noun,
    Parsed,
    Part,
    RelationType,
    Span,
    Verdict,
)

GUIDELINE = Guideline(
    title="Parts",
    version="1",
    domain="machines",
    relation_types=(RelationType(name="Part-Whole", definition="d", direction="(e1,e2)"),),
    no_relation="Other",
)
EXAMPLE = Example(
    id="1",
    text="A pump feeds it.",
    entities=(Entity(id="e1", span=Span(start=2, end=6)), Entity(id="e2", span=Span(start=13, end=15), type="Thing")),
    gold=Label(name="Other"),
    guideline=GUIDELINE,
    domain="machines",
    meta={"case": "none"},
)
PARSED = Parsed(
    thinking="t",
    thinking_span=Span(start=7, end=8),
    items=(AnswerItem(text="Other", span=Span(start=24, end=29), label=Label(name="Other"), known=True),),
    well_formed=True,
    anchored=False,
    deviations=(Deviation(code="text_outside", message="m", span=Span(start=0, end=1)),),
)
VERDICT = Verdict(value=-0.5, status="wrong", parts={"format": Part(value=1.0), "metric": Part(value=-1.5, reason="r")})


@pytest.mark.parametrize("noun", [GUIDELINE, EXAMPLE, PARSED, VERDICT, Completion(text="x", finish_reason="length")])
def test_a_noun_survives_json(noun: Noun) -> None:
    assert type(noun).model_validate_json(noun.model_dump_json()) == noun


@pytest.mark.parametrize(
    ("noun", "field"), [(EXAMPLE, "text"), (VERDICT, "value"), (PARSED, "items"), (GUIDELINE, "title")]
)
def test_a_noun_can_not_be_changed(noun: Noun, field: str) -> None:
    with pytest.raises(ValidationError):
        setattr(noun, field, getattr(noun, field))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Verdict.model_validate({"value": 1.0, "status": "ok", "score": 1.0})


@pytest.mark.parametrize("name", ["Cause-Effect", "associated_with", "R7", "no relation", "née", "x" * 80])
def test_a_guideline_may_use_this_label(name: str) -> None:
    assert Label(name=name).text == name


@pytest.mark.parametrize("name", ["", " R7", "R7 ", "R(7", "a,b", "<b>", "a\nb", "a\x00b", "a\u200bb", "x" * 81])
def test_a_label_that_would_break_the_answer_form_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Label(name=name)


def test_a_label_declared_twice_is_refused() -> None:
    twice = (RelationType(name="A", definition="d"), RelationType(name="A", definition="e"))
    with pytest.raises(ValidationError, match="declared twice: A"):
        Guideline(title="t", version="1", domain="d", relation_types=twice)
    with pytest.raises(ValidationError, match="declared twice: A"):
        Guideline(title="t", version="1", domain="d", relation_types=twice[:1], no_relation="A")


def test_the_hash_follows_the_content() -> None:
    same = Guideline.model_validate_json(GUIDELINE.model_dump_json())
    other = GUIDELINE.model_copy(update={"version": "2"})
    assert same.hash == GUIDELINE.hash
    assert Guideline.model_validate(other.model_dump()).hash != GUIDELINE.hash
    assert len(GUIDELINE.hash) == 16


@pytest.mark.parametrize(
    ("direction", "symmetric", "fixed"),
    [
        ("", False, None),
        ("from part to whole", False, None),
        (" (e2,e1) ", False, "(e2,e1)"),
        ("symmetric", True, None),
    ],
)
def test_a_direction_is_prose_or_one_of_three_keywords(direction: str, symmetric: bool, fixed: str | None) -> None:
    relation = RelationType(name="A", definition="d", direction=direction)
    assert relation.symmetric is symmetric
    assert relation.fixed_direction == fixed


@pytest.mark.parametrize("span", [Span(start=3, end=3), Span(start=0, end=99)])
def test_an_entity_outside_the_text_or_empty_is_refused(span: Span) -> None:
    with pytest.raises(ValidationError, match="entity e1 of 1"):
        Example.model_validate(EXAMPLE.model_copy(update={"entities": (Entity(id="e1", span=span),)}).model_dump())


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValidationError):
        Span(start=2, end=1)


def test_an_entity_is_found_by_its_id() -> None:
    assert EXAMPLE.entity("e1").span.of(EXAMPLE.text) == "pump"
    with pytest.raises(KeyError, match="no entity 'e3'"):
        EXAMPLE.entity("e3")


def test_only_a_single_item_is_the_answer() -> None:
    assert PARSED.answer == PARSED.items[0]
    assert PARSED.model_copy(update={"items": ()}).answer is None
    assert PARSED.model_copy(update={"items": PARSED.items * 2}).answer is None


def test_only_ok_is_correct() -> None:
    statuses = ("ok", "wrong", "no_answer", "malformed", "truncated", "unscored")
    assert [s for s in statuses if Verdict(value=1.0, status=s).correct] == ["ok"]


def test_a_changed_copy_of_a_guideline_has_a_hash_of_its_own() -> None:
    guideline = Guideline(title="t", version="1", domain="d", relation_types=(RelationType(name="R", definition="r"),))
    before = guideline.hash
    copy = guideline.model_copy(update={"version": "2"})
    assert guideline.hash == before
    assert copy.hash != before
    assert guideline.model_copy().hash == before
