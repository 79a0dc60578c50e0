"""The packed plan gives every sequence back, and forwards no prefix twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.prefix import plan_prefixes

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=12)


def _distinct_prefixes(sequences: list[list[int]]) -> set[tuple[int, ...]]:
    return {tuple(s[: i + 1]) for s in sequences for i in range(len(s))}


@given(SEQUENCES)
@settings(max_examples=400, deadline=None)
def test_the_plan_gives_the_sequences_back_and_has_each_distinct_prefix_once(sequences: list[list[int]]) -> None:
    plan = plan_prefixes(sequences)
    assert [ids.tolist() for ids in plan.sequences()] == sequences
    assert len(plan.token_ids) == len(plan.positions) == len(_distinct_prefixes(sequences))
    assert plan.tokens_given == sum(map(len, sequences))
    for number, sequence in enumerate(sequences):
        assert plan.positions[plan.places(number)].tolist() == list(range(len(sequence)))


@given(SEQUENCES)
@settings(max_examples=300, deadline=None)
def test_nodes_are_a_tree_whose_subtrees_lie_together(sequences: list[list[int]]) -> None:
    nodes = plan_prefixes(sequences).nodes
    assert [n.start for n in nodes[1:]] == [n.end for n in nodes[:-1]]
    for number, node in enumerate(nodes):
        below = {number}
        for other in range(number + 1, len(nodes)):
            if nodes[other].parent in below:
                below.add(other)
        assert node.start < node.end <= node.subtree_end
        assert node.subtree_end == max(nodes[other].end for other in below)
        assert sum(nodes[other].end - nodes[other].start for other in below) == node.subtree_end - node.start
        if node.parent >= 0:
            above = nodes[node.parent]
            assert node.parent < number
            assert node.depth == above.depth + above.end - above.start
        else:
            assert node.depth == 0


@given(SEQUENCES)
@settings(max_examples=300, deadline=None)
def test_no_two_children_begin_alike(sequences: list[list[int]]) -> None:
    plan = plan_prefixes(sequences)
    starts = sorted((n.parent, int(plan.token_ids[n.start])) for n in plan.nodes)
    assert all(one != other for one, other in pairwise(starts))


@given(SEQUENCES, st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_scored_tokens_are_predicted_by_the_position_before(sequences: list[list[int]], rng) -> None:
    plan = plan_prefixes(sequences)
    firsts = [rng.randint(1, len(s)) for s in sequences]
    scored = plan.scored(firsts)
    assert scored.targets.tolist() == [t for s, f in zip(sequences, firsts, strict=True) for t in s[f:]]
    assert sorted(set(scored.sources.tolist())) == scored.sources.tolist()
    seen = [tuple(s[:i]) for s, f in zip(sequences, firsts, strict=True) for i in range(f, len(s))]
    prefix_at = {int(p): tuple(s[: i + 1]) for n, s in enumerate(sequences) for i, p in enumerate(plan.places(n))}
    assert [prefix_at[int(scored.sources[k])] for k in scored.source_of] == seen
    assert len(scored.sources) == len(set(seen))


def test_a_guideline_a_prompt_and_its_completions() -> None:
    guideline, tails, completions = [9] * 50, [[1, 2], [3, 4, 5]], [[6], [7, 8], [7, 9], [7, 8]]
    plan = plan_prefixes([guideline + tail + completion for tail in tails for completion in completions])
    assert len(plan.token_ids) == 50 + 2 + 3 + 2 * (1 + 1 + 2)
    assert [n.end - n.start for n in plan.nodes] == [50, 2, 1, 1, 1, 1, 3, 1, 1, 1, 1]
    assert plan.ends[1] == plan.ends[3] != plan.ends[2]
    assert plan.tokens_given == 2 * (4 * 50 + 7) + 4 * 5


def test_a_sequence_that_begins_another_ends_inside_it() -> None:
    plan = plan_prefixes([[1, 2, 3], [1], [1, 2]])
    assert [(n.start, n.end) for n in plan.nodes] == [(0, 1), (1, 2), (2, 3)]
    assert plan.ends == (2, 0, 1)


def test_ids_beyond_two_bytes_are_compared_as_numbers() -> None:
    plan = plan_prefixes([[1, 151_643], [1, 255], [1, 70_000], [1, 2**32 - 1]])
    assert plan.token_ids.tolist() == [1, 255, 70_000, 151_643, 2**32 - 1]


@pytest.mark.parametrize("wrong", [[], [[]], [[1], []], [[-1]], [[2**32]], [[1.5]], [[[1]]]])
def test_what_can_not_be_packed_is_refused(wrong: list) -> None:
    with pytest.raises(ValueError, match=r"nothing to pack|at least one token|whole numbers"):
        plan_prefixes(wrong)


def test_nothing_predicts_a_first_token() -> None:
    with pytest.raises(ValueError, match="nothing predicts"):
        plan_prefixes([[1, 2]]).scored([0])


def test_many_long_sequences_take_little_time() -> None:
    rng = np.random.default_rng(0)
    guideline = rng.integers(0, 32_000, 4_000)
    sequences = [np.concatenate([guideline, rng.integers(0, 32_000, 100)]) for _ in range(512)]
    plan = plan_prefixes(sequences)
    assert len(plan.token_ids) == pytest.approx(4_000 + 51_200, abs=600)
