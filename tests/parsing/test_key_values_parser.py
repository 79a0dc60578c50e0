from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing.key_values import KEY_FORM_FAULTS, ParsedKeyValues, parse_key_values
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.schema.key_values import Key, KeySchema

SCHEMA = KeySchema(keys=(Key(name="total"), Key(name="items", many=True, keys=(Key(name="price"),))))
OPEN, CLOSE = "<think>so</think><answer>", "</answer>"


def parse(answer: str) -> ParsedKeyValues:
    return parse_key_values(f"{OPEN}{answer}{CLOSE}", SCHEMA)


def codes(found: ParsedKeyValues) -> list[str]:
    return [d.code for d in found.deviations]


def test_a_good_answer() -> None:
    text = f'{OPEN}\n{{"total": 9.00, "items": [{{"price": "1"}}]}}\n{CLOSE}'
    found = parse_key_values(text, SCHEMA)
    assert found.values == {"total": "9.00", "items": [{"price": "1"}]}
    assert (found.well_formed, found.anchored, found.thinking, codes(found)) == (True, True, "so", [])
    assert found.answer_span is not None
    assert found.answer_span.of(text).startswith('{"total"')
    assert ParsedKeyValues.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "unparseable_answer"),
        ("[1]", "unparseable_answer"),
        ('{"total": NaN}', "unparseable_answer"),
        ('{"total": "9"', "unparseable_answer"),
        ('{"a":' * 100_000, "unparseable_answer"),
        ('{"total": "9"} and more', "text_in_answer"),
        ('The answer: {"total": "9"}', "text_in_answer"),
        ('```json\n{"total": "9"}', "text_in_answer"),
        ('{"total": "9", "total": "9"}', "repeated_key"),
        ('{"items": [{"price": "1", "price": "2"}]}', "repeated_key"),
        ('{"a":' * 13 + '""' + "}" * 13, "too_deep"),
        ('{"items": [' + '"a", ' * 2_500 + '"a"]}', "too_many_values"),
    ],
)
def test_faults_of_form(answer: str, code: str) -> None:
    found = parse(answer)
    assert code in codes(found)
    assert code in KEY_FORM_FAULTS
    assert not found.well_formed
    assert (found.values is None) == (code in ("unparseable_answer", "too_deep", "too_many_values"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ('```json\n{"total": "9"}\n```', "code_fence"),
        ('{"sum": "9"}', "unknown_key"),
        ('{"total": ["9"]}', "wrong_shape"),
    ],
)
def test_what_is_recorded_alone(answer: str, code: str) -> None:
    found = parse(answer)
    assert codes(found) == [code]
    assert found.well_formed


def test_values_without_thinking_are_read_and_the_form_is_wrong() -> None:
    found = parse_key_values('<answer>{"total": "9"}</answer>', SCHEMA)
    assert found.values == {"total": "9"}
    assert (found.well_formed, found.tags_right) == (False, False)
    assert parse_key_values('<answer>{"total": "9"}</answer>', SCHEMA, tags=TAG_SETS["answer"]).well_formed


@pytest.mark.parametrize(
    "text",
    [
        '{"total": "9"}',
        '<think><answer>{"total": "9"}</answer></think>',
        '<think>x</think><answer>{"total": "9"}',
        '<think>x</think><answer>{"total": "9"}</answer><answer>{"total": "9"}</answer>',
    ],
)
def test_where_it_is_unclear_which_answer_is_meant_none_is_taken(text: str) -> None:
    found = parse_key_values(text, SCHEMA)
    assert found.values is None
    assert not found.well_formed


def test_a_prompt_that_opened_the_thinking() -> None:
    assert parse_key_values('so</think><answer>{"total": "9"}</answer>', SCHEMA, prefilled=True).well_formed


def test_text_outside_is_well_formed_and_not_anchored() -> None:
    found = parse_key_values(f'Well: {OPEN}{{"total": "9"}}{CLOSE}', SCHEMA)
    assert (found.well_formed, found.anchored) == (True, False)


PIECES = st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "{", "}", "[", "]", '"', ":", ",", "total", "items", "\\u",
     "\ud800", "NaN", "9", "```", " ", "\n", "null", '{"total": "9"}', "\x00", "<Answer>"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.booleans())
def test_no_text_makes_it_raise_and_all_can_be_stored(text: str, prefilled: bool) -> None:
    found = parse_key_values(text, SCHEMA, prefilled=prefilled)
    assert ParsedKeyValues.model_validate_json(found.model_dump_json()) == found
    assert not found.well_formed or found.values is not None


HOSTILE = {
    "nested objects": '{"a":',
    "nested lists": "[",
    "keys": '{"a": 1}, ',
    "quotation marks": '"',
    "backslashes": '{"a": "\\',
    "fences": "```",
    "digits": "9",
    "answer tags": "<answer>",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_function_calls_grow_no_faster_than_the_text(piece: str) -> None:
    def calls(times: int) -> int:
        count = 0

        def counted(frame: FrameType, event: str, arg: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        text = f'{OPEN}{{"items": [{piece * times}{CLOSE}'
        sys.setprofile(counted)
        try:
            parse_key_values(text, SCHEMA)
        finally:
            sys.setprofile(None)
        return count

    assert calls(4_000) <= 4.5 * calls(1_000) + 100


def test_a_list_of_many_values_is_read_in_one_pass() -> None:
    assert "too_many_values" in codes(parse('{"items": [' + '{"price": "1"}, ' * 200_000 + "null]}"))
