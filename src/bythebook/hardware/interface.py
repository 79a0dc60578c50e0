"""The interface of a module: its name, ports with direction and width, parameters with their values.

Both styles of headers are read, with widths that are constant expressions of parameters. Total, in linear time: what
can't be read is a Refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from bythebook.hardware.constants import constant
from bythebook.hardware.design import Module, closing
from bythebook.hardware.directives import Refusal
from bythebook.hardware.tokens import Token
from bythebook.types import Noun

__all__ = ["WIDEST", "Direction", "Interface", "Port", "read_interface"]

Direction = Literal["input", "output"]
WIDEST = 4096
"""Bits of a port."""
_DIRECTIONS = ("input", "output", "inout", "ref")
_TYPES = {"wire": 1, "reg": 1, "logic": 1, "bit": 1, "tri": 1, "var": 1, "integer": 32, "int": 32, "byte": 8}
"""Width of a port of that type without a range."""
_SIGNS = ("signed", "unsigned")


class Port(Noun):
    """A port; `width` in bits."""

    name: str
    direction: Direction
    width: int
    signed: bool = False


class Interface(Noun):
    """How a module looks from outside."""

    name: str
    ports: tuple[Port, ...]
    parameters: dict[str, int] = Field(default_factory=dict)
    """Those whose value is known, by their defaults."""

    @property
    def inputs(self) -> tuple[Port, ...]:
        return tuple(p for p in self.ports if p.direction == "input")

    @property
    def outputs(self) -> tuple[Port, ...]:
        return tuple(p for p in self.ports if p.direction == "output")

    def difference(self, other: Interface) -> str:
        """What another interface has otherwise, in words; empty where names, directions and widths are the same. Order,
        sign and parameters don't count: a test bench connects by name."""
        mine, theirs = ({p.name: p for p in i.ports} for i in (self, other))
        if missing := [name for name in mine if name not in theirs]:
            return f"there is no port {missing[0]!r}"
        if extra := [name for name in theirs if name not in mine]:
            return f"the port {extra[0]!r} is not asked for"
        for name, port in mine.items():
            if (found := theirs[name]).direction != port.direction:
                return f"{name!r} is an {found.direction}, not an {port.direction}"
            if found.width != port.width:
                return f"{name!r} has {found.width} bits, not {port.width}"
        return ""


class _FaultError(Exception):
    """Something that is not supported, with its line."""


def read_interface(module: Module) -> Interface | Refusal:
    """The interface of a module; a Refusal (`interface`) where a port or its width can't be read, is an `inout`, an
    array, or of a type of the user's own."""
    try:
        return _read(module)
    except _FaultError as fault:
        return Refusal(code="interface", message=str(fault), line=module.tokens[0].line)


def _read(module: Module) -> Interface:
    tokens = module.tokens
    at = next(i for i, t in enumerate(tokens) if i and t.text == module.name) + 1
    parameters: dict[str, int] = {}
    if _text(tokens, at) == "#":
        end = _closed(tokens, at + 1)
        for item in _items(tokens[at + 2 : end]):
            _parameter(item, parameters)
        at = end + 1
    header: list[list[Token]] = []
    if _text(tokens, at) == "(":
        end = _closed(tokens, at)
        header = list(_items(tokens[at + 1 : end]))
        at = end + 1
    declared = not header or any(t.text in _DIRECTIONS for t in header[0])
    ports = _Ports(parameters)
    if declared:
        for item in header:
            ports.declare(item)
        for statement in _statements(tokens[at:]):
            if statement[0].text in ("parameter", "localparam"):
                _parameters(statement, parameters)
        return Interface(name=module.name, ports=tuple(ports.found.values()), parameters=parameters)
    for statement in _statements(tokens[at:]):
        if statement[0].text in ("parameter", "localparam"):
            _parameters(statement, parameters)
        elif statement[0].text in _DIRECTIONS:
            for item in _items(statement):
                ports.declare(item)
            ports.previous = None
    names = [item[0].text if len(item) == 1 else "" for item in header]
    if sorted(names) != sorted(ports.found):
        raise _FaultError("the ports of the header are not those that are declared")
    return Interface(name=module.name, ports=tuple(ports.found[n] for n in names), parameters=parameters)


