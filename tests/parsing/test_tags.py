"""The parser of `<think>…</think><answer>…</answer>`: what is read, and every deviation by its code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing import MAX_ITEMS, TAG_FAULTS, parse_tagged_answer, tags
from bythebook.schema import Grammar
from bythebook.types import Label, Parsed

GRAMMAR = Grammar(relations=("Cause-Effect", "R7", "near"), symmetric=("near",), no_relation="Other")
GOOD = "<think>why</think><answer>R7(e1,e2)</answer>"


def read(text: str, *, prefilled: bool = False) -> Parsed:
    return parse_tagged_answer(text, GRAMMAR, prefilled=prefilled)


def codes(parsed: Parsed) -> list[str]:
    return [d.code for d in parsed.deviations]


# -------------------------------------------------------------------------------------------------------- good form


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (GOOD, Label(name="R7", direction="(e1,e2)")),
        ("<think>why</think>\n\n<answer> R7(e2, e1)\n</answer>\n", Label(name="R7", direction="(e2,e1)")),
        ("<think>why</think><answer>Other</answer>", Label(name="Other")),
        ("<think>why</think><answer>near(e2,e1)</answer>", Label(name="near", direction="(e1,e2)")),
        ("<think>a < b, <e1>, <b>, R7(e1,e2)</think><answer>R7(e1,e2)</answer>", Label(name="R7", direction="(e1,e2)")),
    ],
)
def test_a_completion_in_form_is_read_without_deviation(text: str, label: Label) -> None:
    parsed = read(text)
    assert parsed.well_formed
    assert parsed.anchored
    assert parsed.deviations == ()
    assert parsed.answer is not None
    assert parsed.answer.known
    assert parsed.answer.label == label


def test_spans_point_at_what_was_read() -> None:
    text = "  <think> why\n</think> <answer>\n R7(e1, e2) </answer>"
    parsed = read(text)
    assert parsed.thinking == "why"
    assert parsed.thinking_span is not None
    assert parsed.thinking_span.of(text) == "why"
    assert parsed.answer is not None
    assert parsed.answer.text == "R7(e1, e2)"
    assert parsed.answer.span.of(text) == "R7(e1, e2)"


# ------------------------------------------------------------------------------------------------------- deviations


@pytest.mark.parametrize(
    ("text", "expected", "well_formed"),
    [
        ("", ["missing_tag"] * 4, False),
        ("why</think><answer>R7(e1,e2)</answer>", ["missing_tag", "text_outside"], False),
        ("<think>why<answer>R7(e1,e2)</answer>", ["missing_tag", "nested_tag"], False),
        ("<think>why</think>R7(e1,e2)</answer>", ["missing_tag", "text_outside"], False),
        ("<think>why</think><answer>R7(e1,e2)", ["missing_tag"], False),
        ("<answer>R7(e1,e2)</answer><think>why</think>", ["tag_order"], False),
        ("</think>why<think><answer>R7(e1,e2)</answer>", ["tag_order", "nested_tag", "text_outside"], False),
        ("<think>why<answer>R7(e1,e2)</answer></think>", ["tag_order", "unread_answer", "nested_tag"], False),
        ("<think>why<answer></think></answer>", ["tag_order", "unread_answer", "nested_tag"], False),
        ("<think><think>why</think><answer>R7(e1,e2)</answer>", ["duplicate_tag", "nested_tag"], False),
        (GOOD + "</answer>", ["duplicate_tag", "unread_answer"], False),
        (GOOD + "</think>", ["duplicate_tag"], False),
        (
            "<think>why</think><answer><answer>R7(e1,e2)</answer>",
            ["duplicate_tag", "unread_answer", "nested_tag"],
            False,
        ),
        (GOOD + "<answer>R7(e2,e1)</answer>", ["duplicate_tag", "duplicate_tag"], False),
        ("<think>why</think><answer>R7</answer>", ["unparseable_answer"], False),
        ("<think>why</think><answer></answer>", ["unparseable_answer"], False),
        ("<think>why</think><answer>R7(e1,e2) R7(e2,e1)</answer>", ["unparseable_answer"], False),
        ("<think>why</think><answer>the R7(e1,e2).</answer>", ["unparseable_answer"], False),
        ("<think>why</think><answer>R9(e1,e2)</answer>", ["unknown_label"], True),
        ("<think>why</think><answer>Other(e1,e2)</answer>", ["unknown_label"], True),
        ("So: " + GOOD, ["text_outside"], True),
        ("<think>why</think>so<answer>R7(e1,e2)</answer>", ["text_outside"], True),
        (GOOD + " done", ["text_outside"], True),
        ("<think> \n</think><answer>R7(e1,e2)</answer>", ["empty_thinking"], True),
        (GOOD + "<|im_end|>", ["special_token"], True),
        (GOOD + "\n</s> </s>\n<|endoftext|>", ["special_token"], True),
        (GOOD + "<|im_end|> done", ["text_outside"], True),
        ("<think>not <Answer> nor </ think></think><answer>R7(e1,e2)</answer>", ["near_tag"], True),
        ("<Think>why</think><answer>R7(e1,e2)</answer>", ["near_tag", "missing_tag", "text_outside"], False),
        ("<think>\ud800</think><answer>R7(e1,e2)</answer>", ["lone_surrogate"], True),
    ],
)
def test_each_deviation_has_its_code(text: str, expected: list[str], well_formed: bool) -> None:
    parsed = read(text)
    assert codes(parsed) == expected
    assert parsed.well_formed is well_formed


def test_only_tag_faults_and_unparseable_answers_break_the_form() -> None:
    documented = set(re.findall(r"^(\w+_\w+)  ", tags.__doc__ or "", re.MULTILINE))
    assert documented >= TAG_FAULTS | {"unparseable_answer", "text_outside", "lone_surrogate"}
    assert len(documented) == 14


# --------------------------------------------------------------------------------------------- the answer in accuracy


def test_an_answer_without_thinking_is_read_and_not_well_formed() -> None:
    parsed = read("<answer>R7(e1,e2)</answer>")
    assert not parsed.well_formed
    assert parsed.anchored
    assert parsed.thinking is None
    assert parsed.answer is not None
    assert parsed.answer.label == Label(name="R7", direction="(e1,e2)")


@pytest.mark.parametrize(
    "text",
    [
        "<think>why <answer>R7(e1,e2)</answer> or not</think>",
        "<think>why</think><answer>R7(e1,e2)</answer></answer>",
        "<answer><answer>R7(e1,e2)</answer>",
        "<answer>R7(e1,e2)",
        "</answer>R7(e1,e2)<answer>",
        "R7(e1,e2)",
        "<answer>R7(e1,e2)</answer><answer>R7(e1,e2)</answer>",
    ],
)
def test_no_answer_is_taken_where_it_is_unclear_which_is_meant(text: str) -> None:
    assert read(text).answer is None


def test_thinking_that_is_never_closed_leaves_the_answer_readable() -> None:
    answer = read("<think>why <answer>R7(e1,e2)</answer>").answer
    assert answer is not None
    assert answer.known


def test_all_answer_blocks_are_recorded_up_to_a_bound() -> None:
    assert [item.text for item in read("<answer>a</answer><answer>Other</answer>").items] == ["a", "Other"]
    parsed = read("<answer>Other</answer>" * (MAX_ITEMS + 5))
    assert len(parsed.items) == MAX_ITEMS
    assert "too_many_answers" in codes(parsed)
    assert "too_many_answers" not in codes(read("<answer>Other</answer>" * MAX_ITEMS))


# --------------------------------------------------------------------------------------------------------- prefilled


@pytest.mark.parametrize(
    ("text", "expected", "well_formed"),
    [
        ("why</think><answer>R7(e1,e2)</answer>", [], True),
        ("\n<think>why</think><answer>R7(e1,e2)</answer>", ["repeated_think"], True),
        (
            "<think><think>why</think><answer>R7(e1,e2)</answer>",
            ["repeated_think", "duplicate_tag", "nested_tag"],
            False,
        ),
        ("so <think>why</think><answer>R7(e1,e2)</answer>", ["duplicate_tag", "nested_tag"], False),
        ("why</think><answer>R7(e1,e2)</answer><think>", ["duplicate_tag"], False),
        ("<answer>R7(e1,e2)</answer>", ["missing_tag", "nested_tag"], False),
        ("why <answer>R7(e1,e2)</answer></think>", ["tag_order", "unread_answer", "nested_tag"], False),
        ("</think><answer>R7(e1,e2)</answer>", ["empty_thinking"], True),
        ("</think>so<answer>R7(e1,e2)</answer>", ["text_outside", "empty_thinking"], True),
    ],
)
def test_a_prefilled_prompt_has_opened_the_thinking(text: str, expected: list[str], well_formed: bool) -> None:
    parsed = read(text, prefilled=True)
    assert codes(parsed) == expected
    assert parsed.well_formed is well_formed


@pytest.mark.parametrize("text", ["why</think><answer>Other</answer>", "<think>why</think><answer>Other</answer>"])
def test_thinking_starts_after_the_tag_where_the_prompt_opened_it(text: str) -> None:
    parsed = read(text, prefilled=True)
    assert parsed.thinking == "why"
    assert parsed.thinking_span is not None
    assert parsed.thinking_span.of(text) == "why"


def test_an_answer_without_thinking_is_read_under_a_prefilled_prompt_too() -> None:
    answer = read("<answer>R7(e1,e2)</answer>", prefilled=True).answer
    assert answer is not None
    assert answer.known


# ------------------------------------------------------------------------------------------------------------- total


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    text=st.lists(
        st.one_of(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "R7(e1,e2)"]), st.text()), max_size=9
    ).map("".join),
    prefilled=st.booleans(),
)
def test_any_text_is_read_and_what_is_read_can_be_stored(text: str, prefilled: bool) -> None:
    parsed = read(text, prefilled=prefilled)
    assert Parsed.model_validate_json(parsed.model_dump_json()) == parsed
    assert parsed.well_formed is not bool({*TAG_FAULTS, "unparseable_answer"}.intersection(codes(parsed)))
    assert parsed.anchored is ("text_outside" not in codes(parsed))
    assert all(d.span is None or d.span.end <= len(text) for d in parsed.deviations)
    if text.isprintable():
        assert all(item.span.of(text) == item.text for item in parsed.items)
