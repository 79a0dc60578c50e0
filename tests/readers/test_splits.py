from __future__ import annotations

import random
from collections import Counter

import pytest

from bythebook.readers.splits import stratified_split

SHARES = {"train": 0.7, "dev": 0.15, "test": 0.15}


def singles(n: int) -> list[list[int]]:
    return [[i] for i in range(n)]


def test_every_item_once_and_two_runs_are_equal() -> None:
    labels = [{"abcdefg"[i % 7]: 1} for i in range(100)]
    first = stratified_split(labels, singles(100), SHARES, 3)
    assert sorted(i for part in first.values() for i in part) == list(range(100))
    assert first == stratified_split(labels, singles(100), SHARES, 3)
    assert first != stratified_split(labels, singles(100), SHARES, 4)


@pytest.mark.parametrize("seed", range(10))
def test_every_label_keeps_its_share_to_within_one(seed: int) -> None:
    rng = random.Random(seed)
    names = [f"label {i}" for i in range(12)]
    labels = [{rng.choices(names, weights=range(1, 13))[0]: 1} for _ in range(600)]
    parts = stratified_split(labels, singles(600), SHARES, seed)
    total = Counter(name for row in labels for name in row)
    for part, share in SHARES.items():
        found = Counter(name for i in parts[part] for name in labels[i])
        for name, n in total.items():
            assert abs(found[name] - share * n) <= 1 + 1e-9, (part, name)


def test_groups_stay_whole_and_sizes_near_their_shares() -> None:
    rng = random.Random(0)
    items = list(range(300))
    rng.shuffle(items)
    groups, at = [], 0
    while at < len(items):
        size = min(rng.choice((1, 1, 1, 2, 5, 9)), len(items) - at)
        groups.append(sorted(items[at : at + size]))
        at += size
    labels = [{rng.choice("abc"): rng.randint(1, 3)} for _ in items]
    parts = stratified_split(labels, groups, SHARES, 0)
    where = {i: name for name, part in parts.items() for i in part}
    assert all(len({where[i] for i in group}) == 1 for group in groups)
    assert all(abs(len(part) - SHARES[name] * 300) < 20 for name, part in parts.items())


def test_a_label_that_stands_twice_is_learnt_before_it_is_tested() -> None:
    labels = [{"rare": 1}, {"rare": 1}] + [{"common": 1}] * 38
    parts = stratified_split(labels, singles(40), SHARES, 0)
    assert {0, 1} <= set(parts["train"])


def test_items_without_labels_are_spread_by_size() -> None:
    parts = stratified_split([{}] * 100, singles(100), SHARES, 0)
    assert {name: len(part) for name, part in parts.items()} == {"train": 70, "dev": 15, "test": 15}


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="every item once"):
        stratified_split([{}, {}], [[0]], SHARES, 0)
    with pytest.raises(ValueError, match="every item once"):
        stratified_split([{}], [[0], [0]], SHARES, 0)
    with pytest.raises(ValueError, match="add up to 1"):
        stratified_split([{}], [[0]], {"train": 0.5}, 0)
