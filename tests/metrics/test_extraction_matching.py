"""The matcher of joint extraction: keys, sets and multisets, and what is undefined."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.extraction import (
    By,
    Counts,
    counts,
    entity_counts,
    normalised,
    relation_counts,
    total,
    with_types,
)
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span


def entity(text: str, kind: str | None = "Tool", at: int | None = None) -> ExtractedEntity:
    return ExtractedEntity(text=text, type=kind, span=None if at is None else Span(start=at, end=at + len(text)))


def relation(head: ExtractedEntity, kind: str, tail: ExtractedEntity) -> ExtractedRelation:
    return ExtractedRelation(head=head, type=kind, tail=tail)


SAW, OAK, ELM = entity("saw", at=0), entity("oak", "Wood", at=9), entity("elm", "Wood", at=20)


# ------------------------------------------------------------------------------------------------------------ counts


def test_precision_recall_and_f1_come_from_the_counts() -> None:
    found = Counts(3, 1, 2)
    assert (found.precision, found.recall, found.f1) == (3 / 4, 3 / 5, 2 * 3 / 9)
    assert (found.predicted, found.gold, found.item_f1) == (4, 5, found.f1)


def test_what_has_no_denominator_is_undefined() -> None:
    assert (Counts().precision, Counts().recall, Counts().f1) == (None, None, None)
    assert (Counts(0, 0, 2).precision, Counts(0, 0, 2).recall, Counts(0, 0, 2).f1) == (None, 0.0, 0.0)
    assert (Counts(0, 2, 0).precision, Counts(0, 2, 0).recall, Counts(0, 2, 0).f1) == (0.0, None, 0.0)


def test_nothing_predicted_where_nothing_is_scores_one_for_the_text() -> None:
    assert Counts().item_f1 == 1.0
    assert Counts(0, 1, 0).item_f1 == Counts(0, 0, 1).item_f1 == 0.0


def test_seen_facts_lower_precision_and_leave_recall_alone() -> None:
    # 6 right of 10 predicted and of 8 in the gold, 2 of the right ones seen in training: P = 4/8, R = 6/8
    found = Counts(6, 4, 2, seen=2)
    assert (found.precision, found.recall) == (0.5, 0.75)
    assert found.f1 == pytest.approx(2 * 0.5 * 0.75 / 1.25)


def test_where_every_right_answer_was_seen_and_nothing_else_predicted_f1_is_undefined() -> None:
    found = Counts(2, 0, 1, seen=2)
    assert (found.precision, found.recall, found.f1, found.item_f1) == (None, 2 / 3, None, 0.8)


def test_counts_add_up() -> None:
    assert total([Counts(1, 2, 3), Counts(4, 5, 6, seen=1)]) == Counts(5, 7, 9, seen=1)
    assert total([]) == Counts()


def test_a_set_counts_repetitions_once_on_both_sides() -> None:
    assert counts("aab", "aac") == Counts(1, 1, 1)


def test_a_multiset_matches_as_many_copies_as_the_gold_has() -> None:
    assert counts("aaab", "aac", multiset=True) == Counts(2, 2, 1)


def test_raw_gold_is_found_or_missed_as_often_as_it_stands_there() -> None:
    assert counts("abb", "aacc", raw=True) == Counts(2, 1, 2)


keys = st.lists(st.sampled_from("abcd"), max_size=12)


@settings(deadline=None)
@given(keys, keys)
def test_every_kind_of_counts_agrees_with_a_count_by_loops(predicted: list[str], gold: list[str]) -> None:
    left, hits = list(gold), 0
    for key in predicted:
        if key in left:
            left.remove(key)
            hits += 1
    assert counts(predicted, gold, multiset=True) == Counts(hits, len(predicted) - hits, len(gold) - hits)
    right = [key for key in dict.fromkeys(predicted) if key in gold]
    wrong = [key for key in dict.fromkeys(predicted) if key not in gold]
    missed = [key for key in dict.fromkeys(gold) if key not in predicted]
    assert counts(predicted, gold) == Counts(len(right), len(wrong), len(missed))
    found = sum(key in predicted for key in gold)
    assert counts(predicted, gold, raw=True) == Counts(found, len(wrong), len(gold) - found)


@settings(deadline=None)
@given(keys)
def test_whatever_the_gold_is_it_is_right_against_itself(gold: list[str]) -> None:
    for options in ({}, {"multiset": True}, {"raw": True}):
        found = counts(gold, gold, **options)
        assert (found.fp, found.fn, found.item_f1) == (0, 0, 1.0)


# -------------------------------------------------------------------------------------------------------------- keys


def test_an_entity_of_another_type_is_wrong_unless_types_do_not_count() -> None:
    assert entity_counts([entity("saw", "Wood")], [SAW]) == Counts(0, 1, 1)
    assert entity_counts([entity("saw", "Wood")], [SAW], typed=False) == Counts(1, 0, 0)
    assert entity_counts([entity("saw", None)], [SAW]) == Counts(0, 1, 1)


@pytest.mark.parametrize(
    ("by", "written", "same"),
    [
        ("text", "Saw", False),
        ("lowered", " Saw ", True),
        ("lowered", "the saw", False),
        ("normalised", "The SAW!", True),
        ("normalised", "saws", False),
    ],
)
def test_what_counts_as_the_same_text(by: By, written: str, same: bool) -> None:
    assert entity_counts([entity(written)], [SAW], by=by).tp == same


def test_by_offsets_the_text_says_nothing() -> None:
    there = entity("SAW", at=0)
    assert entity_counts([there], [SAW], by="offsets") == Counts(1, 0, 0)
    assert entity_counts([entity("saw", at=30)], [SAW], by="offsets") == Counts(0, 1, 1)


def test_without_a_span_nothing_is_matched_by_offsets() -> None:
    bare = entity("saw")
    assert entity_counts([bare], [SAW], by="offsets") == Counts(0, 1, 1)
    assert entity_counts([bare], [bare], by="offsets") == Counts(0, 1, 1)


def test_direction_counts_unless_the_relation_is_symmetric() -> None:
    there, back = relation(SAW, "Beside", OAK), relation(OAK, "Beside", SAW)
    assert relation_counts([back], [there]) == Counts(0, 1, 1)
    assert relation_counts([back], [there], symmetric={"Beside"}) == Counts(1, 0, 0)
    assert relation_counts([there, back], [there], symmetric={"Beside"}) == Counts(1, 0, 0)
    assert relation_counts([back], [there], symmetric={"Cuts"}) == Counts(0, 1, 1)


def test_a_relation_of_a_mention_with_itself_is_not_one_with_another() -> None:
    assert relation_counts(
        [relation(SAW, "Beside", SAW)], [relation(SAW, "Beside", OAK)], symmetric={"Beside"}
    ) == Counts(0, 1, 1)


def test_rel_compares_texts_and_rel_plus_their_types_too() -> None:
    gold, wrong = relation(SAW, "Cuts", OAK), relation(entity("saw", "Wood"), "Cuts", OAK)
    assert relation_counts([wrong], [gold]) == Counts(1, 0, 0)
    assert relation_counts([wrong], [gold], typed=True) == Counts(0, 1, 1)
    assert relation_counts([relation(SAW, "Splits", OAK)], [gold]) == Counts(0, 1, 1)


def test_repeated_relations_cost_only_as_a_multiset() -> None:
    gold = relation(SAW, "Cuts", OAK)
    assert relation_counts([gold] * 5, [gold]) == Counts(1, 0, 0)
    assert relation_counts([gold] * 5, [gold], multiset=True) == Counts(1, 4, 0)


def test_arguments_get_the_type_and_span_of_the_first_entity_of_their_text() -> None:
    bare = relation(entity("saw", None), "Cuts", entity("yew", None))
    filled = with_types(Extraction(entities=(SAW, entity("saw", "Wood", 40)), relations=(bare,))).relations[0]
    assert (filled.head, filled.tail) == (SAW, entity("yew", None))


def test_what_an_argument_has_is_kept() -> None:
    own = relation(entity("saw", "Brand", 50), "Cuts", entity("oak", "Brand"))
    filled = with_types(Extraction(entities=(SAW, OAK), relations=(own,))).relations[0]
    assert filled.head == own.head
    assert (filled.tail.type, filled.tail.span) == ("Brand", OAK.span)


# ----------------------------------------------------------------------------------------------------- normalisation


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The  U.S. Navy", "us navy"),
        ("an apple a day", "apple day"),
        ("theme", "theme"),
        ("the", ""),
        ("self-training", "selftraining"),
        ("Ärzte — Chor", "ärzte — chor"),
    ],
)
def test_normalisation(text: str, plain: str) -> None:
    assert normalised(text) == plain


@settings(deadline=None)
@given(st.text())
def test_normalised_text_has_no_capital_punctuation_or_double_space(text: str) -> None:
    plain = normalised(text)
    assert not set(plain) & set(string.punctuation + string.ascii_uppercase)
    assert plain == " ".join(plain.split())
    assert not {"a", "an", "the"} & set(plain.split())
