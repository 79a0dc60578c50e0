"""Parsing takes time linear in the length of the text, also where the text is made to slow it down.

No clock is read. One test counts the function calls that Python's profiler sees; the other parses a million characters
under a time limit that anything quadratic would miss by hours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from bythebook.parsing import parse_extraction, parse_tagged_answer
from bythebook.schema import ExtractionSchema, Grammar, RelationSignature

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

SCHEMA = ExtractionSchema(entity_types=("Method",), relations=(RelationSignature(name="like", symmetric=True),))
_OPEN, _CLOSE = '<think>t</think><answer>{"ner": [', "</answer>"
ADVERSARIAL_JSON: dict[str, tuple[str, str, str]] = {
    "opening brackets": (_OPEN, "[", _CLOSE),
    "nested lists": (_OPEN, "[[", "]" * 9 + _CLOSE),
    "nested objects": (_OPEN, '{"a":', _CLOSE),
    "closing brackets": (_OPEN, "]", _CLOSE),
    "brackets both ways": (_OPEN, "][", _CLOSE),
    "quotation marks": (_OPEN, '"', _CLOSE),
    "backslashes": (_OPEN + '"', "\\", _CLOSE),
    "items": (_OPEN, '["a", "Method"], ', "7]}" + _CLOSE),
    "items without end": (_OPEN, '["a", "Method"], ', ""),
    "broken items": (_OPEN, '["a" "Method], ', _CLOSE),
    "items that are slow to repair": (_OPEN, '["a"' + 'b"' * 140 + "], ", _CLOSE),
    "commas": (_OPEN, ",", _CLOSE),
    "spaces": (_OPEN, " ", _CLOSE),
    "spaces between": (_OPEN + "]", " ", "x" + _CLOSE),
    "keys": (_OPEN, '], "ner": [', _CLOSE),
    "braces": ("<think>t</think><answer>", "{", _CLOSE),
    "fences": ("<think>t</think><answer>", "```", _CLOSE),
    "digits": (_OPEN, "9", "]}" + _CLOSE),
    "a long mention": (_OPEN + '["', "a", '", "Method"]], "rel": []}' + _CLOSE),
    "relations": ('<answer>{"ner": [], "rel": [', '["b", "like", "a"], ', '["b", "like", "a"]]}' + _CLOSE),
    "zero width": (_OPEN, "\u200b", _CLOSE),
    "escaped surrogates": (_OPEN + '["', "\\ud800", '", "Method"]], "rel": []}' + _CLOSE),
    "tags in the answer": (_OPEN, "<think>", _CLOSE),
}


def _text(case: str, size: int) -> str:
    head, piece, tail = ADVERSARIAL[case] if case in ADVERSARIAL else ADVERSARIAL_JSON[case]
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


@pytest.mark.parametrize("case", ADVERSARIAL_JSON)
def test_calls_for_an_extraction_grow_no_faster_than_the_text(case: str) -> None:
    texts = _text(case, 20_000), _text(case, 80_000)
    small, large = (_calls(lambda text=text: parse_extraction(text, SCHEMA, "end2end", source=text)) for text in texts)
    assert large <= 4 * small + 2_000


@pytest.mark.parametrize("case", [*ADVERSARIAL, *ADVERSARIAL_JSON])
def test_a_million_characters_of_extraction_are_read(case: str) -> None:
    text = _text(case, 1_000_000)
    assert len(text) > 999_700
    parsed = parse_extraction(text, SCHEMA, "end2end", source="a b")
    assert len(parsed.deviations) < 2_100
