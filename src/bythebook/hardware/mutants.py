"""Mutants of a design: one small change each, of which most break it. How many a verifier rejects is its measure.

operator   another operator: `+` for `-`, `&` for `|`, `==` for `!=`, `<` for `<=`, or an inversion left out
edge       the other edge of the clock
reset      the other edge or polarity of a reset, or its edge left out of the list
width      an internal vector, or a part of a vector, one bit narrower
constant   a number one off
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from bythebook.hardware.clocking import Clocking
from bythebook.hardware.design import Design, Module, closing, written
from bythebook.hardware.tokens import Token, number_value
from bythebook.types import Noun

__all__ = ["Mutant", "Operator", "mutants"]

Operator = Literal["operator", "edge", "reset", "width", "constant"]
_BINARY: dict[str, tuple[str, ...]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("+",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("|", "&"),
    "~^": ("^",),
    "==": ("!=",),
    "!=": ("==",),
    "<": ("<=", ">"),
    ">": (">=", "<"),
    ">=": (">",),
    "<=": ("<",),
    "&&": ("||",),
    "||": ("&&",),
    "<<": (">>",),
    ">>": ("<<",),
}
_UNARY: dict[str, tuple[str, ...]] = {
    "~": ("",),
    "!": ("",),
    "&": ("|",),
    "|": ("&",),
    "^": ("|",),
    "~&": ("&",),
    "~|": ("|",),
}
_EDGES = {"posedge": "negedge", "negedge": "posedge"}
_OPERANDS = ("name", "number", "based", "string")
_KEYWORDS = frozenset("if else case casez casex begin end assign return or and posedge negedge default".split())


class Mutant(Noun):
    """A design with one change."""

    operator: Operator
    line: int
    """In the source of the original, from 1."""
    change: str
    """In words: `+ → -`."""
    source: str


def mutants(design: Design, clocking: Clocking) -> list[Mutant]:
    """All mutants of a design, in the order of its tokens. Headers, and so interfaces, stay as they are; nobody says
    that every mutant behaves otherwise (`proof`)."""
    found = []
    for place, module in enumerate(design.modules):
        for operator, at, length, new in _changes(module, clocking):
            tokens = (*module.tokens[:at], *new, *module.tokens[at + length :])
            modules = [*design.modules]
            modules[place] = Module(module.name, tokens)
            before = " ".join(t.text for t in module.tokens[at : at + length])
            change = f"{before} → {' '.join(t.text for t in new) or 'nothing'}"
            found.append(Mutant(operator=operator, line=module.tokens[at].line, change=change, source=written(modules)))
    return found


_Change = tuple[Operator, int, int, tuple[Token, ...]]
"""What is changed: kind, first token, number of tokens, what stands there instead."""


def _changes(module: Module, clocking: Clocking) -> Iterator[_Change]:
    tokens = module.tokens
    resets = {r.name for r in clocking.resets}
    start = next((i for i, t in enumerate(tokens) if t.text == ";"), len(tokens))
    ranges = _ranges(tokens)
    depth = 0
    for at in range(start, len(tokens)):
        token = tokens[at]
        depth += (token.text == "(") - (token.text == ")")
        if at in ranges:
            if token.text == "[":
                yield from _narrower(tokens, at)
            continue
        if token.text in _EDGES and at + 1 < len(tokens):
            yield from _edge(tokens, at, resets)
        elif token.kind == "operator":
            yield from _operator(tokens, at, depth, resets)
        elif token.kind in ("number", "based"):
            yield from _constant(tokens, at)
        elif token.text == "if" and at + 3 < len(tokens):
            yield from _reset_condition(tokens, at, resets)


def _ranges(tokens: Sequence[Token]) -> set[int]:
    """The places inside brackets that hold a range, of a declaration or a part of a vector."""
    found: set[int] = set()
    for at, token in enumerate(tokens):
        if token.text == "[" and at not in found:
            end = closing(tokens, at)
            if end is not None and any(t.text == ":" for t in tokens[at:end]):
                found.update(range(at, end))
    return found


def _narrower(tokens: Sequence[Token], at: int) -> Iterator[_Change]:
    """`[7:0]` as `[6:0]`: a declaration, or a part of a vector."""
    ends = [number_value(tokens[at + i].text) if tokens[at + i].kind == "number" else None for i in (1, 3)]
    if tokens[at + 2].text == ":" and None not in ends and (ends[0] or 0) > (ends[1] or 0):
        yield "width", at + 1, 1, (tokens[at + 1]._replace(text=str((ends[0] or 0) - 1)),)


def _edge(tokens: Sequence[Token], at: int, resets: set[str]) -> Iterator[_Change]:
    other = tokens[at]._replace(text=_EDGES[tokens[at].text])
    is_reset = tokens[at + 1].text in resets
    yield "reset" if is_reset else "edge", at, 1, (other,)
    if is_reset and tokens[at - 1].text in ("or", ","):
        yield "reset", at - 1, 3, ()


def _reset_condition(tokens: Sequence[Token], at: int, resets: set[str]) -> Iterator[_Change]:
    """`if (rst` as `if (!rst`, `if (!rst` as `if (rst`."""
    if tokens[at + 2].text in resets and tokens[at + 3].text == ")":
        yield "reset", at + 2, 1, (tokens[at + 2]._replace(kind="operator", text="!"), tokens[at + 2])
    elif tokens[at + 2].text in ("!", "~") and tokens[at + 3].text in resets:
        yield "reset", at + 2, 1, ()


def _operator(tokens: Sequence[Token], at: int, depth: int, resets: set[str]) -> Iterator[_Change]:
    token, before = tokens[at], tokens[at - 1]
    operand = before.text in (")", "]", "}") or (before.kind in _OPERANDS and before.text not in _KEYWORDS)
    others = (_BINARY if operand else _UNARY).get(token.text, ())
    assigns = token.text == "<=" and depth == 0
    of_reset = tokens[at - 2].text == "if" and at + 1 < len(tokens) and tokens[at + 1].text in resets
    if assigns or of_reset:
        return
    for new in others:
        yield "operator", at, 1, (token._replace(text=new),) if new else ()


def _constant(tokens: Sequence[Token], at: int) -> Iterator[_Change]:
    """A number one off; sizes, replications, and digits that are unknown stay."""
    token = tokens[at]
    follows = tokens[at + 1] if at + 1 < len(tokens) else None
    value = number_value(token.text)
    if value is None or (follows and (follows.kind == "based" or follows.text == "{")):
        return
    if token.kind == "number":
        yield "constant", at, 1, (token._replace(text=str(value + 1)),)
    elif len(token.text) > 2:
        yield "constant", at, 1, (token._replace(text=token.text[:-1] + _one_off(token.text[-1])),)


def _one_off(digit: str) -> str:
    return "1" if digit == "0" else "0" if digit == "1" else f"{int(digit, 16) - 1:x}"
