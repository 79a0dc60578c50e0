"""The last box of a solution."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.parsing.boxed import last_boxed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{5}", "5"),
        (r"\boxed{4} and then \boxed{ \frac{1}{2} }", r"\frac{1}{2}"),
        (r"\boxed {5}", "5"),
        (r"\boxed{\boxed{1} 2}", r"\boxed{1} 2"),
        (r"\boxed{1} \boxed{2", "1"),
        (r"\boxed{}", ""),
        (r"\boxed{a \} b}", r"a \} b"),
        ("boxed{5}", None),
        (r"\boxed{5", None),
        ("}}}", None),
        ("", None),
    ],
)
def test_what_stands_in_the_last_box_that_is_closed(text: str, found: str | None) -> None:
    assert last_boxed(text) == found


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(["\\boxed{", "{", "}", "\\}", "x", "\ud800", " "]), max_size=40).map("".join))
def test_any_text_has_a_box_or_none(text: str) -> None:
    found = last_boxed(text)
    assert found is None or found in text


def test_hostile_nesting_is_read_in_one_pass() -> None:
    deep = "\\boxed{" * 100_000
    assert last_boxed(deep) is None
    assert last_boxed(deep + "}") == ""
