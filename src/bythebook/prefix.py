"""The prefix tree of a batch: token sequences → a packed plan in which every shared beginning stands once.

Sequences share what their *ids* have in common, whatever a template promises: a guideline is shared by all prompts
that show it, a prompt by all its completions, and completions that begin alike share their beginning too. The plan
knows no model; who computes with it is `generation.shared`.

    The guideline … Sentence: A  ->  x y          The guideline … Sentence:
    The guideline … Sentence: A  ->  x z    ⇒       ├─ A → x ─┬─ y
    The guideline … Sentence: B  ->  y              │         └─ z
                                                    └─ B → y
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Node", "PrefixPlan", "ScoredTokens", "common_prefix", "plan_prefixes"]

Ids = NDArray[np.int64]


class Node(NamedTuple):
    """A stretch of tokens between two branchings. Its descendants lie right behind it in the pack."""

    start: int
    """Its first token in the pack."""
    end: int
    """One past its last own token."""
    subtree_end: int
    """One past the last token of its descendants: the tokens from `end` to here attend to all of its own."""
    parent: int
    """Number of its parent; -1 for a root."""
    depth: int
    """Position of its first token in the sequences it belongs to."""


class ScoredTokens(NamedTuple):
    """Where the predictions of some tokens come from: M tokens out of K distinct positions."""

    sources: Ids
    """(K,): places in the pack whose outputs predict, ascending, each once."""
    source_of: Ids
    """(M,): which of them predicts a token."""
    targets: Ids
    """(M,): the tokens' ids."""


@dataclass(frozen=True, eq=False)
class PrefixPlan:
    """S sequences packed into N tokens, each distinct prefix once, in the order of a walk from the roots."""

    token_ids: Ids
    """(N,)"""
    positions: Ids
    """(N,): place of each token in its sequences, from 0."""
    nodes: tuple[Node, ...]
    """A parent before its children."""
    ends: tuple[int, ...]
    """For each sequence the node in which it ends, at that node's end."""
    lengths: tuple[int, ...]
    """Tokens of each sequence."""

    def path(self, sequence: int) -> list[int]:
        """Numbers of the nodes from the root to the end of a sequence."""
        found = [self.ends[sequence]]
        while (parent := self.nodes[found[-1]].parent) >= 0:
            found.append(parent)
        return found[::-1]

    def places(self, sequence: int) -> Ids:
        """(length,): where the tokens of a sequence stand in the pack."""
        nodes = [self.nodes[number] for number in self.path(sequence)]
        return np.concatenate([np.arange(node.start, node.end) for node in nodes])

    def sequences(self) -> Iterator[Ids]:
        """What was packed, in the order it was given."""
        for number in range(len(self.ends)):
            yield self.token_ids[self.places(number)]

    def scored(self, firsts: Sequence[int]) -> ScoredTokens:
        """The tokens of each sequence from position `firsts[i] >= 1` on, sequence after sequence, with the positions
        that predict them: a completion's first token is predicted by its prompt's last. ValueError for a first
        token, which nothing predicts."""
        if any(first < 1 for first in firsts):
            raise ValueError("nothing predicts the first token of a sequence")
        places = [self.places(number) for number in range(len(self.ends))]
        before = [p[first - 1 : -1] for p, first in zip(places, firsts, strict=True)]
        wanted = [self.token_ids[p[first:]] for p, first in zip(places, firsts, strict=True)]
        sources, source_of = np.unique(_joined(before), return_inverse=True)
        return ScoredTokens(sources, source_of.astype(np.int64), _joined(wanted))

    @property
    def tokens_given(self) -> int:
        """Tokens of all sequences; N of them are distinct."""
        return sum(self.lengths)


def plan_prefixes(sequences: Sequence[ArrayLike]) -> PrefixPlan:
    """Packs sequences of token ids. ValueError for none, for an empty one, or for ids that are no numbers from 0 to
    2³² - 1. Time is O(S log S) comparisons of sequences and O(N) besides."""
    if not len(sequences):
        raise ValueError("there is nothing to pack")
    given = [_ids(sequence) for sequence in sequences]
    # Big-endian bytes sort as the ids do, and equal beginnings come to lie together.
    keys = [ids.astype(">u4").tobytes() for ids in given]
    order = sorted(range(len(given)), key=keys.__getitem__)
    ids = [given[number] for number in order]
    common = [0, *map(common_prefix, ids, ids[1:])]
    # In a walk from the roots every sequence adds what its predecessor doesn't have.
    nodes, ends = _nodes(common, [len(each) for each in ids])
    end_of = dict(zip(order, ends, strict=True))
    return PrefixPlan(
        token_ids=_joined([each[c:] for each, c in zip(ids, common, strict=True)]),
        positions=_joined([np.arange(c, len(each)) for each, c in zip(ids, common, strict=True)]),
        nodes=nodes,
        ends=tuple(end_of[number] for number in range(len(given))),
        lengths=tuple(map(len, given)),
    )


def _nodes(common: Sequence[int], lengths: Sequence[int]) -> tuple[tuple[Node, ...], list[int]]:
    """(nodes, node in which each sequence ends) of sorted sequences, each with what it has in common with the one
    before it."""
    cuts, above = _branchings(common, lengths)
    nodes: list[Node] = []
    ending_at: dict[tuple[int, int], int] = {}  # (sequence, depth) → node of what it added that ends there
    ends: list[int] = []
    start = 0
    for number, (first, length) in enumerate(zip(common, lengths, strict=True)):
        parent = ending_at[above[number], first] if first else -1
        depths = sorted({first, *cuts[number], length})
        for depth, next_depth in itertools.pairwise(depths):
            nodes.append(Node(start, start + next_depth - depth, 0, parent, depth))
            start, parent = start + next_depth - depth, len(nodes) - 1
            ending_at[number, next_depth] = parent
        ends.append(parent)
    return _with_subtrees(nodes), ends


def _branchings(common: Sequence[int], lengths: Sequence[int]) -> tuple[list[set[int]], list[int]]:
    """For what each sequence added: the depths at which later ones branch off, and whose addition it hangs on."""
    cuts: list[set[int]] = [set() for _ in common]
    above = [-1] * len(common)
    path: list[int] = []  # whose additions lead to the end of the newest sequence
    for number, depth in enumerate(common):
        while path and common[path[-1]] >= depth:
            path.pop()
        if path:
            above[number] = path[-1]
            cuts[path[-1]].add(depth)
        if depth < lengths[number]:
            path.append(number)
    return cuts, above


def _with_subtrees(nodes: Sequence[Node]) -> tuple[Node, ...]:
    last = [node.end for node in nodes]
    for number in range(len(nodes) - 1, -1, -1):
        parent = nodes[number].parent
        if parent >= 0:
            last[parent] = max(last[parent], last[number])
    return tuple(node._replace(subtree_end=end) for node, end in zip(nodes, last, strict=True))


def _ids(sequence: ArrayLike) -> Ids:
    ids = np.asarray(sequence)
    if ids.ndim != 1 or not len(ids):
        raise ValueError("a sequence of token ids has at least one token")
    if ids.dtype.kind not in "iu" or ids.min() < 0 or ids.max() >= 2**32:
        raise ValueError("token ids are whole numbers from 0 to 2³² - 1")
    return ids.astype(np.int64)


def common_prefix(a: Ids, b: Ids) -> int:
    """Length of the longest common beginning."""
    length = min(len(a), len(b))
    different = a[:length] != b[:length]
    return int(different.argmax()) if different.any() else length


def _joined(parts: Sequence[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
