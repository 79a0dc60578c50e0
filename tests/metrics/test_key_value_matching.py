from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.extraction import Counts
from bythebook.metrics.key_value_scores import key_value_scores
from bythebook.metrics.key_values import compared_values, flatten, path_text, pruned

GOLD: dict[str, Any] = {
    "Name": "Ada",
    "Age": "",
    "Indicators": [{"Item": "zinc", "Result": "1.2"}, {"Item": "iron", "Result": "3.4"}],
}
LEAVES = st.sampled_from(["", "a", "b", "c", None])
ITEMS = st.dictionaries(st.sampled_from("xyz"), LEAVES, max_size=3)
FORMS = st.fixed_dictionaries(
    {"name": LEAVES, "rows": st.lists(ITEMS, max_size=4), "notes": st.lists(LEAVES, max_size=4)}
)


def numbers(counts: Counts) -> tuple[float, float, float]:
    return counts.tp, counts.predicted, counts.gold


def test_paths_are_those_of_the_paper_and_empties_are_dropped_or_kept() -> None:
    said = {path_text(path): text for path, text in flatten(GOLD).items()}
    assert said == {
        "Name": "Ada",
        "Indicators[0].Item": "zinc",
        "Indicators[0].Result": "1.2",
        "Indicators[1].Item": "iron",
        "Indicators[1].Result": "3.4",
    }
    assert len(flatten(GOLD, "count")) == 6
    assert flatten({"a": [], "b": {}, "c": None, "d": [""]}) == {}
    assert len(flatten({"a": [], "b": {}, "c": None, "d": [""]}, "count")) == 4


def test_an_answer_of_empty_fields_scores_nothing_though_many_agree() -> None:
    """Fault 1: Table 5 of the paper gives F1 = 0 to such an output; with empties counted it is not 0."""
    gold: dict[str, Any] = {"Name": "Ada", "Age": "", "Ward": "", "Bed": "", "Doctor": ""}
    empty: dict[str, Any] = dict.fromkeys(gold, "")
    dropped = compared_values(empty, gold)
    assert (dropped.tp, dropped.precision, dropped.recall, dropped.f1) == (0, None, 0.0, 0.0)
    counted = compared_values(empty, gold, empties="count")
    assert numbers(counted) == (4, 5, 5)


def test_one_of_two_predictions_that_say_something_is_right() -> None:
    """Table 6 of the paper: precision 0.5 fits exactly two predictions that are not empty."""
    counts = compared_values({"Name": "Ada", "Age": "7", "Indicators": [{"Item": "", "Result": None}]}, GOLD)
    assert counts.precision == 0.5


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_a_list_is_free_where_items_are_aligned(order: tuple[int, ...]) -> None:
    """Fault 2: paths with places punish a list in another order."""
    rows = [{"Item": "a", "Result": "1"}, {"Item": "b", "Result": "1"}, {"Item": "c", "Result": "2"}]
    gold: dict[str, Any] = {"rows": rows}
    answer: dict[str, Any] = {"rows": [rows[place] for place in order]}
    assert numbers(compared_values(answer, gold)) == (6, 6, 6)
    by_place = compared_values(answer, gold, lists="index")
    assert (by_place.tp == 6) == (order == (0, 1, 2))


def test_items_are_matched_one_to_one_by_what_they_share() -> None:
    gold: dict[str, Any] = {"rows": [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}]}
    assert numbers(compared_values({"rows": [{"a": "1", "b": "3"}]}, gold)) == (2, 2, 4)
    assert numbers(compared_values({"rows": [{"a": "1", "b": "2"}] * 3}, gold)) == (3, 6, 4)
    assert numbers(compared_values({"rows": [{"a": "1"}, {"b": "3"}]}, gold)) == (2, 2, 4)


def test_lists_inside_of_lists() -> None:
    gold: dict[str, Any] = {"r": [{"n": "x", "t": ["1", "2"]}, {"n": "y", "t": ["3"]}]}
    answer: dict[str, Any] = {"r": [{"n": "y", "t": ["3"]}, {"n": "x", "t": ["2", "1", "4"]}]}
    assert numbers(compared_values(answer, gold)) == (5, 6, 5)


def test_a_key_that_spells_a_path_is_another_key() -> None:
    gold: dict[str, Any] = {"r": [{"n": "x"}], "s": {"t": "y"}}
    for lists in ("index", "align"):
        counts = compared_values({"r[0].n": "x", "s.t": "y"}, gold, lists=lists)
        assert numbers(counts) == (0, 2, 2)


def test_shapes_that_differ_do_not_match() -> None:
    for answer in (
        {"a": ["x"]},
        {"a": {"b": "x"}},
    ):
        assert compared_values(answer, {"a": "x"}).tp == 0
        assert compared_values({"a": "x"}, answer).tp == 0


def test_white_space_is_one_space_and_case_counts() -> None:
    assert compared_values({"a": " x \n y"}, {"a": "x y"}).tp == 1
    assert compared_values({"a": "X y"}, {"a": "x y"}).tp == 0


def test_nothing_asked_and_nothing_said_is_undefined() -> None:
    counts = compared_values({"a": ""}, {"a": None})
    assert (counts.precision, counts.recall, counts.f1) == (None, None, None)


def test_scores_are_pooled_and_none_over_nothing() -> None:
    assert key_value_scores([]) == {
        "n": 0, "precision": None, "recall": None, "f1": None, "ted_accuracy": None, "exact": None,
    }  # fmt: skip
    found = key_value_scores([({"a": "x"}, {"a": "x", "b": "y"}), (None, {"a": "z"}), ({}, {})])
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, pytest.approx(1 / 3), 0.5)
    assert (found["n"], found["ted_accuracy"], found["exact"]) == (3, 0.25, pytest.approx(1 / 3))


@settings(deadline=None)
@given(FORMS, FORMS, st.sampled_from(["drop", "count"]), st.integers(0, 99))
def test_laws(answer: dict[str, Any], gold: dict[str, Any], empties: Any, seed: int) -> None:
    counts = compared_values(answer, gold, empties=empties)
    assert counts.tp >= compared_values(answer, gold, lists="index", empties=empties).tp
    assert min(counts.tp, counts.fp, counts.fn) >= 0
    swapped = compared_values(gold, answer, empties=empties)
    assert (swapped.tp, swapped.fp, swapped.fn) == (counts.tp, counts.fn, counts.fp)
    itself = compared_values(gold, gold, empties=empties)
    assert itself.fp == itself.fn == 0
    mixed = {key: random.Random(seed).sample(v, len(v)) if isinstance(v, list) else v for key, v in answer.items()}
    assert compared_values(mixed, gold, empties=empties) == counts


@settings(deadline=None)
@given(FORMS, FORMS)
def test_the_assignment_is_the_best_of_all(answer: dict[str, Any], gold: dict[str, Any]) -> None:
    """Against every assignment there is."""
    few, many = sorted((answer["rows"], gold["rows"]), key=len)
    best = max(
        sum(compared_values(a, b).tp for a, b in zip(few, chosen, strict=True))
        for chosen in permutations(many, len(few))
    )
    assert compared_values({"rows": answer["rows"]}, {"rows": gold["rows"]}).tp == best


@settings(deadline=None)
@given(FORMS)
def test_pruning_keeps_every_pair_that_says_something(form: dict[str, Any]) -> None:
    kept = pruned(form)
    assert sorted((flatten(kept) if kept else {}).values()) == sorted(flatten(form).values())
