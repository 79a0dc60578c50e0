"""Scores over many texts: micro, macro, per type, relation-free texts; diagnostics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.diagnostics import agreement, renamed, swapped
from bythebook.metrics.extraction import Counts
from bythebook.metrics.extraction_scores import count_rows, false_relations, micro_f1, protocol_scores, summed
from bythebook.metrics.protocols import PROTOCOLS, Row, Rules
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction


def read(ner: str = "", rel: str = "") -> Extraction:
    """`a/T b/U` and `a>r>b`."""
    entities = [ExtractedEntity(text=e.split("/")[0], type=e.split("/")[1]) for e in ner.split()]
    parts = [r.split(">") for r in rel.split()]
    relations = [
        ExtractedRelation(head=ExtractedEntity(text=h), type=r, tail=ExtractedEntity(text=t)) for h, r, t in parts
    ]
    return Extraction(entities=tuple(entities), relations=tuple(relations))


ROWS = [
    Row.of("1", read("a/T b/U", "a>r>b"), [read("a/T b/T", "a>r>b"), read("a/T b/U", "b>r>a")], document="d"),
    Row.of("2", read("c/U", ""), [read("c/U", "c>s>c"), read("", "")], document="d"),
    Row.of("3", read("", ""), [read("", ""), read("x/V", "x>r>y x>r>y")], document="e"),
]


def scores(name: str, rows: list[Row] = ROWS, rules: Rules | None = None, ks: tuple[int, ...] = ()) -> dict:
    rules = rules or Rules()
    return protocol_scores(count_rows(PROTOCOLS[name], rows, rules), rows, rules, ks)


def first(rows: list[Row]) -> list[Row]:
    return [Row.of(r.id, r.gold, r.samples[:1], document=r.document) for r in rows]


def test_micro_figures_are_those_of_the_pooled_counts() -> None:
    found = scores("ner", first(ROWS))
    assert (found["tp"], found["fp"], found["fn"]) == (2, 1, 1)
    assert (found["precision"], found["recall"], found["f1"]) == (2 / 3, 2 / 3, 2 / 3)


def test_macro_f1_is_over_the_types_of_the_gold() -> None:
    found = scores("ner", first(ROWS))
    assert {name: s["f1"] for name, s in found["per_type"].items()} == {"T": 2 / 3, "U": 2 / 3}
    assert found["macro_f1"] == 2 / 3
    everything = scores("rel", first(ROWS))
    assert {name: s["f1"] for name, s in everything["per_type"].items()} == {"r": 1.0, "s": 0.0}
    assert everything["macro_f1"] == 1.0


def test_figures_of_several_samples_are_their_means() -> None:
    found = scores("rel")
    # sample 1: TP 1, FP 1, FN 0; sample 2: TP 0, FP 2 (a set), FN 1
    assert (found["tp"], found["fp"], found["fn"]) == (0.5, 1.5, 0.5)
    assert found["f1"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["precision"] == pytest.approx((1 / 2 + 0) / 2)


def test_best_and_average_stand_beside_each_other_in_both_ways_of_counting() -> None:
    found = scores("rel", ks=(1, 2))
    assert found["best_f1_at_k"] == {"1": pytest.approx(2 * 0.5 / (2 * 0.5 + 1.5 + 0.5)), "2": 1.0}
    assert found["best_f1_at_k_release"] == {"1": pytest.approx(1 / (1 + 0.5)), "2": 1.0}
    assert found["avg_at_k"] == {"1": found["f1"], "2": found["f1"]}


def test_without_k_there_is_no_best() -> None:
    assert "best_f1_at_k" not in scores("rel")
    with pytest.raises(ValueError, match="undefined"):
        scores("rel", ks=(3,))


def test_texts_with_relations_are_scored_apart_and_only_of_relations() -> None:
    found = scores("rel", first(ROWS))
    assert found["related"]["f1"] == 1.0
    assert found["f1"] == 2 / 3
    assert "related" not in scores("ner")


def test_false_relations_are_told_by_text_whatever_is_forgiven() -> None:
    assert false_relations(first(ROWS), Rules()) == {"rows": 2, "false_relation_rate": 0.5, "false_relations": 1}
    assert false_relations(ROWS, Rules()) == {"rows": 2, "false_relation_rate": 0.5, "false_relations": 1}


def test_where_every_text_has_a_relation_there_is_no_rate() -> None:
    assert false_relations(ROWS[:1], Rules()) == {"rows": 0, "false_relation_rate": None, "false_relations": 0}


def test_how_gold_was_counted_is_told() -> None:
    assert scores("rel")["gold_counts"] == "unique"
    assert scores("rel", rules=Rules(raw=True))["gold_counts"] == "raw"
    assert scores("typed_text_multiset", rules=Rules(raw=True))["gold_counts"] == "multiset"


def test_ign_f1_tells_how_many_facts_were_seen() -> None:
    rules = Rules(seen=frozenset({("a", "r", "b")}))
    found = scores("docred_ign_f1", first(ROWS), rules)
    assert (found["seen"], found["precision"], found["recall"], found["f1"]) == (1, 0.0, 1.0, 0.0)


def test_nothing_at_all_has_no_score() -> None:
    found = scores("rel", [Row.of("1", Extraction(), [Extraction()])])
    assert (found["f1"], found["precision"], found["macro_f1"], found["per_type"]) == (None, None, None, {})


whole = st.integers(0, 6)


@settings(deadline=None)
@given(st.lists(st.tuples(whole, whole, whole, whole), min_size=1, max_size=6))
def test_f1_of_arrays_is_that_of_counts(numbers: list[tuple[int, int, int, int]]) -> None:
    counts = [Counts(tp, fp, fn, min(seen, tp)) for tp, fp, fn, seen in numbers]
    for c, found in zip(counts, micro_f1(summed([[c] for c in counts])), strict=True):
        assert math.isnan(found) if c.f1 is None else math.isclose(found, c.f1)


def test_sums_are_means_over_samples() -> None:
    assert np.array_equal(summed([[Counts(1, 0, 1), Counts(2, 3, 0)]]), [[1.5, 1.5, 0.5, 0.0]])
    assert summed([]).shape == (0, 4)


# ------------------------------------------------------------------------------------------------------- diagnostics


def test_a_predictor_that_turns_directions_round_is_found_by_the_swap() -> None:
    turned = [Row.of("1", read("", "a>r>b c>r>d"), [swapped(read("", "b>r>a d>r>c"))])]
    assert scores("rel", turned)["f1"] == 1.0
    assert swapped(swapped(ROWS[0].gold)) == ROWS[0].gold


def test_the_same_answers_in_another_order_agree() -> None:
    one, other = read("a/T b/U", "a>r>b b>r>a"), read("b/U a/T", "b>r>a a>r>b")
    assert agreement([one], [other]) == {"answers": 1, "entity_f1": 1.0, "relation_f1": 1.0, "identical": 1.0}


def test_how_far_answers_differ() -> None:
    found = agreement([read("a/T", "a>r>b"), read("c/T")], [read("a/U", "a>r>b a>s>b"), read("c/T")])
    assert found == {"answers": 2, "entity_f1": 0.5, "relation_f1": pytest.approx(2 / 3), "identical": 0.5}


def test_answers_under_other_names_agree_after_renaming() -> None:
    mine, theirs = read("a/T b/U", "a>r>b"), read("a/X7 b/U", "a>X9>b")
    assert agreement([mine], [theirs])["identical"] == 0.0
    assert agreement([mine], [renamed(theirs, {"X7": "T", "X9": "r"})])["identical"] == 1.0


def test_no_answers_have_no_agreement() -> None:
    assert agreement([], []) == {"answers": 0, "entity_f1": None, "relation_f1": None, "identical": None}