class _Ports:
    """Ports in the order of their declarations."""

    def __init__(self, parameters: Mapping[str, int]) -> None:
        self.parameters = parameters
        self.found: dict[str, Port] = {}
        self.previous: Port | None = None

    def declare(self, item: Sequence[Token]) -> None:
        """`input wire signed [7:0] a`, or a bare name, which is as the port before it."""
        words = [t.text for t in item]
        direction = words[0] if words and words[0] in _DIRECTIONS else None
        at, width, signed, typed = int(direction is not None), 1, False, False
        while at < len(words) and (words[at] in _TYPES or words[at] in _SIGNS):
            width = _TYPES.get(words[at], width)
            signed = (signed or words[at] in ("signed", "integer", "int", "byte")) and words[at] != "unsigned"
            at, typed = at + 1, True
        while at < len(words) and words[at] == "[":
            end = _closed(item, at)
            width *= _range(item[at + 1 : end], self.parameters)
            at, typed = end + 1, True
        if at >= len(item) or item[at].kind != "name" or _text(item, at + 1) not in ("", "="):
            raise _FaultError(f"a port can't be read: {' '.join(words)[:80]}")
        if not direction and self.previous is None:
            raise _FaultError(f"the port {words[at]!r} has no direction")
        if not direction and self.previous is not None:
            direction = self.previous.direction
            if not typed:
                width, signed = self.previous.width, self.previous.signed
        if direction not in ("input", "output"):
            raise _FaultError(f"an {direction} port is not supported")
        if not 1 <= width <= WIDEST or item[at].text in self.found:
            raise _FaultError(f"the port {item[at].text!r} stands twice or has {width} bits")
        way: Direction = "input" if direction == "input" else "output"
        self.previous = Port(name=item[at].text, direction=way, width=width, signed=signed)
        self.found[self.previous.name] = self.previous


def _range(tokens: Sequence[Token], parameters: Mapping[str, int]) -> int:
    """Bits of a range `msb:lsb`."""
    parts = list(_items(tokens, ":"))
    ends = [constant(part, parameters) for part in parts]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        raise _FaultError(f"a width can't be worked out: [{' '.join(t.text for t in tokens)[:80]}]")
    return abs(ends[0] - ends[1]) + 1


def _parameters(statement: Sequence[Token], parameters: dict[str, int]) -> None:
    for item in _items(statement):
        _parameter(item, parameters)


def _parameter(item: Sequence[Token], parameters: dict[str, int]) -> None:
    """Note the value of `parameter [7:0] WIDTH = 8`, where it is known."""
    at = next((i for i, t in enumerate(item) if t.text == "="), 0)
    if at and item[at - 1].kind == "name":
        value = constant(item[at + 1 :], parameters)
        parameters.pop(item[at - 1].text, None)
        if value is not None:
            parameters[item[at - 1].text] = value


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if at < len(tokens) else ""


def _closed(tokens: Sequence[Token], at: int) -> int:
    end = closing(tokens, at)
    if end is None:
        raise _FaultError("a bracket of the header is never closed")
    return end


def _items(tokens: Sequence[Token], mark: str = ",") -> Iterator[list[Token]]:
    """What stands between the marks outside of all brackets; nothing where there is nothing."""
    item: list[Token] = []
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{", "'{")) - (token.text in (")", "]", "}"))
        if token.text == mark and depth == 0:
            yield item
            item = []
        else:
            item.append(token)
    if item:
        yield item


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Declarations of a body up to their semicolons, functions and tasks left out; other things in pieces."""
    statement: list[Token] = []
    inside = ""
    for token in tokens:
        if inside:
            inside = "" if token.text == inside else inside
        elif token.text in ("function", "task"):
            inside, statement = f"end{token.text}", []
        elif token.text == ";":
            if statement:
                yield statement
            statement = []
        elif token.text in ("begin", "end", "generate", "endgenerate"):
            statement = []
        else:
            statement.append(token)
