"""A split that keeps the shares of every label and never tears a group apart.

Iterative stratification (K. Sechidis, G. Tsoumakas, I. Vlahavas, ECML PKDD 2011, algorithm 1) over groups instead of
single items: the rarest label first, each of its groups to the part that lacks that label most.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ["stratified_split"]


def stratified_split(
    labels: Sequence[Mapping[str, int]], groups: Sequence[Sequence[int]], shares: Mapping[str, float], seed: int
) -> dict[str, list[int]]:
    """Indices of items by part, sorted; `labels[i]` counts the labels of item i, `groups` cover every item once.

    `shares` are fractions that add up to 1, by part. What two parts lack equally goes to the one that lacks more items,
    then by the seed. ValueError if the groups don't cover the items, or the shares don't add up.
    """
    if sorted(i for group in groups for i in group) != list(range(len(labels))):
        raise ValueError("the groups don't hold every item once")
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) < 0:
        raise ValueError(f"shares are not negative and add up to 1, got {dict(shares)}")
    rng = random.Random(seed)
    counts = [Counter[str]() for _ in groups]
    for count, group in zip(counts, groups, strict=True):
        for i in group:
            count.update(labels[i])
    total = Counter[str]()
    for count in counts:
        total.update(count)
    lack = {part: {label: share * n for label, n in total.items()} for part, share in shares.items()}
    room = {part: share * len(labels) for part, share in shares.items()}
    waiting = list(range(len(groups)))
    rng.shuffle(waiting)
    parts: dict[str, list[int]] = {part: [] for part in shares}

    def place(g: int, label: str | None) -> None:
        draw = {part: rng.random() for part in shares}
        part = max(shares, key=lambda p: (lack[p][label] if label else 0.0, room[p], draw[p]))
        parts[part] += groups[g]
        room[part] -= len(groups[g])
        for name, n in counts[g].items():
            lack[part][name] -= n

    while waiting:
        left = Counter[str]()
        for g in waiting:
            left.update(counts[g])
        if not +left:
            break
        rarest = min(+left, key=lambda name: (left[name], name))
        having = sorted((g for g in waiting if counts[g][rarest]), key=lambda g: -counts[g][rarest])
        for g in having:
            place(g, rarest)
        waiting = [g for g in waiting if not counts[g][rarest]]
    for g in waiting:
        place(g, None)
    return {part: sorted(items) for part, items in parts.items()}
