"""Draws by the weights: their frequencies, no repeats, when they stop, and going on from a state."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from bythebook.mixtures import Drawn, MixtureSampler

SIZES = {"genes": 40, "law": 25, "news": 60}
WEIGHTS = {"genes": 0.5, "law": 0.2, "news": 0.3}


def _chi_squared_p(seed: int) -> float:
    sampler = MixtureSampler(dict.fromkeys(WEIGHTS, 10_000), WEIGHTS, seed=seed)
    counts = Counter(drawn.domain for drawn in sampler.batch(5_000))
    return float(chisquare([counts[name] for name in WEIGHTS], [5_000 * w for w in WEIGHTS.values()]).pvalue)


def test_frequencies_are_those_of_the_weights() -> None:
    p = [_chi_squared_p(seed) for seed in range(100)]
    # Right weights give p that are even between 0 and 1; other ones give p near 0, a rigid rule p near 1.
    assert kstest(p, "uniform").pvalue > 0.01


def test_the_test_of_frequencies_sees_weights_that_are_a_little_off() -> None:
    sampler = MixtureSampler(dict.fromkeys(WEIGHTS, 100_000), {"genes": 0.47, "law": 0.22, "news": 0.31})
    counts = Counter(drawn.domain for drawn in sampler.batch(5_000))
    assert chisquare([counts[n] for n in WEIGHTS], [5_000 * w for w in WEIGHTS.values()]).pvalue < 0.01


def test_domains_are_drawn_independently_of_each_other() -> None:
    sampler = MixtureSampler({"a": 10_000, "b": 10_000}, {"a": 0.5, "b": 0.5}, seed=3)
    names = [drawn.domain for drawn in sampler.batch(8_000)]
    same = sum(first == second for first, second in pairwise(names))
    assert abs(same - 4_000) < 4 * np.sqrt(8_000) / 2


def test_nothing_is_drawn_twice_and_what_is_left_is_known() -> None:
    sampler = MixtureSampler(SIZES, WEIGHTS, seed=1)
    drawn = list(sampler)
    assert len(set(drawn)) == len(drawn)
    assert Counter(d.domain for d in drawn) == sampler.taken
    assert all(0 <= d.place < SIZES[d.domain] for d in drawn)


@pytest.mark.parametrize("seed", range(20))
def test_it_stops_when_a_drawn_domain_has_none_left_and_not_before(seed: int) -> None:
    sampler = MixtureSampler(SIZES, WEIGHTS, seed=seed)
    drawn = list(sampler)
    assert sampler.exhausted is not None
    assert {d.place for d in drawn if d.domain == sampler.exhausted} == set(range(SIZES[sampler.exhausted]))
    assert sampler.draw() is None
    assert sampler.batch(3) == []
    # It stopped at the draw, not when the last example was given.
    longer = MixtureSampler({name: size + 1 for name, size in SIZES.items()}, WEIGHTS, seed=seed)
    assert [d.domain for d in longer.batch(len(drawn) + 1)] == [*(d.domain for d in drawn), sampler.exhausted]


def test_a_batch_that_is_cut_short_says_so() -> None:
    sampler = MixtureSampler({"a": 5}, {"a": 1.0})
    assert len(sampler.batch(3)) == 3
    assert sampler.exhausted is None
    assert len(sampler.batch(3)) == 2
    assert sampler.exhausted == "a"


def test_a_domain_without_weight_is_never_drawn_and_needs_no_examples() -> None:
    sampler = MixtureSampler({"a": 50}, {"a": 1.0, "b": 0.0})
    assert {d.domain for d in sampler} == {"a"}


def test_the_order_within_a_domain_is_its_own_whatever_the_mixture() -> None:
    def places(weights: dict[str, float], seed: int = 0) -> list[int]:
        return [d.place for d in MixtureSampler(SIZES, weights, seed=seed) if d.domain == "law"]

    first, second = places(WEIGHTS), places({"law": 0.7, "news": 0.3})
    shared = min(len(first), len(second))
    assert shared > 5
    assert first[:shared] == second[:shared]
    assert first[:shared] != places(WEIGHTS, seed=1)[:shared]
    assert first != sorted(first)


def test_a_batch_mixes_domains() -> None:
    assert {d.domain for d in MixtureSampler(SIZES, WEIGHTS).batch(20)} == set(SIZES)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 9))
def test_a_sampler_that_goes_on_from_a_state_draws_the_same(seed: int, before: int, size: int) -> None:
    whole, stopped = (MixtureSampler(SIZES, WEIGHTS, seed=seed) for _ in range(2))
    for sampler in (whole, stopped):
        sampler.batch(before)
    state = json.loads(json.dumps(stopped.state()))
    again = MixtureSampler(SIZES, WEIGHTS, seed=seed)
    again.batch(7)  # whatever it had drawn before
    again.restore(state)
    assert again.state() == stopped.state()
    while whole.exhausted is None:
        assert again.batch(size) == whole.batch(size)
    assert (again.exhausted, again.taken) == (whole.exhausted, whole.taken)


def test_an_exhausted_sampler_stays_so_after_a_restart() -> None:
    sampler = MixtureSampler(SIZES, WEIGHTS, seed=2)
    list(sampler)
    again = MixtureSampler(SIZES, WEIGHTS, seed=2)
    again.restore(sampler.state())
    assert (again.exhausted, again.draw()) == (sampler.exhausted, None)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 5},
        {"weights": {"genes": 0.4, "law": 0.3, "news": 0.3}},
        {"sizes": SIZES | {"law": 26}},
        {"schema": "bythebook.mixture_sampler/0"},
        {"taken": {"genes": 4, "law": 0, "news": 0}},
        {"taken": {"genes": 10**9, "law": 0, "news": 0}},
        {"taken": {"genes": -1, "law": 0, "news": 0}},
        {"taken": None},
        {"exhausted": "law"},
    ],
)
def test_a_state_that_is_not_its_own_is_refused(change: dict[str, Any]) -> None:
    sampler = MixtureSampler(SIZES, WEIGHTS)
    first = sampler.batch(4)
    state = sampler.state()
    other = MixtureSampler(SIZES, WEIGHTS)
    with pytest.raises(ValueError, match="state"):
        other.restore(state | change)
    assert other.batch(4) == first


@pytest.mark.parametrize(
    ("sizes", "weights"),
    [
        ({"a": 3}, {}),
        ({"a": 3}, {"a": 0.5}),
        ({"a": 3, "b": 3}, {"a": 1.5, "b": -0.5}),
        ({"a": 3}, {"a": float("nan")}),
        ({"a": 3}, {"a": 0.5, "b": 0.5}),
        ({"a": 3, "b": 0}, {"a": 0.5, "b": 0.5}),
    ],
)
def test_what_is_no_mixture_is_an_error(sizes: dict[str, int], weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weight"):
        MixtureSampler(sizes, weights)


def test_a_batch_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="batch"):
        MixtureSampler({"a": 3}, {"a": 1.0}).batch(0)


def test_the_first_draws_stay_what_they_are() -> None:
    # A run that goes on under a later version draws on where it stopped.
    assert MixtureSampler(SIZES, WEIGHTS, seed=7).batch(4) == [
        Drawn("genes", 32),
        Drawn("genes", 3),
        Drawn("law", 12),
        Drawn("news", 24),
    ]
