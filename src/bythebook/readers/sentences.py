"""The sentence around two mentions: enough to judge a relation that its annotators kept within one sentence.

No sentence splitter: a boundary is looked for before the first mention and after the last one only, so that whatever
stands between them is always kept. A boundary missed makes the context longer, never shorter than the pair.
"""

from __future__ import annotations

import re

from bythebook.types import Span

__all__ = ["sentence_around"]

_BOUNDARY = re.compile(r"[.!?][\"')\]]?\s+(?=[\"'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|al|Fig|Eq|Sec|No|Dr|Mr|Mrs|Prof|St|approx)|\b[A-Z])\.\s+$")
_LONGEST_ABBREVIATION = 10


def sentence_around(text: str, start: int, end: int) -> Span:
    """The span of the sentence that holds `[start, end)`, without white space around. Linear in the text."""
    left, right = 0, len(text)
    for found in _BOUNDARY.finditer(text):
        if _ABBREVIATION.search(text, max(0, found.end() - _LONGEST_ABBREVIATION), found.end()):
            continue
        if found.end() <= start:
            left = found.end()
        elif found.start() >= end - 1:  # a mention may end with the full stop
            right = found.end()
            break
    while right > end and text[right - 1].isspace():
        right -= 1
    while left < start and text[left].isspace():
        left += 1
    return Span(start=left, end=right)
