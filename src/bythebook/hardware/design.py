"""A Verilog source cut into modules, and what is refused before a simulator sees it.

Nothing is let through by which a module could speak or look around: system tasks (the verdict is read from what is
printed), directives that read files, hierarchical tricks (`force`, `bind`, …) and delays, which would move a module out
of the time frame of the test bench. `<= #1` in an assignment, a habit without meaning in hardware, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bythebook.hardware.directives import Refusal, without_directives
from bythebook.hardware.tokens import Token, tokens_of

__all__ = ["LONGEST", "Design", "Module", "closing", "read_design", "under_name", "written"]

LONGEST = 200_000
"""Characters of a source."""
_FUNCTIONS = frozenset({"$signed", "$unsigned", "$clog2", "$bits"})
_PRINTING = frozenset(
    "$display $displayb $displayh $write $strobe $monitor $info $warning $error $dumpfile $dumpvars $timeformat".split()
)
_FORBIDDEN = frozenset(
    "force release bind program package import export config primitive class interface clocking covergroup property "
    "sequence assert assume cover restrict final fork wait forever specify checker event".split()
)
_PAIRS = {"(": ")", "[": "]", "{": "}", "'{": "}"}
_CLOSERS = frozenset(_PAIRS.values())


class Module(NamedTuple):
    """From `module` to `endmodule`."""

    name: str
    tokens: tuple[Token, ...]


class Design(NamedTuple):
    """A source that may be simulated."""

    modules: tuple[Module, ...]
    top: Module


def read_design(text: str, top: str | None = None, *, silenced: bool = False) -> Design | Refusal:
    """The modules of a source, or why it is refused. Total, in linear time.

    `top` names the module that is meant; without it, it is the first that no other uses. `silenced` leaves out calls of
    tasks that only print, where these stand in a reference; a candidate that has one is refused. Codes of refusals:
    `too_long`, `character`, `directive`, `macro`, `system_task`, `delay`, `statement`, `outside_module`, `module` (one
    that is not closed, or stands twice), `no_module`, `no_such_module`.
    """
    if len(text) > LONGEST:
        return Refusal(code="too_long", message=f"more than {LONGEST} characters")
    tokens = tokens_of(text)
    bad = next((t for t in tokens if t.kind == "bad"), None)
    if bad is not None:
        return Refusal(code="character", message=f"{bad.text!r} is no Verilog", line=bad.line)
    plain = without_directives(tokens)
    if isinstance(plain, Refusal):
        return plain
    plain = _without_habits(plain, silenced)
    return _refused(plain) or _modules(plain, top)


def closing(tokens: Sequence[Token], at: int) -> int | None:
    """The place of the bracket that closes the one at `at`; None where there is none."""
    due: list[str] = []
    for place in range(at, len(tokens)):
        text = tokens[place].text
        if text in _PAIRS:
            due.append(_PAIRS[text])
        elif text in _CLOSERS:
            if not due or due.pop() != text:
                return None
            if not due:
                return place
    return None


def _without_habits(tokens: list[Token], silenced: bool) -> list[Token]:
    """Without `#1` behind an assignment; and, where asked, without statements that print."""
    out: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        follows = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.text == "#" and out and out[-1].text in ("<=", "=") and follows and follows.kind == "number":
            at += 2
            continue
        if silenced and token.text in _PRINTING and follows is not None:
            end = closing(tokens, at + 1) if follows.text == "(" else at
            silenced = end is not None  # a bracket that never closes is looked for once
            if end is not None:
                at = end + 1
                continue
        out.append(token)
        at += 1
    return out


def _refused(tokens: Sequence[Token]) -> Refusal | None:
    """What no source may have."""
    before: Token | None = None
    for place, token in enumerate(tokens):
        if token.kind == "system" and token.text not in _FUNCTIONS:
            return Refusal(code="system_task", message=f"{token.text} is not allowed", line=token.line)
        if token.kind == "name" and token.text in _FORBIDDEN:
            return Refusal(code="statement", message=f"{token.text!r} is not supported", line=token.line)
        if token.text == "#":
            follows = tokens[place + 1].text if place + 1 < len(tokens) else ""
            if before is None or before.kind != "name" or before.text in _STATEMENTS or follows != "(":
                return Refusal(code="delay", message="delays are not supported", line=token.line)
        before = token
    return None


_STATEMENTS = frozenset(
    "always begin else end initial assign wire and or not nand nor xor xnor buf bufif0 bufif1 notif0 notif1 "
    "always_comb always_ff always_latch default generate endgenerate".split()
)
"""Behind these words `#` is a delay; behind another name it begins parameters."""


def _modules(tokens: Sequence[Token], top: str | None) -> Design | Refusal:
    modules: dict[str, Module] = {}
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.text == ";":
            at += 1
            continue
        if token.text not in ("module", "macromodule"):
            return Refusal(
                code="outside_module", message=f"{token.text!r} stands outside of all modules", line=token.line
            )
        end = next((i for i in range(at + 1, len(tokens)) if tokens[i].text in ("endmodule", "module")), None)
        if end is None or tokens[end].text == "module":
            return Refusal(code="module", message="a module is never closed", line=token.line)
        skip = 2 if tokens[at + 1].text in ("automatic", "static") else 1
        name = tokens[at + skip]
        if name.kind != "name" or name.text in modules or name.text == "endmodule":
            return Refusal(code="module", message=f"{name.text!r} can't be the name of a module", line=name.line)
        modules[name.text] = Module(name.text, tuple(tokens[at : end + 1]))
        at = end + 1
        if at + 1 < len(tokens) and tokens[at].text == ":":
            at += 2
    return _chosen(modules, top)


def _chosen(modules: Mapping[str, Module], top: str | None) -> Design | Refusal:
    """The design with its top module."""
    if not modules:
        return Refusal(code="no_module", message="there is no module")
    if top is not None:
        if top not in modules:
            return Refusal(code="no_such_module", message=f"there is no module {top!r}")
        return Design(tuple(modules.values()), modules[top])
    used = {t.text for m in modules.values() for t in m.tokens if t.text != m.name and t.text in modules}
    names = [name for name in modules if name not in used] or list(modules)
    return Design(tuple(modules.values()), modules[names[0]])


def written(modules: Iterable[Module], prefix: str = "") -> str:
    """The source of modules, on the lines of the original as far as they go, with `prefix` before the names of all of
    them. Tokens are parted by white space, so that none can run into the next."""
    found = list(modules)
    own = {module.name for module in found}
    out: list[str] = []
    line = 1
    for module in found:
        for token in module.tokens:
            if token.line > line:
                out.append("\n" * (token.line - line))
                line = token.line
            out.append(_renamed(token, own, prefix) + " ")
        out.append("\n")
        line += 1
    return "".join(out)


def under_name(text: str, name: str) -> str:
    """A source with its top module called `name`, as a benchmark asks for it; unchanged where it is refused or another
    module has that name."""
    design = read_design(text, silenced=True)
    if isinstance(design, Refusal) or any(m.name == name for m in design.modules):
        return text
    old = design.top.name
    modules = [
        Module(m.name, tuple(t._replace(text=name) if (t.kind, t.text) == ("name", old) else t for t in m.tokens))
        for m in design.modules
    ]
    return written(modules)


def _renamed(token: Token, own: set[str], prefix: str) -> str:
    """The text of a token, prefixed where it is the name of one of the design's own modules."""
    return prefix + token.text if token.kind == "name" and token.text in own else token.text
