"""ROUGE-L against the recursion of its definition."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.rouge import longest_common_subsequence, rouge_l


def by_recursion(a: str, b: str) -> int:
    @cache
    def longest(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return 0
        return 1 + longest(i + 1, j + 1) if a[i] == b[j] else max(longest(i + 1, j), longest(i, j + 1))

    return longest(0, 0)


@settings(deadline=None)
@given(st.text("abc", max_size=20), st.text("abcd", max_size=20))
def test_the_longest_common_subsequence_is_that_of_the_recursion(a: str, b: str) -> None:
    assert longest_common_subsequence(a, b) == longest_common_subsequence(b, a) == by_recursion(a, b)


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("the cat sat down", "the dog sat", 2 * 2 / 7),
        ("a b c d", "d c b a", 0.25),
        ("a", "", 0.0),
        ("", "", None),
    ],
)
def test_values(a: str, b: str, value: float | None) -> None:
    assert rouge_l(a.split(), b.split()) == value
