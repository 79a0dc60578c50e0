from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.annotation.items import Found, Mention, agreement, kept, merged, shares, within

MENTIONS = st.tuples(st.integers(0, 9), st.integers(10, 19), st.sampled_from(["A", "B", None]))
FOUND = st.builds(
    Found,
    st.frozensets(MENTIONS, max_size=4),
    st.frozensets(st.tuples(MENTIONS, st.sampled_from("RS"), MENTIONS), max_size=4),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(FOUND, max_size=5), st.randoms(use_true_random=False))
def test_merging_is_idempotent_and_free_of_order(parts: list[Found], rng: random.Random) -> None:
    whole = merged(parts)
    assert merged([*parts, *parts]) == whole
    assert merged([whole, *parts]) == whole
    shuffled = list(parts)
    rng.shuffle(shuffled)
    assert merged(shuffled) == whole
    assert merged([merged(parts[:2]), merged(parts[2:])]) == whole
    assert all(part.entities <= whole.entities and part.relations <= whole.relations for part in parts)


def consistent(found: Found) -> Found:
    """With every mention of a relation among the entities, as an answer has it once it is resolved."""
    return Found(found.entities | {m for r in found.relations for m in (r[0], r[2])}, found.relations)


@settings(max_examples=100, deadline=None)
@given(st.lists(FOUND.map(consistent), min_size=1, max_size=6))
def test_kept_items_are_those_of_more_than_half_and_relations_have_both_mentions(samples: list[Found]) -> None:
    whole = kept(shares(samples))
    for entity in {e for s in samples for e in s.entities}:
        assert (entity in whole.entities) == (sum(entity in s.entities for s in samples) * 2 > len(samples))
    for relation in {r for s in samples for r in s.relations}:
        assert (relation in whole.relations) == (sum(relation in s.relations for s in samples) * 2 > len(samples))
    assert {m for r in whole.relations for m in (r[0], r[2])} <= whole.entities


A: Mention = (0, 1, "A")
B: Mention = (2, 3, "B")


def test_p_is_the_share_of_samples_and_silent_ones_count() -> None:
    found = shares([Found(frozenset({A, B}), frozenset({(A, "R", B)})), Found(frozenset({A})), Found(), Found()])
    assert found.entities == {A: 0.5, B: 0.25}
    assert found.relations == {(A, "R", B): 0.25}
    assert shares([]).entities == {}


def test_half_is_not_more_than_half_and_a_threshold_asks_for_more() -> None:
    both = Found(frozenset({A, B}), frozenset({(A, "R", B)}))
    assert kept(shares([both, Found()])) == Found()
    most = shares([both, both, both, Found(frozenset({A}))])
    assert kept(most) == both
    assert kept(most, at_least=0.8) == Found(frozenset({A}))
    assert kept(most, at_least=0.75) == both


def test_a_relation_needs_both_mentions_kept_or_given() -> None:
    only = shares([Found(frozenset(), frozenset({(A, "R", B)}))])
    assert kept(only) == Found()
    assert kept(only, given=frozenset({A})) == Found()
    assert kept(only, given=frozenset({A, B})).relations == {(A, "R", B)}


def test_items_within_a_part_have_all_their_mentions_there() -> None:
    whole = Found(frozenset({A, B}), frozenset({(A, "R", B)}))
    assert within(whole, 0, 3) == whole
    assert within(whole, 1, 3) == Found(frozenset({B}))


def test_agreement_counts_entities_and_relations_together() -> None:
    whole = Found(frozenset({A, B}), frozenset({(A, "R", B)}))
    assert agreement(whole, whole) == agreement(Found(), Found()) == 1.0
    assert agreement(whole, Found()) == 0.0
    assert agreement(whole, Found(frozenset({A, B}))) == pytest.approx(0.8)
