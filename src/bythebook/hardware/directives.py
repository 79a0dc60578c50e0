"""Compiler directives carried out on tokens: plain macros and conditions; what only sets up a simulator is dropped.

What reads files (`include`), macros with arguments and everything else that is not named here is refused. Work and
output are bounded, so that macros of macros can't explode.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bythebook.hardware.tokens import Token
from bythebook.types import Noun

__all__ = ["MOST_TOKENS", "Refusal", "without_directives"]

MOST_TOKENS = 200_000
_DROPPED = frozenset({"timescale", "default_nettype", "resetall", "celldefine", "endcelldefine"})
_DEEPEST = 16


class Refusal(Noun):
    """Why a source is not taken to a simulator."""

    code: str
    message: str
    line: int | None = None
    """From 1."""


@dataclass
class _State:
    out: list[Token] = field(default_factory=list)
    macros: dict[str, list[Token]] = field(default_factory=dict)
    conditions: list[tuple[bool, bool]] = field(default_factory=list)
    """Of each open condition: whether its lines count, and whether those around it do."""
    work: int = 0
    """Steps of expansion so far: empty macros write nothing and explode all the same."""

    @property
    def active(self) -> bool:
        return all(here for here, _ in self.conditions)


def without_directives(tokens: Sequence[Token]) -> list[Token] | Refusal:
    """The tokens with all directives carried out; a Refusal (`directive`) for one that is not supported, (`macro`) for
    an unknown one or an explosion."""
    state, at = _State(), 0
    while at < len(tokens):
        token = tokens[at]
        end = at + 1
        if token.kind == "directive":
            name = token.text[1:]
            rest = _line_from(tokens, end) if name in _DROPPED | {"define", "undef"} else end
            refused = _directive(name, token, tokens[end:rest], tokens[end : end + 1], state)
            if refused is not None:
                return refused
            end = end + 1 if name in ("ifdef", "ifndef") else rest
        elif state.active:
            state.out.append(token)
        if len(state.out) > MOST_TOKENS:
            return Refusal(code="too_long", message=f"more than {MOST_TOKENS} tokens", line=token.line)
        at = end
    if state.conditions:
        return Refusal(code="directive", message="a condition is never closed")
    return state.out


def _line_from(tokens: Sequence[Token], at: int) -> int:
    """Where the line of the token before `at` ends."""
    line = tokens[at - 1].line
    while at < len(tokens) and tokens[at].line == line:
        at += 1
    return at


def _directive(name: str, token: Token, rest: Sequence[Token], first: Sequence[Token], state: _State) -> Refusal | None:
    """Carry out one directive, `rest` being its line and `first` the token after it."""
    refused = Refusal(code="directive", message=f"`{name} is not supported", line=token.line)
    if name in ("ifdef", "ifndef"):
        if not first or first[0].kind != "name":
            return refused
        state.conditions.append(((first[0].text in state.macros) == (name == "ifdef"), state.active))
    elif name in ("else", "endif"):
        if not state.conditions:
            return refused
        here, around = state.conditions.pop()
        if name == "else":
            state.conditions.append((not here, around))
    elif name == "elsif":
        return refused
    elif not state.active or name in _DROPPED:
        return None
    elif name in ("define", "undef"):
        if not rest or rest[0].kind != "name":
            return refused
        if name == "undef":
            state.macros.pop(rest[0].text, None)
        else:
            state.macros[rest[0].text] = list(rest[1:])
    elif name in state.macros:
        return _expand(name, token, state)
    else:
        return Refusal(code="directive" if name == "include" else "macro", message=refused.message, line=token.line)
    return None


def _expand(name: str, token: Token, state: _State) -> Refusal | None:
    """Write out a macro, and the macros in it."""
    waiting: list[tuple[str, int, int]] = [(name, 0, 0)]
    while waiting:
        macro, at, depth = waiting.pop()
        body = state.macros[macro]
        while at < len(body):
            inner = body[at]
            at += 1
            state.work += 1
            if inner.kind == "directive":
                if inner.text[1:] not in state.macros or depth >= _DEEPEST:
                    return Refusal(code="macro", message=f"{inner.text} can't be expanded", line=token.line)
                waiting += [(macro, at, depth), (inner.text[1:], 0, depth + 1)]
                break
            state.out.append(inner._replace(line=token.line))
        state.work += 1
        if state.work > MOST_TOKENS:
            return Refusal(code="macro", message=f"{token.text} explodes", line=token.line)
    return None
