"""Values as canonical text, and literals read without evaluating anything."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.sandbox.inside.check import Refused
from bythebook.sandbox.inside.values import NoText, arguments, canonical, literal

ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary()
    | st.text()
)
KEYS = st.recursive(
    ATOMS, lambda parts: st.lists(parts, max_size=3).map(tuple) | st.frozensets(parts, max_size=3), max_leaves=4
)
VALUES = st.recursive(
    ATOMS,
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.lists(parts, max_size=3).map(tuple)
        | st.sets(KEYS, max_size=4)
        | st.frozensets(KEYS, max_size=4)
        | st.dictionaries(KEYS, parts, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_is_read_as_an_equal_value_and_written_the_same(value: Any) -> None:
    text = canonical(value, 100_000)
    assert literal(text) == value
    assert canonical(literal(text), 100_000) == text


@given(st.sets(KEYS, max_size=6), st.randoms())
def test_order_of_sets_and_keys_leaves_no_trace(value: set[Any], rng: Any) -> None:
    shuffled = list(value)
    rng.shuffle(shuffled)
    assert canonical(set(shuffled), 10_000) == canonical(value, 10_000)
    assert canonical(dict.fromkeys(shuffled), 10_000) == canonical(dict.fromkeys(value), 10_000)


@given(st.text())
def test_reading_is_total_and_says_what_the_language_says(text: str) -> None:
    try:
        value = literal(text)
    except Refused:
        return
    assert value == ast.literal_eval(text.strip())  # the yardstick


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, 1.0), ([1], (1,)), ("1", 1), ({1}, frozenset({1})), ("a", b"a"), (None, "None"), ((), [])],
)
def test_equal_values_of_other_types_differ(one: Any, other: Any) -> None:
    assert canonical(one, 100) != canonical(other, 100)


def test_signed_zeros_are_one() -> None:
    assert canonical(-0.0, 9) == canonical(0.0, 9) == "0.0"


class _Sly(str):
    def __repr__(self) -> str:
        return "FAKE"


class _Dict(dict[str, int]):
    pass


@pytest.mark.parametrize(
    "value", [_Sly("x"), _Dict(), [_Sly("x")], math.inf, -math.inf, math.nan, 1j, ..., len, object(), iter([]), [len]]
)
def test_what_is_no_literal_has_no_text(value: Any) -> None:
    with pytest.raises(NoText, match="not_literal"):
        canonical(value, 1000)


def _shared(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value, value]
    return value


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


_ITSELF: list[Any] = []
_ITSELF.append(_ITSELF)


@pytest.mark.parametrize(
    "value",
    [10**5000, "x" * 1001, b"x" * 1001, [0] * 1001, _shared(40), _nested(100), _ITSELF, {"k": "\x00" * 400}],
    ids=range(8),
)
def test_what_is_too_large_has_no_text(value: Any) -> None:
    with pytest.raises(NoText, match="too_large"):
        canonical(value, 1000)


NO_LITERALS = (
    """
f()|1 + 1|[x for x in ()]|a|1)(2|1) + f(2|1), f(2|*[1]|**{}|a=1|-True|{**{}}|{[]: 1}|{[]}|set([1])|frozenset('abc')|...
1j|f''|not 1|~1|lambda: 1|(|__import__('os')|#|'''
""".strip()
    .replace("\n", "|")
    .split("|")
)


@pytest.mark.parametrize(
    "text", [*NO_LITERALS, "1\n)\nf(2", "9" * 5000, "[" * 500, "-" * 3000 + "1", "\x00", "\ud800"], ids=repr
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        literal(text)


def test_arguments_are_those_of_a_call() -> None:
    assert arguments("") == ()
    assert arguments("1, 'a', [2]") == (1, "a", [2])
    assert arguments("(1, 2)") == ((1, 2),)
    assert arguments("1, # one\n 2,") == (1, 2)
    assert arguments("{'a': {1, 2}}, frozenset({1}), set(), -1.5, +2") == (
        {"a": {1, 2}},
        frozenset({1}),
        set(),
        -1.5,
        2,
    )
    for text in ("1, 2", "1,", ""):
        with pytest.raises(Refused):
            literal(text)
