"""Best F1@K and Avg@K: the closed form against enumeration of every subset of samples."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.metrics.best_of import avg_f1, best_at_k, chances, expected_best
from bythebook.metrics.extraction import Counts, total


def by_enumeration(samples: list[Counts], k: int, *, release: bool = False) -> Counts:
    """Mean counts of the oracle's choice over all subsets, told by a walk over each as the release's script does it."""
    chosen = []
    for subset in itertools.combinations(samples, k):
        if release:
            best, kept = 0.0, Counts(0, 0, subset[0].gold)
            for c in subset:
                if c.item_f1 > best:
                    best, kept = c.item_f1, c
        else:
            kept = subset[0]
            for c in subset[1:]:
                if c.item_f1 > kept.item_f1 or (c.item_f1 == kept.item_f1 and c.fp < kept.fp):
                    kept = c
        chosen.append(kept)
    n = len(chosen)
    return Counts(sum(c.tp for c in chosen) / n, sum(c.fp for c in chosen) / n, sum(c.fn for c in chosen) / n)


def near(a: Counts, b: Counts) -> bool:
    return all(math.isclose(x, y, abs_tol=1e-12) for x, y in ((a.tp, b.tp), (a.fp, b.fp), (a.fn, b.fn)))


@st.composite
def texts(draw: st.DrawFn) -> list[Counts]:
    """The samples of one text: its gold is the same for all."""
    gold = draw(st.integers(0, 4))
    hits = draw(st.lists(st.tuples(st.integers(0, gold), st.integers(0, 4)), min_size=1, max_size=7))
    return [Counts(tp, fp, gold - tp) for tp, fp in hits]


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 1), (5, 3), (5, 5), (1024, 64)])
def test_chances_sum_to_one_and_the_last_ranks_have_none(n: int, k: int) -> None:
    found = chances(n, k)
    assert math.isclose(math.fsum(found), 1.0)
    assert len(found) == n
    assert not any(found[n - k + 1 :])


@pytest.mark.parametrize(("n", "k"), [(3, 0), (3, 4), (0, 1), (3, -1)])
def test_more_samples_than_there_are_can_not_be_drawn(n: int, k: int) -> None:
    with pytest.raises(ValueError, match="undefined"):
        chances(n, k)


@settings(deadline=None)
@given(texts(), st.booleans())
def test_the_closed_form_is_the_mean_over_all_subsets(samples: list[Counts], release: bool) -> None:
    for k in range(1, len(samples) + 1):
        assert near(expected_best(samples, k, release=release), by_enumeration(samples, k, release=release))


@settings(deadline=None)
@given(texts(), st.randoms())
def test_the_order_of_the_samples_says_nothing(samples: list[Counts], rng: random.Random) -> None:
    mixed = list(samples)
    rng.shuffle(mixed)
    for k in range(1, len(samples) + 1):
        assert expected_best(mixed, k) == expected_best(samples, k)


def test_at_one_it_is_the_mean_and_at_all_the_best() -> None:
    samples = [Counts(1, 0, 1), Counts(0, 3, 2), Counts(2, 1, 0)]
    assert near(expected_best(samples, 1), Counts(1, 4 / 3, 1))
    assert expected_best(samples, 3) == Counts(2, 1, 0)


def test_of_equal_f1_the_sample_with_fewer_inventions_is_best() -> None:
    assert expected_best([Counts(0, 5, 2), Counts(0, 1, 2)], 2) == Counts(0, 1, 2)


def test_of_equal_f1_the_release_keeps_the_sample_drawn_first() -> None:
    more, fewer = Counts(3, 3, 0), Counts(2, 1, 1)
    assert more.item_f1 == fewer.item_f1
    assert expected_best([more, fewer], 2, release=True) == more
    assert expected_best([fewer, more], 2, release=True) == fewer
    assert expected_best([more, fewer], 2) == expected_best([fewer, more], 2) == fewer


def test_an_empty_answer_to_an_empty_text_beats_an_invention() -> None:
    assert expected_best([Counts(0, 1, 0), Counts()], 2) == Counts()
    assert expected_best([Counts(0, 1, 0), Counts()], 1) == Counts(0, 0.5, 0)


def test_the_release_forgives_inventions_even_at_one() -> None:
    """Fault 10: all right on related texts, one invention on every other."""
    rows = [[Counts(2, 0, 0)], [Counts(0, 1, 0)], [Counts(0, 1, 0)]]
    assert best_at_k(rows, 1, release=True).f1 == 1.0
    assert best_at_k(rows, 1).f1 == 2 * 2 / (2 * 2 + 2)


def test_the_release_keeps_wrong_items_of_a_partly_right_sample() -> None:
    assert expected_best([Counts(1, 3, 1)], 1, release=True) == Counts(1, 3, 1)


def test_best_never_falls_with_k_and_the_release_is_never_below_ours() -> None:
    rng = random.Random(7)
    rows = []
    for _ in range(40):
        gold = rng.randint(0, 5)
        hits = [rng.randint(0, gold) for _ in range(8)]
        rows.append([Counts(tp, rng.randint(0, 3), gold - tp) for tp in hits])
    ours = [best_at_k(rows, k).f1 or 0.0 for k in range(1, 9)]
    release = [best_at_k(rows, k, release=True).f1 or 0.0 for k in range(1, 9)]
    assert ours == sorted(ours)
    assert all(r >= o for r, o in zip(release, ours, strict=True))
    assert ours[-1] > ours[0]


def test_avg_at_k_is_the_mean_micro_f1_of_single_samples() -> None:
    rows = [[Counts(1, 0, 0), Counts(0, 1, 1)], [Counts(1, 1, 1), Counts(2, 0, 0)]]
    singles = [total(column).f1 for column in zip(*rows, strict=True)]
    assert singles == [4 / 6, 4 / 6]
    assert avg_f1(rows) == pytest.approx(4 / 6)


def test_an_average_over_nothing_is_none() -> None:
    assert avg_f1([]) is None
    assert avg_f1([[Counts(), Counts()]]) is None


def test_texts_with_unequal_numbers_of_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        avg_f1([[Counts()], [Counts(), Counts()]])
