"""ROUGE-L (C.-Y. Lin, 2004): how much of two texts is one common subsequence of words."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

__all__ = ["longest_common_subsequence", "rouge_l"]


def longest_common_subsequence(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Its length. Bit-parallel (H. Hyyrö, 2004): |b| steps on integers of |a| bits."""
    places: dict[Hashable, int] = {}
    for place, item in enumerate(a):
        places[item] = places.get(item, 0) | 1 << place
    full = (1 << len(a)) - 1
    row = full
    for item in b:
        matched = row & places.get(item, 0)
        row = ((row + matched) | (row - matched)) & full
    return len(a) - row.bit_count()


def rouge_l(a: Sequence[Hashable], b: Sequence[Hashable]) -> float | None:
    """2PR / (P + R) with P = LCS / |a| and R = LCS / |b|, that is 2 · LCS / (|a| + |b|); None where both are empty."""
    both = len(a) + len(b)
    return 2 * longest_common_subsequence(a, b) / both if both else None
