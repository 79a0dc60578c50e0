"""Values as text, and back: literals only, in one canonical form, bounded in size.

Equal values of equal types have equal texts: items of a set and keys of a dict are sorted, and -0.0 is 0.0. `1`, `1.0`
and `True` differ. What is no plain value (a function, a generator, a subclass) has no text.
"""

from __future__ import annotations

import ast
from typing import Any

from bythebook.sandbox.inside.check import Refused, parsed

__all__ = ["NoText", "Value", "arguments", "canonical", "literal"]

Value = Any
"""None, bool, int, float, str, bytes, and list, tuple, set, frozenset, dict of these."""
_DEEPEST = 60
_LONGEST_INT = 13_000
"""Bits: about the 4,000 decimal digits that the interpreter writes."""
_PLAIN = (bool, int, float, str, bytes, type(None))


class NoText(Exception):
    """The value has no canonical text: `not_literal` or `too_large`."""


def canonical(value: Value, limit: int) -> str:
    """The text of a value, of at most `limit` characters. NoText."""
    return _Writer(limit).text(value, 0)


class _Writer:
    """Writes one value; what it may still write shrinks with every part, so shared parts can't multiply its work."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def text(self, value: Value, depth: int) -> str:
        if depth > _DEEPEST:
            raise NoText("too_large")
        # By identity of the type: a subclass could answer for itself.
        kind = type(value)
        if kind in (list, tuple, set, frozenset, dict):
            return self._container(value, kind, depth)
        if kind not in _PLAIN:
            raise NoText("not_literal")
        return self._atom(value, kind)

    def _spend(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise NoText("too_large")

    def _atom(self, value: Value, kind: type) -> str:
        if kind is int and value.bit_length() > _LONGEST_INT:
            raise NoText("too_large")
        if kind in (str, bytes) and len(value) > self.left:
            raise NoText("too_large")
        if kind is float:
            if value - value != 0.0:  # infinite, or not a number
                raise NoText("not_literal")
            value = value or 0.0
        text = repr(value)
        self._spend(len(text))
        return text

    def _container(self, value: Value, kind: type, depth: int) -> str:
        self._spend(2 + 2 * len(value))
        if kind is dict:
            pairs = sorted((self.text(k, depth + 1), self.text(v, depth + 1)) for k, v in value.items())
            return "{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}"
        parts = [self.text(part, depth + 1) for part in value]
        if kind is list:
            return "[" + ", ".join(parts) + "]"
        if kind is tuple:
            return "(" + ", ".join(parts) + (",)" if len(parts) == 1 else ")")
        inside = "{" + ", ".join(sorted(parts)) + "}"
        if kind is set:
            return inside if parts else "set()"
        return f"frozenset({inside})" if parts else "frozenset()"


def literal(text: str) -> Value:
    """The value that a text denotes. Refused where it is anything but one literal."""
    values = arguments(text)
    if len(values) != 1 or text.rstrip().endswith(","):
        raise Refused("not one literal")
    return values[0]


def arguments(text: str) -> tuple[Value, ...]:
    """The arguments that a text denotes, as they would stand between the parentheses of a call: `1, [2]`. Nothing is
    evaluated. Refused for anything but literals."""
    body = parsed(f"f(\n{text}\n)").body
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    # One call of the name `f`, without keywords: the text has not closed the parenthesis itself.
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
        raise Refused("not literals")
    try:
        return tuple(_value(node) for node in call.args)
    except (TypeError, ValueError, RecursionError, OverflowError):
        raise Refused("not literals") from None


def _value(node: ast.expr) -> Value:
    """TypeError for a key or an item of a set that has no hash."""
    match node:
        case ast.Constant(value=value) if type(value) in _PLAIN:
            return value
        case ast.List(elts=parts):
            return [_value(p) for p in parts]
        case ast.Tuple(elts=parts):
            return tuple(_value(p) for p in parts)
        case ast.Set(elts=parts):
            return {_value(p) for p in parts}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(k): _value(v) for k, v in zip(keys, values, strict=True) if k is not None}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
            if not isinstance(number, bool):
                return -number if isinstance(sign, ast.USub) else number
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=[], keywords=[]):
            return frozenset()
        case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=parts)], keywords=[]):
            return frozenset(_value(p) for p in parts)
    raise Refused("not literals")
