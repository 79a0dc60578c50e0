r"""The final answer of a solution that puts it into `\boxed{…}`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

__all__ = ["boxed_spans", "last_boxed"]

_BRACE = re.compile(r"\\boxed\s{0,4}\{|\\[{}]|[{}]")


def boxed_spans(text: str) -> Iterator[tuple[int, int]]:
    r"""(start, end) of what stands in each `\boxed{…}` whose braces match, by where they end: of nested ones the outer
    one comes later. Total, in linear time."""
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0].startswith("\\boxed"):
            opened.append(brace.end())
        elif brace[0] == "{":
            opened.append(-1)
        elif brace[0] == "}" and opened:
            start = opened.pop()
            if start >= 0:
                yield start, brace.start()


def last_boxed(text: str) -> str | None:
    r"""What stands in the last `\boxed{…}`, stripped; None if there is none."""
    last = deque(boxed_spans(text), maxlen=1)
    return text[slice(*last[0])].strip() if last else None
