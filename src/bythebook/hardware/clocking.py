"""Which input is the clock of a design and which are its resets, with their polarity and synchrony: read from the
`always @(posedge …)` blocks, and guessed by name where these say nothing.

CodeV-R1 (arXiv 2505.24183) takes these from Yosys, by code that is not released.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from bythebook.hardware.design import Design, closing
from bythebook.hardware.directives import Refusal
from bythebook.hardware.interface import Interface
from bythebook.hardware.tokens import Token, number_value
from bythebook.types import Noun

__all__ = ["Clocking", "Reset", "read_clocking"]

_CLOCK = re.compile(r"(?:^|_)(?:clk|clock|ck)(?:_?in?)?(?:_|\d*$)", re.IGNORECASE)
_RESET = re.compile(r"rst|reset|clr|clear", re.IGNORECASE)
_LOW = re.compile(r"(?:_n|_ni|_b|_l|n)$|^n_?(?:rst|reset|clr|clear)", re.IGNORECASE)
_BLOCKS = ("always", "always_ff", "always_comb", "always_latch", "initial", "assign", "endmodule")
_EDGES = ("posedge", "negedge")


class Reset(Noun):
    """An input that puts a design into a known state while it has the value `active`."""

    name: str
    active: Literal[0, 1]
    asynchronous: bool


class Clocking(Noun):
    """The clock, None for a design that has none, and the resets."""

    clock: str | None = None
    resets: tuple[Reset, ...] = ()


class _Block(NamedTuple):
    """A block that waits for edges: (name, posedge or negedge) of each, and what it does."""

    edges: tuple[tuple[str, str], ...]
    body: Sequence[Token]


def read_clocking(design: Design, interface: Interface) -> Clocking | Refusal:
    """Clock and resets of the top module; a Refusal (`several_clocks`) where edges of more than one clock count.

    In a block of several edges the clock is the one that the block does not read. Synchronous resets are inputs of one
    bit that are called like one; their polarity is that of the first condition on them.
    """
    bits = {p.name for p in interface.inputs if p.width == 1}
    clocks: dict[str, None] = {}
    resets: dict[str, Reset] = {}
    edged = False
    for module in design.modules:
        for block in _blocks(module.tokens):
            edged = True
            if module is not design.top:
                continue
            clock, others = _split(block)
            if clock in bits:
                clocks[clock] = None
            for name, edge in others:
                if name in bits:
                    resets[name] = Reset(name=name, active=1 if edge == "posedge" else 0, asynchronous=True)
    for name in resets:
        clocks.pop(name, None)
    if edged and not clocks:
        clocks = dict.fromkeys(sorted(name for name in bits if _CLOCK.search(name)))
    if len(clocks) > 1:
        return Refusal(code="several_clocks", message=f"several clocks: {', '.join(clocks)}")
    clock_name = next(iter(clocks), None)
    if clock_name is not None:
        deep = len(design.modules) > 1
        for port in interface.inputs:
            if port.width == 1 and port.name not in resets and port.name != clock_name and _RESET.search(port.name):
                active = _polarity(port.name, design)
                resets[port.name] = Reset(
                    name=port.name, active=active, asynchronous=deep and _is_edge(port.name, design)
                )
    return Clocking(clock=clock_name, resets=tuple(resets[p.name] for p in interface.inputs if p.name in resets))


def _blocks(tokens: Sequence[Token]) -> Iterator[_Block]:
    """The blocks of a module that wait for edges alone."""
    at = 0
    while at + 2 < len(tokens):
        at += 1
        if tokens[at - 1].text not in ("always", "always_ff") or tokens[at].text != "@" or tokens[at + 1].text != "(":
            continue
        end = closing(tokens, at + 1)
        if end is None:
            return
        stop = next((i for i in range(end + 1, len(tokens)) if tokens[i].text in _BLOCKS), len(tokens))
        edges = _edges([t.text for t in tokens[at + 2 : end]])
        if edges:
            yield _Block(edges, tokens[end + 1 : stop])
        at = stop


def _edges(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`posedge a or negedge b` as pairs (name, edge); empty where something has no edge."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in (",", "or"):
            parts.append([])
        else:
            parts[-1].append(word)
    if not all(len(part) == 2 and part[0] in _EDGES for part in parts):
        return ()
    return tuple((part[1], part[0]) for part in parts)


def _split(block: _Block) -> tuple[str, list[tuple[str, str]]]:
    """The clock of a block, and its other edges: the asynchronous resets."""
    read = {t.text for t in block.body}
    names = [name for name, _ in block.edges]
    unread = [name for name in names if name not in read]
    called = [name for name in unread or names if _CLOCK.search(name)]
    clock = (called or unread or names)[0]
    return clock, [(name, edge) for name, edge in block.edges if name != clock]


def _polarity(name: str, design: Design) -> Literal[0, 1]:
    """By the first `if (rst)`, `if (!rst)`, `if (rst == 0)`; by the name where there is none."""
    for module in design.modules:
        tokens = module.tokens
        for at, token in enumerate(tokens):
            if token.text != name or at < 2:
                continue
            before = [t.text for t in tokens[max(0, at - 3) : at]]
            if before[-1] == "(" and before[-2] == "if":
                return _compared(tokens[at + 1 : at + 4])
            if before[-1] in ("!", "~") and before[-2:-1] == ["("]:
                return 0
    return 0 if _LOW.search(name) else 1


def _compared(after: Sequence[Token]) -> Literal[0, 1]:
    """What a condition that begins with the reset waits for."""
    if len(after) < 2 or after[0].text not in ("==", "===", "!=", "!=="):
        return 1
    value = number_value(after[2].text if len(after) > 2 and after[2].kind == "based" else after[1].text)
    return 1 if bool(value) == (after[0].text in ("==", "===")) else 0


def _is_edge(name: str, design: Design) -> bool:
    """Whether a module below the top waits for an edge of a signal of that name."""
    return any((name, edge) in block.edges for m in design.modules for block in _blocks(m.tokens) for edge in _EDGES)
