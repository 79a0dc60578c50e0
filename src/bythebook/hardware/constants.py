"""Constant expressions of Verilog: widths and parameters. Total: what can't be worked out is None."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bythebook.hardware.tokens import Token, number_value

__all__ = ["constant"]

_LARGEST = 1 << 64
_DEEPEST = 40
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^", "~^", "^~"),
    ("&",),
    ("==", "!=", "===", "!=="),
    ("<", "<=", ">", ">="),
    ("<<", ">>", "<<<", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
    ("**",),
)
"""Binary operators from the loosest to the tightest: IEEE 1800-2017, table 11-2."""
_BINDS = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}


class _UnknownError(Exception):
    """The expression has no value that is known."""


def _divided(a: int, b: int) -> int:
    return -(-a // b) if (a < 0) != (b < 0) else a // b


_BINARY: dict[str, Callable[[int, int], int]] = {
    "||": lambda a, b: int(bool(a) or bool(b)),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "===": lambda a, b: int(a == b),
    "!==": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    "<=": lambda a, b: int(a <= b),
    ">": lambda a, b: int(a > b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
    "<<<": lambda a, b: a << b,
    ">>>": lambda a, b: a >> b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divided,
    "%": lambda a, b: a - b * _divided(a, b),
    "**": lambda a, b: a**b,
}
_SHIFTS = frozenset({"<<", "<<<", ">>", ">>>"})


def constant(tokens: Sequence[Token], names: Mapping[str, int]) -> int | None:
    """The value of an expression of integers, parameters of `names`, operators and `$clog2`; None for anything else,
    for values of 2^64 or more, and for nesting deeper than 40. Sizes of numbers don't cut values off."""
    reading = _Reading(tokens, names)
    try:
        value = reading.choice(0)
    except _UnknownError:
        return None
    return value if reading.at == len(tokens) else None


class _Reading:
    """One pass over the tokens of an expression."""

    def __init__(self, tokens: Sequence[Token], names: Mapping[str, int]) -> None:
        self.tokens, self.names, self.at = tokens, names, 0

    def next_is(self, text: str) -> bool:
        found = self.at < len(self.tokens) and self.tokens[self.at].text == text
        self.at += found
        return found

    def need(self, text: str) -> None:
        if not self.next_is(text):
            raise _UnknownError

    def choice(self, depth: int) -> int:
        if depth > _DEEPEST:
            raise _UnknownError
        condition = self.binary(0, depth)
        if not self.next_is("?"):
            return condition
        first = self.choice(depth + 1)
        self.need(":")
        second = self.choice(depth + 1)
        return first if condition else second

    def binary(self, loosest: int, depth: int) -> int:
        left = self.unary(depth)
        while self.at < len(self.tokens) and _BINDS.get(self.tokens[self.at].text, -1) >= loosest:
            operator = self.tokens[self.at].text
            self.at += 1
            left = _applied(operator, left, self.binary(_BINDS[operator] + 1, depth + 1))
        return left

    def unary(self, depth: int) -> int:
        if depth > _DEEPEST:
            raise _UnknownError
        if self.next_is("-"):
            return -self.unary(depth + 1)
        if self.next_is("+"):
            return self.unary(depth + 1)
        if self.next_is("!"):
            return int(not self.unary(depth + 1))
        return self.primary(depth)

    def primary(self, depth: int) -> int:
        if self.next_is("("):
            value = self.choice(depth + 1)
            self.need(")")
            return value
        if self.next_is("$clog2"):
            self.need("(")
            value = self.choice(depth + 1)
            self.need(")")
            return max(0, value - 1).bit_length()
        if self.at == len(self.tokens):
            raise _UnknownError
        token = self.tokens[self.at]
        self.at += 1
        found = self.names.get(token.text) if token.kind == "name" else None
        if token.kind in ("number", "based"):
            sized = token.kind == "number" and self.at < len(self.tokens) and self.tokens[self.at].kind == "based"
            found = number_value(self.tokens[self.at].text if sized else token.text)
            self.at += sized
        if found is None or abs(found) >= _LARGEST:
            raise _UnknownError
        return found


def _applied(operator: str, a: int, b: int) -> int:
    divides_by_zero = operator in ("/", "%") and b == 0
    too_far = (operator in _SHIFTS or operator == "**") and not 0 <= b <= 64
    if divides_by_zero or too_far or operator not in _BINARY:
        raise _UnknownError
    value = _BINARY[operator](a, b)
    if abs(value) >= _LARGEST:
        raise _UnknownError
    return value
