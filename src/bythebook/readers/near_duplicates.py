"""Which texts are near duplicates of each other: groups that a split must not tear apart.

Two texts are near duplicates if their sets of word triples have a Jaccard similarity of at least `threshold`, or if
they share `run` consecutive words. Groups are the connected components of that relation. Candidates come from an
inverted index over the rarest triples of each text (prefix filtering: S. Chaudhuri et al., ICDE 2006; R. Bayardo et
al., WWW 2007), which finds every such pair without comparing all; who is grouped with whom depends on the texts alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

__all__ = ["near_duplicate_groups"]

_WORD = re.compile(r"\w+")
_TRIPLE = 3

Shingle = tuple[str, ...]


def near_duplicate_groups(texts: Sequence[str], *, threshold: float = 0.5, run: int = 8) -> list[list[int]]:
    """Indices of `texts` in groups, each sorted, groups in the order of their first index; most have one text.

    Case and punctuation don't count. Texts of fewer than three words are alike if they have the same words. `threshold`
    in (0, 1], `run` ≥ 1 in words; ValueError outside.
    """
    if not 0 < threshold <= 1 or run < 1:
        raise ValueError(f"threshold must be in (0, 1] and run at least 1, got {threshold} and {run}")
    words = [_WORD.findall(text.lower()) for text in texts]
    parent = list(range(len(texts)))
    _join_shared_runs(parent, words, run)
    _join_similar(parent, [_triples(w) for w in words], threshold)
    groups: dict[int, list[int]] = defaultdict(list)
    for i in range(len(texts)):
        groups[_root(parent, i)].append(i)
    return sorted(groups.values())


def _triples(words: Sequence[str]) -> frozenset[Shingle]:
    if len(words) < _TRIPLE:
        return frozenset([tuple(words)])
    return frozenset(_runs(words, _TRIPLE))


def _runs(words: Sequence[str], length: int) -> Iterable[Shingle]:
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _join(parent: list[int], i: int, j: int) -> None:
    a, b = _root(parent, i), _root(parent, j)
    # The smaller index stays root, so that groups don't depend on the order of joining.
    parent[max(a, b)] = min(a, b)


def _join_shared_runs(parent: list[int], words: list[list[str]], length: int) -> None:
    first: dict[Shingle, int] = {}
    for i, text in enumerate(words):
        for shingle in _runs(text, length):
            _join(parent, i, first.setdefault(shingle, i))


def _join_similar(parent: list[int], sets: list[frozenset[Shingle]], threshold: float) -> None:
    frequency = Counter(shingle for s in sets for shingle in s)
    index: dict[Shingle, list[int]] = defaultdict(list)
    for i, triples in enumerate(sets):
        rarest = sorted(triples, key=lambda t: (frequency[t], t))
        # A pair as similar as that has a triple in common among the rarest |s| - ceil(threshold·|s|) + 1 of each.
        prefix = rarest[: len(rarest) - math.ceil(threshold * len(rarest) - 1e-9) + 1]
        for j in sorted({j for t in prefix for j in index[t]}):
            if _root(parent, i) != _root(parent, j) and _jaccard(triples, sets[j]) >= threshold:
                _join(parent, i, j)
        for t in prefix:
            index[t].append(i)


def _jaccard(a: frozenset[Shingle], b: frozenset[Shingle]) -> float:
    both = len(a & b)
    return both / (len(a) + len(b) - both)
