from __future__ import annotations

import random
import re
import time

import pytest

from bythebook.readers.near_duplicates import near_duplicate_groups


def by_comparing_all_pairs(texts: list[str], threshold: float, run: int) -> list[list[int]]:
    """The same groups from the definition: every pair, then components by repeated merging."""
    words = [re.findall(r"\w+", t.lower()) for t in texts]
    triples = [{tuple(w[i : i + 3]) for i in range(len(w) - 2)} or {tuple(w)} for w in words]
    runs = [{tuple(w[i : i + run]) for i in range(len(w) - run + 1)} for w in words]
    groups = [{i} for i in range(len(texts))]
    for i in range(len(texts)):
        for j in range(i):
            alike = len(triples[i] & triples[j]) / len(triples[i] | triples[j]) >= threshold
            if alike or runs[i] & runs[j]:
                both = [g for g in groups if i in g or j in g]
                groups = [g for g in groups if g not in both] + [set().union(*both)]
    return sorted(sorted(g) for g in groups)


def test_equal_up_to_case_and_punctuation_is_a_duplicate() -> None:
    assert near_duplicate_groups(["One two three four.", "Five", 'ONE "two" three, four']) == [[0, 2], [1]]


def test_eight_words_in_a_row_join_and_seven_do_not() -> None:
    run = "a b c d e f g h".split()
    texts = [" ".join([f"x{i}" for i in range(9)] + run), " ".join(run + [f"y{i}" for i in range(9)])]
    assert near_duplicate_groups(texts) == [[0, 1]]
    assert near_duplicate_groups([t.replace(" h", "") for t in texts]) == [[0], [1]]


def test_groups_are_transitive() -> None:
    left, right = "a b c d e f g h", "i j k l m n o p"
    assert near_duplicate_groups([left, right, f"{left} {right}"], threshold=0.9) == [[0, 1, 2]]


def test_short_and_empty_texts() -> None:
    assert near_duplicate_groups(["one two", "One, two!", "two", "", "..."]) == [[0, 1], [2], [3, 4]]
    assert near_duplicate_groups([]) == []


@pytest.mark.parametrize("seed", range(8))
def test_no_pair_is_missed(seed: int) -> None:
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(80):
        words = [rng.choice("abcdefgh") for _ in range(rng.randint(0, 12))]
        if texts and rng.random() < 0.5:
            words = texts[rng.randrange(len(texts))].split()
            for _ in range(rng.randint(0, 3)):
                words.insert(rng.randint(0, len(words)), rng.choice("abcdefgh"))
        texts.append(" ".join(words))
    for threshold in (0.1, 0.3, 0.5, 0.9, 1.0):
        for run in (5, 8, 30):
            expected = by_comparing_all_pairs(texts, threshold, run)
            assert near_duplicate_groups(texts, threshold=threshold, run=run) == expected


def test_the_order_of_the_texts_does_not_matter() -> None:
    rng = random.Random(3)
    texts = [" ".join(rng.choice("abcd") for _ in range(rng.randint(3, 7))) for _ in range(60)]
    order = list(range(60))
    rng.shuffle(order)
    moved = near_duplicate_groups([texts[i] for i in order])
    assert sorted(sorted(order[i] for i in g) for g in moved) == near_duplicate_groups(texts)


def test_ten_thousand_texts_take_seconds() -> None:
    rng = random.Random(5)
    texts = [" ".join(f"w{int(rng.random() ** 3 * 20000)}" for _ in range(20)) for _ in range(10_000)]
    start = time.perf_counter()
    assert len(near_duplicate_groups(texts)) > 9_000
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(("threshold", "run"), [(0.0, 8), (1.1, 8), (0.5, 0)])
def test_settings_out_of_range_are_refused(threshold: float, run: int) -> None:
    with pytest.raises(ValueError, match="threshold must be"):
        near_duplicate_groups(["a"], threshold=threshold, run=run)
