"""Which tokens of a pack attend to which, as a few dense blocks.

Trunks are nodes that several branches have above them: each is computed once, and everything below attends to it in one
unmasked block, without a copy of its keys. Branches are what hangs below the trunks: a padded row each, causal within
itself. A short node that is shared by few branches is no trunk: attention over it is repeated in each of its branches
(its tokens are not), which costs less than a block of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from bythebook.prefix import Node, PrefixPlan

__all__ = ["Branches", "Layout", "attention_layout", "trunks_of"]

_TRUNK = 16
"""Tokens from which a shared node is a trunk."""
_UNEVEN = 2
"""Branches in one padded block differ at most so much in length."""


class Branches(NamedTuple):
    """R branches of C tokens at most, as one padded block."""

    places: Tensor
    """(R, C): places in the pack, in order; any place behind the end of a branch."""
    owned: Tensor
    """(M,): places in the pack whose output comes from this block, each once over all blocks."""
    cells: Tensor
    """(M,): where it stands in the block, counted row by row."""
    idle: Tensor
    """(R, C): cells whose output is not used."""
    copies: Tensor
    """Of the idle cells those that hold a token of another row, not padding: what they see of it counts there."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The blocks of a pack of N tokens."""

    tokens: int
    """N"""
    trunks: tuple[Node, ...]
    branches: tuple[Branches, ...]


def trunks_of(nodes: Sequence[Node]) -> list[bool]:
    """Whether each node is a trunk. Everything above a trunk is one."""
    shared = [False] * len(nodes)
    trunk = [False] * len(nodes)
    for number in range(len(nodes) - 1, -1, -1):  # children before parents
        node = nodes[number]
        long = node.end - node.start >= _TRUNK
        trunk[number] = shared[number] and (long or trunk[number])
        if node.parent >= 0:
            shared[node.parent] = True
            trunk[node.parent] = trunk[node.parent] or trunk[number]
    return trunk


def attention_layout(plan: PrefixPlan, device: torch.device | str = "cpu") -> Layout:
    """The blocks of a plan, with their indices on `device`."""
    nodes, trunk = plan.nodes, trunks_of(plan.nodes)
    inner = {node.parent for number, node in enumerate(nodes) if not trunk[number]}
    leaves = [number for number in range(len(nodes)) if not trunk[number] and number not in inner]
    chains = [_chain(nodes, trunk, leaf) for leaf in leaves]
    owner: dict[int, int] = {}
    for row, chain in enumerate(chains):
        for number in chain:
            owner.setdefault(number, row)
    rows = [_Row(nodes, chain, [owner[number] == row for number in chain]) for row, chain in enumerate(chains)]
    rows.sort(key=lambda row: len(row.places))
    blocks = []
    while rows:
        size = next((i for i, row in enumerate(rows) if len(row.places) > _UNEVEN * len(rows[0].places)), len(rows))
        blocks.append(_block(rows[:size], device))
        rows = rows[size:]
    return Layout(
        tokens=len(plan.token_ids),
        trunks=tuple(node for number, node in enumerate(nodes) if trunk[number]),
        branches=tuple(blocks),
    )


def _chain(nodes: Sequence[Node], trunk: Sequence[bool], leaf: int) -> list[int]:
    """Nodes from below the last trunk to a leaf."""
    chain = []
    while leaf >= 0 and not trunk[leaf]:
        chain.append(leaf)
        leaf = nodes[leaf].parent
    return chain[::-1]


class _Row:
    """One branch: its places in the pack, and which of them it owns."""

    def __init__(self, nodes: Sequence[Node], chain: Sequence[int], owns: Sequence[bool]) -> None:
        stretches = [np.arange(nodes[number].start, nodes[number].end) for number in chain]
        self.places = np.concatenate(stretches)
        self.owned = np.concatenate([np.full(len(s), own) for s, own in zip(stretches, owns, strict=True)])


def _block(rows: Sequence[_Row], device: torch.device | str) -> Branches:
    width = max(len(row.places) for row in rows)
    places = np.zeros((len(rows), width), dtype=np.int64)
    owned, real = (np.zeros((len(rows), width), dtype=bool) for _ in range(2))
    for number, row in enumerate(rows):
        places[number] = row.places[0]  # behind the end: any place will do, nothing attends to it
        places[number, : len(row.places)] = row.places
        owned[number, : len(row.places)] = row.owned
        real[number, : len(row.places)] = True
    cells = owned.reshape(-1).nonzero()[0]
    copies = (real & ~owned).reshape(-1).nonzero()[0]
    fields = (places, places.reshape(-1)[cells], cells, ~owned, copies)
    return Branches(*(torch.from_numpy(field).to(device) for field in fields))
