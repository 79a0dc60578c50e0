"""The matcher of answers about tables: multisets of texts and numbers, in training and in evaluation."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.table_answers import EVALUATION, MOST_ITEMS, TRAINING, number_of, same_items, same_verdict

ITEM = st.sampled_from(["a", "A", "1", "1.0", "1.005", "1.012", "0.995", "1,000", "1000", "50%", ".5", "", "x,y"])


@pytest.mark.parametrize(
    ("text", "training", "evaluation"),
    [
        ("3", 3.0, 3.0),
        ("-3.50", -3.5, -3.5),
        ("+.5", 0.5, 0.5),
        ("1,000", 1000.0, 1000.0),
        ("1,234,567.8", 1234567.8, 1234567.8),
        ("1e3", 1000.0, 1000.0),
        ("5.", 5.0, 5.0),
        ("12,34", None, 1234.0),
        (" 3 ", None, 3.0),
        ("50%", None, 0.5),
        ("1,000 %", None, 10.0),
        ("%", None, None),
        ("", None, None),
        ("1e999", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1_000", None, None),
        ("0x10", None, None),
        ("٣", None, None),
        ("3 ships", None, None),
        ("1" * 100_000, None, None),
    ],
)
def test_what_is_a_number(text: str, training: float | None, evaluation: float | None) -> None:
    assert number_of(text, TRAINING) == training
    assert number_of(text, EVALUATION) == evaluation


@pytest.mark.parametrize(
    ("answer", "gold", "training", "evaluation"),
    [
        (["a", "b"], ["b", "a"], True, True),
        (["a", "a"], ["a", "b"], False, False),
        (["a"], ["a", "a"], False, False),
        (["USA"], ["usa"], False, True),
        (["50%"], ["0.5"], False, True),
        (["3.005"], ["3"], True, True),
        (["3.02"], ["3"], False, False),
        (["17"], ["7"], False, False),
        (["3"], ["three"], False, False),
        ([], [], False, False),
        ([""], [""], True, True),
    ],
)
def test_lists_match_as_multisets(answer: list[str], gold: list[str], training: bool, evaluation: bool) -> None:
    assert same_items(answer, gold, TRAINING) == training
    assert same_items(answer, gold, EVALUATION) == evaluation


def test_a_list_may_have_a_hundred_items() -> None:
    hundred = [str(n) for n in range(MOST_ITEMS)]
    assert same_items(hundred, hundred[::-1], TRAINING)
    assert not same_items([*hundred, "x"], [*hundred, "x"], TRAINING)


def test_numbers_are_paired_in_any_way_and_not_by_the_first_that_fits() -> None:
    # The first of the answer, 1.0, fits 1.008, too; taking that leaves 1.005 beside 0.995, which do not match.
    assert same_items(["1.0", "1.005"], ["1.008", "0.995"], TRAINING)


@given(st.lists(ITEM, min_size=1, max_size=4), st.lists(ITEM, min_size=1, max_size=4))
@settings(max_examples=300)
def test_lists_match_if_some_order_matches_item_by_item(answer: list[str], gold: list[str]) -> None:
    for match in (TRAINING, EVALUATION):
        expected = len(answer) == len(gold) and any(
            all(same_items([a], [b], match) for a, b in zip(order, gold, strict=True)) for order in permutations(answer)
        )
        assert same_items(answer, gold, match) == expected
        assert same_items(gold, answer, match) == expected
        assert same_items(answer, answer[::-1], match)


def test_labels() -> None:
    assert same_verdict("entailed", "entailed", TRAINING)
    assert not same_verdict("Entailed", "entailed", TRAINING)
    assert same_verdict("Entailed ", "entailed", EVALUATION)
    assert not same_verdict("refuted", "entailed", EVALUATION)
