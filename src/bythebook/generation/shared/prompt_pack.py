"""Prompts → a pack of what has to be computed of them, given the prefixes that are kept; and what decoding needs of it.

Model-free: it says where tokens stand, `prefill` computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bythebook.generation.shared.kept import KeptPrefix, KeptPrefixes
from bythebook.generation.shared.layout import trunks_of
from bythebook.prefix import Node, PrefixPlan, plan_prefixes

__all__ = ["Outer", "PromptPack", "Shared", "pack_prompts"]

Ids = NDArray[np.int64]

_CHANCE = 32
"""Tokens that a prompt may happen to have in common with a kept one. Our choice."""


class Outer(NamedTuple):
    """A kept prefix above a stretch of the pack."""

    start: int
    """First token of the pack that attends to it."""
    end: int
    """One past the last."""
    prefix: KeptPrefix
    length: int
    """So many of its tokens are the prompts'."""


class Shared(NamedTuple):
    """Tokens that stand before the tails of some prompts: a trunk of the pack, or a kept prefix."""

    first: int
    """The first prompt, in the order of the pack."""
    last: int
    """One past the last prompt."""
    level: int
    """How many others stand before it."""
    outer: Outer | None
    node: Node | None
    """Where it stands in the pack, if it is no kept prefix."""


@dataclass(frozen=True, eq=False)
class PromptPack:
    """J distinct prompts, in the order of the pack."""

    plan: PrefixPlan
    """Of what is not kept: sequences and positions begin where kept prefixes end."""
    order: tuple[int, ...]
    """(J,): which of the given prompts each one is."""
    outers: tuple[Outer, ...]
    shared: tuple[Shared, ...]
    """What several prompts have above their tails; of one level they don't overlap."""
    tails: tuple[Ids, ...]
    """(J,): where each prompt's own tokens stand in the pack."""
    last_tokens: Ids
    """(J,): where each prompt's last token stands in the pack."""


def pack_prompts(prompts: Sequence[Ids], kept: KeptPrefixes | None = None) -> PromptPack:
    """The pack of distinct prompts. What is kept of them is used as far as it goes, but for a prompt's last token,
    whose output is needed."""
    groups = _by_kept_prefix(prompts, kept)
    plans = [plan_prefixes([prompts[number][length:] for number in members]) for _, length, members in groups]
    plan = _joined(plans, [length for _, length, _ in groups])
    given = [number for _, _, members in groups for number in members]  # the sequences of the joined plan
    last = np.array([plan.nodes[end].end - 1 for end in plan.ends])
    order = np.argsort(last)
    trunk = trunks_of(plan.nodes)
    outers = _outers(plans, groups)
    tails = []
    for number in order:
        below = [plan.nodes[node] for node in plan.path(int(number)) if not trunk[node]]
        tails.append(np.concatenate([np.arange(0), *(np.arange(node.start, node.end) for node in below)]))
    return PromptPack(
        plan=plan,
        order=tuple(given[number] for number in order),
        outers=outers,
        shared=_shared(plan.nodes, trunk, outers, last[order]),
        tails=tuple(tails),
        last_tokens=last[order],
    )


Group = tuple[KeptPrefix | None, int, list[int]]
"""A kept prefix, how much of it stands before the prompts, and the prompts."""


def _by_kept_prefix(prompts: Sequence[Ids], kept: KeptPrefixes | None) -> list[Group]:
    if not kept:
        return [(None, 0, list(range(len(prompts))))]
    whole = plan_prefixes(prompts)
    trunk = trunks_of(whole.nodes)
    found: dict[tuple[int, int], Group] = {}
    for number, prompt in enumerate(prompts):
        prefix, length = kept.longest(prompt, len(prompt) - 1)
        above = [whole.nodes[node] for node in whole.path(number) if trunk[node]]
        depth = above[-1].depth + above[-1].end - above[-1].start if above else 0
        if depth < length < depth + _CHANCE and depth:
            # What chance adds to one prompt is not used: all below a trunk shall have the same kept prefix.
            prefix, length = kept.longest(prompt, depth)
        found.setdefault((id(prefix), length), (prefix, length, []))[2].append(number)
    for prefix, _, _ in found.values():
        if prefix is not None:
            kept.used(prefix)
    return list(found.values())


def _joined(plans: Sequence[PrefixPlan], depths: Sequence[int]) -> PrefixPlan:
    """One plan of several, whose sequences begin at these depths. Nothing is shared between them."""
    nodes: list[Node] = []
    ends: list[int] = []
    tokens = 0
    for plan, depth in zip(plans, depths, strict=True):
        first = len(nodes)
        for start, end, last, parent, own in plan.nodes:
            above = parent + first if parent >= 0 else -1
            nodes.append(Node(start + tokens, end + tokens, last + tokens, above, own + depth))
        ends += [end + first for end in plan.ends]
        tokens += len(plan.token_ids)
    return PrefixPlan(
        token_ids=np.concatenate([plan.token_ids for plan in plans]),
        positions=np.concatenate([plan.positions + depth for plan, depth in zip(plans, depths, strict=True)]),
        nodes=tuple(nodes),
        ends=tuple(ends),
        lengths=tuple(length for plan in plans for length in plan.lengths),
    )


def _outers(plans: Sequence[PrefixPlan], groups: Sequence[Group]) -> tuple[Outer, ...]:
    found, start = [], 0
    for plan, (prefix, length, _) in zip(plans, groups, strict=True):
        end = start + len(plan.token_ids)
        if prefix is not None:
            found.append(Outer(start, end, prefix, length))
        start = end
    return tuple(found)


def _shared(nodes: Sequence[Node], trunk: Sequence[bool], outers: Sequence[Outer], last: Ids) -> tuple[Shared, ...]:
    """`last` (J,) is ascending: the prompts below a stretch of the pack stand together."""

    def below(start: int, end: int) -> tuple[int, int]:
        first, past = np.searchsorted(last, [start, end])
        return int(first), int(past)

    found = [Shared(*below(outer.start, outer.end), 0, outer, None) for outer in outers]
    level: dict[int, int] = {-1: 0}
    for number, node in enumerate(nodes):
        if trunk[number]:
            kept = any(outer.start <= node.start < outer.end for outer in outers)
            own = level[node.parent] if node.parent >= 0 else int(kept)
            level[number] = own + 1
            found.append(Shared(*below(node.start, node.subtree_end), own, None, node))
    return tuple(found)
