"""Table-R1's answer form, read from completions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing.table_answer import MAX_OBJECTS, TableAnswer, read_table_answer

PIECES = (
    "<think>", "</think>", "<answer>", "</answer>", "```json", "```", "\n", " ", '{"answer": ', '"answer": ', "[", "]",
    '"a"', '"b\\"', ",", "3", "}", "{", "null", "true", "NaN", "\\ud800", '"\\ud800"', "x",
    '{"answer": ["a"]}', "<|im_end|>",
)  # fmt: skip


def say(value: str, thinking: str = "so") -> str:
    return f'<think>{thinking}</think>\n<answer>\n```json\n{{"answer": {value}}}\n```\n</answer>'


def texts(read: TableAnswer) -> list[tuple[str, ...]]:
    return [tuple(part.text for part in one.parts) for one in read.found]


def codes(text: str) -> tuple[str, ...]:
    return tuple(d.code for d in read_table_answer(text).deviations)


def test_a_well_formed_answer() -> None:
    read = read_table_answer(say('["a", "b, c"]'))
    (one,) = read.found
    assert (read.well_formed, read.pattern, read.tags_once, read.anchored, read.fence) == (True,) * 5
    assert (one.place, one.listed, one.written) == ("fence", True, '["a", "b, c"]')
    assert one.span.of(say('["a", "b, c"]')) == '{"answer": ["a", "b, c"]}'
    assert read.deviations == ()


@pytest.mark.parametrize(
    ("value", "listed", "parts"),
    [
        ('["3"]', True, [("3", "text")]),
        ("[3, 4.50, -1e2]", True, [("3", "number"), ("4.50", "number"), ("-1e2", "number")]),
        ("3", False, [("3", "number")]),
        ('"3"', False, [("3", "text")]),
        ("[]", True, []),
        ('["a", null, true, ["b"], {"c": 1}, {"answer": 1}]', True,
         [("a", "text"), ("null", "other"), ("true", "other"), ("[]", "other"), ("{}", "other"), ("{}", "other")]),
        ('{"a": 1}', False, [("{}", "other")]),
        ('"a } b ``` c"', False, [("a } b ``` c", "text")]),
        ('"\\ud800x"', False, [("\ufffdx", "text")]),
        ('"\\ud83d\\ude00"', False, [("\U0001f600", "text")]),
        ("1" * 5_000, False, [("1" * 5_000, "number")]),
    ],
)  # fmt: skip
def test_values_are_read_as_they_are_written(value: str, listed: bool, parts: list[tuple[str, str]]) -> None:
    (one,) = read_table_answer(say(value)).found
    assert one.listed == listed
    assert [(part.text, part.kind) for part in one.parts] == parts


def test_null_is_seen() -> None:
    (one,) = read_table_answer(say("null")).found
    assert (one.null, one.listed) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        say("[1"), say("NaN"), say("[Infinity]"), say("'a'"), say('"a" "b"'), say('["a",]'), say('"line\nbreak"'),
        '<answer>```json\n{"answer": 1, "answer": 2}\n```</answer>', '<answer>{"answer": 1, "why": 2}</answer>',
        '<answer>{"Answer": 1}</answer>', "<answer>3</answer>", "", "{" * 50_000, say("[" * 100_000),
    ],
)  # fmt: skip
def test_what_is_no_object_with_the_one_key_is_passed_over(text: str) -> None:
    read = read_table_answer(text)
    assert read.objects == ()
    assert read.place is None
    assert "no_object" in codes(text)


def test_the_order_of_places() -> None:
    fenced, bare = '```json\n{"answer": "f"}\n```', '{"answer": "b"}'
    rest = '<think>{"answer": "o"} ```json{"answer": "p"}```</think>'
    for text, places, answer in (
        (f"{rest}<answer>{bare} {fenced}</answer>", ["fence", "block", "fence_outside", "outside"], [("f",)]),
        (f"{rest}<answer>{bare}</answer>", ["block", "fence_outside", "outside"], [("b",)]),
        (f"{rest}<answer>nothing</answer>", ["fence_outside", "outside"], []),
        (f"{rest}{bare} {fenced}", ["fence_outside", "fence_outside", "outside", "outside"], [("f",)]),
        (f"{bare} {bare}", ["outside", "outside"], [("b",), ("b",)]),
        (f"<think>{fenced}", ["fence_outside"], []),
        (f"<answer>{fenced}</answer><answer>{bare}</answer>", ["fence", "outside"], []),
    ):
        read = read_table_answer(text)
        assert [one.place for one in read.objects] == places
        assert texts(read) == answer


def test_where_it_stands_is_a_deviation() -> None:
    assert codes('<think>a</think><answer>{"answer": 1}</answer>') == ("not_fenced",)
    assert "outside_answer" in codes('{"answer": 1}')
    assert "only_elsewhere" in codes('<think>{"answer": 1}</think>')
    assert codes(say('["a"]').replace("</answer>", '```json{"answer": ["b"]}```</answer>')) == ("several_objects",)
    assert codes(say('["a"]', thinking='{"answer": ["draft"]}')) == ()


def test_the_pattern_is_exact_and_the_rest_forgives_white_space() -> None:
    for text in (say('["a"]') + "\n", " " + say('["a"]')):
        read = read_table_answer(text)
        assert (read.pattern, read.well_formed) == (False, True)
    twice = read_table_answer(say('["a"]') + "<answer></answer>")
    assert (twice.pattern, twice.tags_once, twice.well_formed) == (True, False, False)
    beside = read_table_answer(say('["a"]').replace("</think>", "</think> so "))
    assert (beside.pattern, beside.anchored, beside.well_formed) == (False, False, False)


@pytest.mark.parametrize("repeated", [False, True])
def test_a_prompt_may_have_opened_the_thinking(repeated: bool) -> None:
    text = say('["a"]') if repeated else say('["a"]').removeprefix("<think>")
    read = read_table_answer(text, prefilled=True)
    assert (read.pattern, read.well_formed, texts(read)) == (True, True, [("a",)])


def test_a_closed_fence_is_seen_whatever_is_in_it() -> None:
    assert read_table_answer(say('["a" "b"]')).fence
    assert not read_table_answer(say('["a" "b"]').replace("\n```\n<", "<")).fence
    assert not read_table_answer('<answer>```\n{"answer": 1}\n```</answer>').fence


def test_a_pair_without_braces_is_only_read_loosely() -> None:
    read = read_table_answer('<think>so</think><answer>"answer": ["a"]</answer>')
    assert read.objects == ()
    assert [one.written for one in read.loosely] == ['["a"]']
    assert read_table_answer(say('["a"]')).pairs == ()
    both = read_table_answer('{"answer": "o"}<answer>"answer": "p"</answer>')
    assert [one.written for one in both.loosely] == ["p", "o"]


def test_many_beginnings_are_not_all_tried() -> None:
    read = read_table_answer("<answer>" + '{"answer": x' * 100_000 + say('["a"]'))
    assert "too_many_objects" in [d.code for d in read.deviations]
    many = read_table_answer('{"answer": 1} ' * 1_000)
    assert len(many.objects) == MAX_OBJECTS


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map("".join), st.booleans())
@settings(max_examples=500, deadline=None)
def test_parsing_is_total_and_spans_hold_what_was_read(text: str, prefilled: bool) -> None:
    read = read_table_answer(text, prefilled=prefilled)
    assert TableAnswer.model_validate_json(read.model_dump_json()) == read
    for one in read.objects:
        written = one.span.of(text)
        assert written[:1] + written[-1:] == "{}"
        assert '"answer"' in written
    starts = [one.span.start for one in read.objects]
    assert len(set(starts)) == len(starts)
    assert not read.well_formed or (read.tags_once and len(read.found) == 1)
    assert read == read_table_answer(text, prefilled=prefilled)


@given(st.lists(st.text(max_size=10), max_size=5))
@settings(max_examples=200)
def test_every_list_of_texts_comes_back(items: list[str]) -> None:
    import json

    for ascii_only in (True, False):
        value = json.dumps(items, ensure_ascii=ascii_only)
        (one,) = read_table_answer(say(value)).found
        assert [part.text for part in one.parts] == items
        assert json.loads(one.written) == items
