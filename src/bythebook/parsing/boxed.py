r"""The final answer of a solution that puts it into `\boxed{…}`."""

from __future__ import annotations

import re

__all__ = ["last_boxed"]

_BRACE = re.compile(r"\\boxed\s{0,4}\{|\\[{}]|[{}]")


def last_boxed(text: str) -> str | None:
    r"""What stands in the last `\boxed{…}` whose braces match, stripped; None if there is none. Of nested ones the
    outer one is the last, since it ends last. Total, in linear time."""
    opened: list[int] = []
    found: tuple[int, int] | None = None
    for brace in _BRACE.finditer(text):
        if brace[0].startswith("\\boxed"):
            opened.append(brace.end())
        elif brace[0] == "{":
            opened.append(-1)
        elif brace[0] == "}" and opened:
            start = opened.pop()
            found = (start, brace.start()) if start >= 0 else found
    return None if found is None else text[found[0] : found[1]].strip()
