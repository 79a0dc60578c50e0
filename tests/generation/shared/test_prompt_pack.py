"""What is computed of prompts, and what they have in common above their tails."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.generation.shared.kept import KeptPrefix, KeptPrefixes
from bythebook.generation.shared.prompt_pack import PromptPack, pack_prompts
from conftest import drawn_ids

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")


def _kept(*prefixes: list[int]) -> KeptPrefixes:
    kept = KeptPrefixes()
    for prefix in prefixes:
        layer = (torch.zeros(1, 1, len(prefix), 2),)
        kept.keep(KeptPrefix(np.array(prefix), layer, layer))
    return kept


def _whole(pack: PromptPack, number: int) -> list[int]:
    """The tokens a prompt attends to, put together again."""
    found: list[int] = []
    for stretch in sorted((s for s in pack.shared if s.first <= number < s.last), key=lambda s: s.level):
        if stretch.outer is not None:
            found += stretch.outer.prefix.token_ids[: stretch.outer.length].tolist()
        else:
            assert stretch.node is not None
            found += pack.plan.token_ids[stretch.node.start : stretch.node.end].tolist()
    return found + pack.plan.token_ids[pack.tails[number]].tolist()


def _checked(prompts: list[list[int]], kept: KeptPrefixes | None) -> PromptPack:
    pack = pack_prompts([np.array(p) for p in prompts], kept)
    assert sorted(pack.order) == list(range(len(prompts)))
    for number, given_ in enumerate(pack.order):
        assert _whole(pack, number) == prompts[given_]
        assert pack.plan.token_ids[pack.last_tokens[number]] == prompts[given_][-1]
        assert pack.plan.positions[pack.last_tokens[number]] == len(prompts[given_]) - 1
    for one in pack.shared:
        assert not [
            s
            for s in pack.shared
            if s is not one and s.level == one.level and s.first < one.last and one.first < s.last
        ]
    return pack


BLOCKS = [drawn_ids(n, n) for n in (1, 5, 17, 33, 40, 64)]
PROMPTS = st.lists(
    st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4).map(lambda blocks: tuple(itertools.chain(*blocks))),
    min_size=1,
    max_size=8,
    unique=True,
)


@given(PROMPTS, st.lists(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=4), max_size=3))
@settings(max_examples=100, deadline=None)
def test_shared_stretches_and_tails_are_the_prompts(
    prompts: list[tuple[int, ...]], kept: list[list[list[int]]]
) -> None:
    _checked([list(p) for p in prompts], _kept(*(list(itertools.chain(*blocks)) for blocks in kept)))


def test_a_kept_guideline_is_not_computed_again() -> None:
    guideline = drawn_ids(200, 1)
    pack = _checked([guideline + drawn_ids(n, n) for n in (3, 9)], _kept(guideline))
    assert len(pack.plan.token_ids) == 3 + 9
    assert [outer.length for outer in pack.outers] == [200]


def test_what_chance_adds_to_one_prompt_of_a_guideline_does_not_split_them() -> None:
    guideline = drawn_ids(200, 1)
    kept = _kept([*guideline, 3, 4, 5])
    pack = _checked([[*guideline, 3, 4, 9], [*guideline, 3, 8], [*guideline, 7, 7]], kept)
    assert [outer.length for outer in pack.outers] == [200]


def test_the_last_token_of_a_kept_prompt_is_computed() -> None:
    prompt = drawn_ids(60, 1)
    pack = _checked([prompt], _kept(prompt))
    assert pack.plan.token_ids.tolist() == prompt[-1:]


def test_several_guidelines_have_their_own_kept_prefixes() -> None:
    one, other = drawn_ids(100, 1), drawn_ids(80, 2)
    pack = _checked([[*one, 3], [*other, 4], [*one, 5], [*other[:20], 6, 6, 6]], _kept(one, other))
    assert sorted(outer.length for outer in pack.outers) == [80, 100]
    assert len(pack.plan.token_ids) == 3 + 23
