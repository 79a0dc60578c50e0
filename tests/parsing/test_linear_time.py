"""Parsing takes time linear in the length of the text, also where the text is made to slow it down.

No clock is read. One test counts the function calls that Python's profiler sees; the other parses a million characters
under a time limit that anything quadratic would miss by hours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from bythebook.parsing import parse_tagged_answer
from bythebook.schema import Grammar

GRAMMAR = Grammar(relations=("Cause-Effect", "R7"), no_relation="Other")

# Each piece is repeated; head and tail stay.
ADVERSARIAL: dict[str, tuple[str, str, str]] = {
    "opening answers": ("", "<answer>", ""),
    "closing answers": ("", "</answer>", ""),
    "opening thoughts": ("", "<think>", ""),
    "answer blocks": ("", "<answer>R7(e1,e2)</answer>", ""),
    "all four tags": ("", "<think></think><answer></answer>", ""),
    "alternating": ("", "<answer><think></answer></think>", ""),
    "near tags": ("", "<Answer>", ""),
    "beginnings of tags": ("", "<answer", ""),
    "angles": ("", "<", ""),
    "spaced angles": ("", "<    /    ", ""),
    "special tokens at the end": ("<think>t</think><answer>R7(e1,e2)</answer>", "<|im_end|> ", ""),
    "spaces at the end": ("<think>t</think><answer>R7(e1,e2)</answer>", " ", ""),
    "spaces then a letter": ("<think>t</think><answer>R7(e1,e2)</answer>", " ", "x"),
    "spaces in the answer": ("<think>t</think><answer>", " ", "R7(e1,e2)</answer>"),
    "spaces after the comma": ("<think>t</think><answer>R7(e1,", " ", "e2)</answer>"),
    "a long label": ("<think>t</think><answer>", "R", "(e1,e2)</answer>"),
    "brackets": ("<think>t</think><answer>", "(e1,", "</answer>"),
    "long thinking": ("<think>", "so ", "</think><answer>R7(e1,e2)</answer>"),
    "thinking full of angles": ("<think>", "< ", "</think><answer>R7(e1,e2)</answer>"),
    "surrogates": ("<think>", "\ud800", "</think><answer>R7(e1,e2)</answer>"),
    "NULs": ("", "\x00", ""),
    "one word": ("", "x", ""),
}


def _text(case: str, size: int) -> str:
    head, piece, tail = ADVERSARIAL[case]
    return head + piece * (size // len(piece)) + tail


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("prefilled", [False, True])
@pytest.mark.parametrize("case", ADVERSARIAL)
def test_calls_grow_no_faster_than_the_text(case: str, prefilled: bool) -> None:
    small_text, large_text = _text(case, 20_000), _text(case, 80_000)
    small = _calls(lambda: parse_tagged_answer(small_text, GRAMMAR, prefilled=prefilled))
    large = _calls(lambda: parse_tagged_answer(large_text, GRAMMAR, prefilled=prefilled))
    # Four times the text may cost four times the calls; the constant covers the model objects.
    assert large <= 4 * small + 200


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", ADVERSARIAL)
def test_a_million_characters_are_read(case: str) -> None:
    text = _text(case, 1_000_000)
    assert len(text) > 999_980
    for prefilled in (False, True):
        parsed = parse_tagged_answer(text, GRAMMAR, prefilled=prefilled)
        assert len(parsed.deviations) < 16
