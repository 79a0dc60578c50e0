"""Verilog as tokens. Total: whatever the text, there are tokens, in linear time; what is none has the kind `bad`.

White space, comments and attributes `(* … *)` are left out. What a simulator is given is written from these tokens
alone (`design.written`), so that no comment, odd character or directive can mean one thing here and another there.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

__all__ = ["Kind", "Token", "number_value", "tokens_of"]

Kind = Literal["name", "system", "number", "based", "string", "operator", "directive", "bad"]
"""`system`: a name that begins with `$`; `number`: decimal digits, with point and exponent where it is real; `based`:
`'hff` without the size before it; `bad`: a character or an unfinished piece that no legal source has."""


class Token(NamedTuple):
    """A piece of source, with the line, from 1, on which it begins."""

    kind: Kind
    text: str
    line: int


_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_ATTRIBUTE = re.compile(r"\(\*(?!\s*\))")
_OPERATORS = (
    "<<<= >>>= === !== ==? !=? <<< >>> <<= >>= <-> |-> |=> && || == != <= >= << >> ** ~& ~| ~^ ^~ -> ++ -- += -= *= "
    "/= %= &= |= ^= +: -: :: .* '{ ## @@"
)
_BASED = (
    r"'[sS]?(?:[bB][ \t]{0,9}[01xXzZ?_]+|[oO][ \t]{0,9}[0-7xXzZ?_]+|[dD][ \t]{0,9}[0-9xXzZ?_]+"
    r"|[hH][ \t]{0,9}[0-9a-fA-FxXzZ?_]+)|'[01xXzZ](?![A-Za-z0-9_$])"
)
_PIECES: tuple[tuple[Kind, str], ...] = (
    ("name", r"[A-Za-z_][A-Za-z0-9_$]*"),
    ("system", r"\$[A-Za-z_$][A-Za-z0-9_$]*"),
    ("based", _BASED),
    ("number", r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?"),
    ("string", r'"(?:[ !#-\[\]-~]|\\[ -~])*"'),
    ("directive", r"`[A-Za-z_][A-Za-z0-9_]*"),
    ("operator", "|".join(map(re.escape, _OPERATORS.split())) + r"|[-+*/%&|^~!<>=?:;,.(){}\[\]@#']"),
)
_PIECE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PIECES))
_KINDS: dict[str, Kind] = {kind: kind for kind, _ in _PIECES}
_RADIX = {"b": 2, "o": 8, "d": 10, "h": 16}
_LONGEST_NUMBER = 4096


def tokens_of(text: str) -> list[Token]:
    """The tokens of a source. A comment or an attribute that never ends is one `bad` token up to the end."""
    found: list[Token] = []
    at, line = 0, 1
    while at < len(text):
        end = _skipped(text, at)
        if end is None:
            found.append(Token("bad", text[at : at + 2], line))
            break
        if end == at:
            match = _PIECE.match(text, at)
            kind: Kind = "bad" if match is None or match.lastgroup is None else _KINDS[match.lastgroup]
            end = at + 1 if match is None else match.end()
            found.append(Token(kind, text[at:end], line))
        line += text.count("\n", at, end)
        at = end
    return found


def _skipped(text: str, at: int) -> int | None:
    """Where the white space, comment or attribute that stands here ends, `at` if there is none; None if it never
    ends."""
    space = _SPACE.match(text, at)
    if space is not None:
        return space.end()
    if text.startswith("//", at):
        end = text.find("\n", at)
        return len(text) if end < 0 else end
    closing = "*/" if text.startswith("/*", at) else "*)" if _ATTRIBUTE.match(text, at) else ""
    if not closing:
        return at
    end = text.find(closing, at + 2)
    return None if end < 0 else end + 2


def number_value(text: str) -> int | None:
    """The value of a `number` or `based` token; None for a real one, for one with x, z or ?, and beyond 4096 digits."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if not text.startswith("'"):
        digits = text.replace("_", "")
        return int(digits) if digits.isdecimal() else None
    body = text[1:].lower().lstrip("s")
    if body in ("0", "1"):
        return int(body)
    digits, radix = body[1:].strip().replace("_", ""), _RADIX.get(body[:1])
    if radix is None or not digits or any(c in "xz?" for c in digits):
        return None
    return int(digits, radix)
