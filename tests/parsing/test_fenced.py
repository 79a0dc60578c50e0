"""Fenced blocks of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.parsing.fenced import MAX_FENCED, FencedAnswer, read_fenced

GOOD = "so</think>\n<answer>\n```python\ndef f(a):\n    return a\n```\ntext\n```input\n'x', 1\n```\n</answer>"


def codes(answer: FencedAnswer) -> set[str]:
    return {d.code for d in answer.deviations}


def test_blocks_are_read_by_their_word() -> None:
    answer = read_fenced(GOOD)
    assert answer.well_formed
    assert [b.word for b in answer.blocks] == ["python", "input"]
    assert answer.one("python") == "def f(a):\n    return a"
    assert answer.one("input") == "'x', 1"
    assert answer.one("output") is None
    assert answer == read_fenced(GOOD)


def test_without_a_prefilled_tag_the_completion_opens_the_thinking_itself() -> None:
    assert read_fenced("<think>" + GOOD, prefilled=False).well_formed
    assert not read_fenced(GOOD, prefilled=False).well_formed


def test_two_blocks_of_a_word_are_no_single_one() -> None:
    answer = read_fenced("t</think><answer>\n```input\n1\n```\n```Input\n2\n```\n</answer>")
    assert answer.well_formed
    assert answer.one("input") is None
    assert answer.all("input") == ("1", "2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing_tag"),
        ("t</think>", "missing_tag"),
        ("t</think><answer>```input\n1\n```", "missing_tag"),
        ("t</think><answer>\n```input\n1\n```\n</answer> so be it", "text_outside"),
        ("t</think> well <answer>\n```input\n1\n```\n</answer>", "text_outside"),
        ("t</think><answer>\n```input\n1\n</answer>", "open_fence"),
        ("t</think><answer>\n```input\n1\n```\n</answer><answer>\n```input\n2\n```\n</answer>", "duplicate_tag"),
        ("<answer>\n```input\n1\n```\n</answer></think>", "tag_order"),
        ("t</think><answer>" + "\n```input\n1\n```" * (MAX_FENCED + 1) + "\n</answer>", "too_many_blocks"),
    ],
)
def test_another_form_is_not_well_formed(text: str, code: str) -> None:
    answer = read_fenced(text)
    assert not answer.well_formed
    assert code in codes(answer)
    assert len(answer.blocks) <= MAX_FENCED


@given(st.text(), st.booleans())
def test_reading_fences_is_total(text: str, prefilled: bool) -> None:
    read_fenced(text, prefilled=prefilled)


PIECES = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "\n```",
    "```",
    "python",
    "input",
    "\n",
    "x",
    " ",
    "\x00",
    "\ud800",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_what_is_read_stands_in_the_completion(text: str) -> None:
    answer = read_fenced(text)
    assert all(block.text in text.replace("\ud800", "�") for block in answer.blocks)
    assert FencedAnswer.model_validate_json(answer.model_dump_json()) == answer
