"""Statistics against brute force."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import numpy as np
import pytest

from bythebook.stats import (
    avg_at_k,
    chance_agreement,
    interval,
    maj_at_k,
    majority,
    mean,
    mean_pass_at_k,
    paired_bootstrap,
    pass_at_k,
    trailing_mean,
)

# ------------------------------------------------------------------------------------------------------------- means


def test_a_mean_leaves_out_what_was_not_scored() -> None:
    assert mean([1.0, None, 2.0]) == 1.5
    assert mean([None]) is None
    assert mean([]) is None
    assert mean(x / 10 for x in range(3)) == pytest.approx(0.1)


def test_avg_at_k_is_the_mean_over_all_samples() -> None:
    assert avg_at_k([[1, 0, 0, 1], [1, 1, 1, 1]]) == 0.75
    assert avg_at_k(np.array([[True], [False]])) == 0.5
    assert avg_at_k([]) is None
    with pytest.raises(ValueError, match="items × samples"):
        avg_at_k([1, 0])


# ------------------------------------------------------------------------------------------------------------ pass@k


@pytest.mark.parametrize("n", range(1, 8))
def test_pass_at_k_equals_counting_all_subsets(n: int) -> None:
    for c, k in itertools.product(range(n + 1), range(1, n + 1)):
        hits = [1] * c + [0] * (n - c)
        subsets = list(itertools.combinations(hits, k))
        assert pass_at_k(n, c, k) == pytest.approx(sum(any(s) for s in subsets) / len(subsets))


def test_mean_pass_at_k_averages_over_items() -> None:
    hits = [[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]]
    assert mean_pass_at_k(hits, 4) == pytest.approx(2 / 3)
    assert mean_pass_at_k(hits, 2) == pytest.approx((0.5 + 0 + 1) / 3)
    assert mean_pass_at_k(hits, 1) == pytest.approx(avg_at_k(hits))
    assert mean_pass_at_k([], 4) is None


def test_pass_at_k_of_large_counts_stays_exact() -> None:
    product = math.prod(1 - 100 / (1000 - i) for i in range(100))
    assert pass_at_k(1000, 100, 100) == pytest.approx(1 - product)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 2, 5), (4, 2, 0)])
def test_pass_at_k_out_of_range_is_an_error(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="undefined"):
        pass_at_k(n, c, k)


# ------------------------------------------------------------------------------------------------------------- maj@k


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["a", "b", "b"], "b"),
        (["b", "a", "a", "b"], "b"),
        ([None, None, None, "a"], "a"),
        (["c", "a", "b"], "c"),
        ([None, None], None),
        ([], None),
    ],
)
def test_the_majority_and_of_equals_the_first(answers: list[str | None], expected: str | None) -> None:
    assert majority(answers) == expected


def test_maj_at_k_against_brute_force() -> None:
    rng = random.Random(0)
    answers = [[rng.choice(["a", "b", "c", None]) for _ in range(5)] for _ in range(300)]
    golds = [rng.choice("abc") for _ in answers]
    right = 0
    for row, gold in zip(answers, golds, strict=True):
        best = max(Counter(a for a in row if a).values(), default=0)
        winners = [a for a in row if a and row.count(a) == best]
        right += bool(winners) and winners[0] == gold
    assert maj_at_k(answers, golds) == right / 300
    assert maj_at_k([], []) is None
    assert maj_at_k([[None]], ["a"]) == 0.0


# --------------------------------------------------------------------------------------------------------- bootstrap


def crossed(seeds: int, guidelines: int, items: int) -> tuple[list[int], list[str]]:
    cells = [(s, f"g{g}") for s in range(seeds) for g in range(guidelines) for _ in range(items)]
    return [s for s, _ in cells], [g for _, g in cells]


def test_the_bootstrap_equals_one_that_copies_items() -> None:
    rng = np.random.default_rng(0)
    seeds, guidelines = crossed(3, 5, 4)
    keep = np.sort(rng.permutation(60)[:47])  # unbalanced cells
    seeds, guidelines = [seeds[i] for i in keep], [guidelines[i] for i in keep]
    a, b = rng.random(47), rng.random(47)
    found = paired_bootstrap(a, b, seeds, guidelines, n=4000, seed=1)
    assert found is not None
    assert found.difference == pytest.approx(a.mean() - b.mean())
    draws = []
    for _ in range(4000):
        drawn_seeds = Counter(rng.choice(3, 3).tolist())
        drawn_guidelines = Counter(f"g{g}" for g in rng.choice(5, 5))
        weights = [drawn_seeds[s] * drawn_guidelines[g] for s, g in zip(seeds, guidelines, strict=True)]
        copies = np.repeat(a - b, weights)
        draws += [copies.mean()] if copies.size else []
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.01)


def test_the_bootstrap_is_repeatable_and_depends_on_its_seed() -> None:
    rng = np.random.default_rng(0)
    seeds, guidelines = crossed(3, 10, 5)
    a, b = rng.random(150), rng.random(150)
    assert paired_bootstrap(a, b, seeds, guidelines) == paired_bootstrap(a, b, seeds, guidelines)
    assert paired_bootstrap(a, b, seeds, guidelines) != paired_bootstrap(a, b, seeds, guidelines, seed=9)


def test_pairing_removes_what_both_sides_share() -> None:
    rng = np.random.default_rng(0)
    seeds, guidelines = crossed(3, 20, 2)
    a = rng.random(120)
    found = paired_bootstrap(a, a - 0.25, seeds, guidelines)
    assert found is not None
    assert found == pytest.approx((0.25, 0.25, 0.25))


def test_items_of_one_guideline_are_not_taken_for_independent() -> None:
    # Each guideline is wholly gained or wholly lost, so more items a guideline tell nothing new.
    def width(items: int) -> float:
        seeds, guidelines = crossed(1, 12, items)
        gain = [float(int(g[1:]) % 2) for g in guidelines]
        found = paired_bootstrap(gain, np.zeros(len(gain)), seeds, guidelines)
        assert found is not None
        return found.high - found.low

    assert width(40) == pytest.approx(width(1), abs=0.02)
    assert width(1) > 0.4


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    seeds, guidelines = crossed(6, 20, 3)
    covered = 0
    for trial in range(150):
        by_seed, by_guideline = rng.normal(0, 1, 6), rng.normal(0, 1, 20)
        effect = [0.5 + by_seed[s] + by_guideline[int(g[1:])] for s, g in zip(seeds, guidelines, strict=True)]
        scores = np.array(effect) + rng.normal(0, 1, len(effect))
        found = paired_bootstrap(scores, np.zeros(len(effect)), seeds, guidelines, n=400, seed=trial)
        assert found is not None
        covered += found.low <= 0.5 <= found.high
    # With six seeds a percentile interval is known to be somewhat short.
    assert 0.80 <= covered / 150 <= 1.0


def test_no_items_have_no_difference_and_unequal_lengths_are_an_error() -> None:
    assert paired_bootstrap([], [], [], []) is None
    with pytest.raises(ValueError, match="one entry per item"):
        paired_bootstrap([1.0], [1.0, 0.0], [0, 0], ["g", "g"])
    with pytest.raises(ValueError, match="one entry per item"):
        paired_bootstrap([1.0, 0.0], [1.0, 0.0], [0], ["g", "g"])


# ---------------------------------------------------------------------------------------------------------- interval


@pytest.mark.parametrize(
    ("df", "level", "t"),
    [
        (1, 0.95, 12.7062),
        (2, 0.95, 4.30265),
        (3, 0.95, 3.18245),
        (4, 0.95, 2.77645),
        (5, 0.99, 4.03214),
        (9, 0.90, 1.83311),
        (10, 0.95, 2.22814),
        (30, 0.95, 2.04227),
        (120, 0.95, 1.97993),
    ],
)
def test_the_interval_uses_the_tabulated_t(df: int, level: float, t: float) -> None:
    values = list(range(df + 1))
    half = t * float(np.std(values, ddof=1)) / math.sqrt(df + 1)
    found = interval([float(v) for v in values], level)
    assert found is not None
    assert found == pytest.approx((df / 2 - half, df / 2 + half), rel=1e-4)


def test_one_value_has_no_interval_and_equal_values_have_an_empty_one() -> None:
    assert interval([]) is None
    assert interval([0.5]) is None
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_is_a_fraction(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        interval([0.0, 1.0], level)


def test_chance_agreement_is_the_mean_over_all_pairs_of_answer_and_gold() -> None:
    answers, golds = ["A", "B", "A", None], ["A", "A", "C", "B"]
    pairs = [answer == gold for answer in answers for gold in golds]
    assert chance_agreement(answers, golds) == pytest.approx(sum(pairs) / len(pairs))


def test_chance_agreement_of_nothing_is_none_and_of_unequal_lengths_an_error() -> None:
    assert chance_agreement([], []) is None
    with pytest.raises(ValueError, match="1 answers, 2 golds"):
        chance_agreement(["A"], ["A", "B"])


def test_a_smoothed_curve_ends_with_the_mean_of_its_last_values() -> None:
    assert trailing_mean([1.0, 2.0, 3.0, 5.0], 2) == 4.0
    assert trailing_mean([1.0, 2.0], 10) == 1.5
    assert trailing_mean([], 10) is None
    with pytest.raises(ValueError, match="at least one value"):
        trailing_mean([1.0], 0)
