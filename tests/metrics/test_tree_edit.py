from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.tree_edit import tree_accuracy, tree_distance

LEAVES = st.sampled_from(["", "a", "b", "c"])
FORMS = st.dictionaries(
    st.sampled_from("xyz"),
    LEAVES | st.lists(st.dictionaries(st.sampled_from("uv"), LEAVES, max_size=2), max_size=3),
    max_size=3,
)


@pytest.mark.parametrize(
    ("answer", "gold", "distance"),
    [
        ({}, {}, 0),
        ({"a": "x"}, {"a": "x"}, 0),
        ({"b": "1", "a": "2"}, {"a": "2", "b": "1"}, 0),  # keys have no order
        ({"a": "y"}, {"a": "x"}, 1),  # one leaf renamed
        ({"b": "x"}, {"a": "x"}, 1),  # one key renamed
        ({}, {"a": "x"}, 2),  # a key and its leaf
        ({"a": "", "b": None}, {}, 0),  # empty leaves are dropped
        ({"a": ["x", "y"]}, {"a": ["y"]}, 2),  # an item and its leaf
        ({"a": {"b": "x"}}, {"b": "x"}, 1),  # a level taken out, what is below stays
        ({"r": [{"n": "x"}, {"n": "y"}]}, {"r": [{"n": "y"}, {"n": "x"}]}, 2),  # items have an order
        ({"a": "b"}, {"b": "a"}, 2),  # a key is no leaf
    ],
)
def test_by_hand(answer: dict[str, Any], gold: dict[str, Any], distance: int) -> None:
    assert tree_distance(answer, gold) == distance


def test_accuracy() -> None:
    gold = {"a": "x", "b": "y"}
    assert tree_accuracy(gold, gold) == 1.0
    assert tree_accuracy({"a": "x"}, gold) == 0.5
    assert tree_accuracy({"a": "x", "b": "z"}, gold) == 0.75
    assert tree_accuracy(None, gold) == 0.0
    assert tree_accuracy({}, gold) == 0.0
    assert tree_accuracy({"a": "x"}, {"a": ""}) is None


def test_a_bloated_answer_is_worth_nothing_and_not_compared() -> None:
    assert tree_accuracy({"a": "x", "rows": [{"n": str(i)} for i in range(100_000)]}, {"a": "x"}) == 0.0


@settings(deadline=None)
@given(FORMS, FORMS, FORMS)
def test_it_is_a_metric_that_no_difference_in_size_exceeds(
    one: dict[str, Any], two: dict[str, Any], three: dict[str, Any]
) -> None:
    far = tree_distance(one, two)
    assert far == tree_distance(two, one)
    assert tree_distance(one, one) == 0
    assert tree_distance(one, three) <= far + tree_distance(two, three)
    assert (
        abs(tree_distance({}, one) - tree_distance({}, two)) <= far <= tree_distance({}, one) + tree_distance({}, two)
    )
    accuracy = tree_accuracy(one, two)
    assert accuracy is None or 0.0 <= accuracy <= 1.0
