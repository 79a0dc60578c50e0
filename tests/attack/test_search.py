"""The search: it finds nothing in our rewards, and in the released one what is known to be there."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.rewards import reward
from bythebook.studies.attack.candidates import Candidate, attempt_of, mutated, random_candidate, thoughts
from bythebook.studies.attack.items import ITEMS
from bythebook.studies.attack.laws import HOLES, Court, breaches
from bythebook.studies.attack.search import search, search_rewards

OURS = ("r2grpo", "r1_re_triplets")
SEVEN = tuple(HOLES)[:7]
COURTS = {name: Court(reward(name)) for name in OURS}


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """Any answer about any of the items: of right, wrong and odd parts in any order and shape."""
    item = draw(st.sampled_from(ITEMS))
    words = item.text.split()
    mention = st.sampled_from([*(t for t, _ in (*item.entities, *item.decoys)), *words, item.text, "", "x"])
    kind = st.sampled_from([*item.schema.entity_types, "Other"])
    name = st.sampled_from([*item.schema.relation_names, "Related-To"])
    entity = st.one_of(st.tuples(mention, kind), st.sampled_from([*item.entities, *item.decoys]))
    triple = st.one_of(st.tuples(mention, name, mention), st.sampled_from([*item.relations, *item.wrong_relations]))
    thought = st.one_of(st.sampled_from(thoughts(item)), st.text(max_size=30))
    return Candidate(
        item,
        tuple(draw(st.lists(entity, max_size=6))),
        tuple(draw(st.lists(triple, max_size=6))),
        tuple(draw(st.lists(thought, max_size=8))),
        draw(st.sampled_from(["plain", "fence", "no answer", "empty answer", "in the thinking", "twice", "bad item"])),
    )


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_completion_that_hypothesis_makes_breaks_a_law(name: str, data: st.DataObject) -> None:
    candidate = data.draw(candidates())
    court = COURTS[name]
    assert [(b.hole, b.completion) for b in breaches(court, court.judged(candidate))] == []


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_mended_reward_is_within_the_bound_that_its_docstring_states(data: st.DataObject) -> None:
    attempt = attempt_of(candidate := data.draw(candidates()))
    e = attempt.entities if "ner" in candidate.item.keys else 0.0
    r = attempt.relations if "rel" in candidate.item.keys else 0.0
    value = reward("r2grpo").verdict(attempt.completion, candidate.item.gold_json).value
    assert value is not None
    assert value <= 1.1 * e + (2 + 2.2 / 6) * r + 0.5 + 1e-9


@pytest.mark.parametrize("name", OURS)
def test_a_small_search_finds_nothing_in_ours(name: str) -> None:
    found = search(name, 1_500, seed=1)
    assert found.report() == []
    assert found.tried >= 1_500


def test_a_small_search_finds_six_of_the_seven_holes_of_the_release() -> None:
    found = search("r2grpo_release", 3_000, seed=1)
    holes = {row["hole"] for row in found.report()}
    assert len(holes & set(SEVEN)) >= 6
    assert set(found.report()[0]) == {"reward", "hole", "earned", "honest", "completion"}


def test_two_searches_with_one_seed_find_the_same_and_two_seeds_search_elsewhere() -> None:
    first, again, other = (search("r2grpo_release", 300, seed=s) for s in (5, 5, 6))
    assert first.report() == again.report()
    assert first.breaches == again.breaches
    assert first.report() != other.report()


def test_mutation_reaches_every_shape_and_keeps_candidates_small() -> None:
    rng = random.Random(0)
    seen, candidate = set(), random_candidate(rng)
    for _ in range(800):
        candidate = mutated(candidate, rng)
        seen.add(candidate.shape)
        assert max(map(len, (candidate.entities, candidate.relations, candidate.thinking))) <= 12
    assert len(seen) == 8


def test_a_reward_that_pays_words_is_found_out() -> None:
    class Words:
        reads = ("extraction",)

        def judge(self, parsed: Any, gold: Any, finish_reason: Any = "stop") -> Any:
            judged = COURTS["r2grpo"].reward.judge.judge(parsed, gold, finish_reason)
            extra = 0.1 * (parsed.thinking or "").count("rule")
            return judged.model_copy(update={"value": (judged.value or 0.0) + extra})

    from bythebook.rewards import TextReward

    rng, court, found = random.Random(0), Court(TextReward("words", Words())), set()
    for _ in range(400):
        judged = court.judged(mutated(random_candidate(rng), rng))
        found |= {b.hole for b in breaches(court, judged)}
    assert "other" in found or "filler" in found


def test_the_report_of_several_rewards_lists_published_originals_apart() -> None:
    found = search_rewards(["r2grpo", "r2grpo_release", "r1_re"], 200, seed=2)
    assert set(found["tried"]) == {"r2grpo", "r2grpo_release"}
    assert found["overpaid"] == []
    assert found["faithful"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OURS)
def test_a_hundred_thousand_candidates_find_nothing_in_ours(name: str) -> None:
    found = search(name, 100_000)
    assert found.report() == []
    assert found.tried >= 100_000


@pytest.mark.slow
def test_a_hundred_thousand_candidates_find_the_holes_of_the_release() -> None:
    found = search("r2grpo_release", 100_000)
    assert len({row["hole"] for row in found.report()} & set(SEVEN)) >= 6
