"""Long texts → windows that fit into a prompt: whole sentences, with an overlap, so that what neighbouring sentences
say together stands together in one of them.

A window is cut where a sentence ends; a sentence that is longer than a window is cut at white space, and only a word
that is longer at a character. Nothing is cut within one of the spans that the caller names. Time is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from bythebook.errors import InputError
from bythebook.types import Span

__all__ = ["SMALLEST", "pieces", "windows"]

SMALLEST = 16
"""Characters of the smallest window that may be asked for."""

_END = re.compile(r"[.!?…][\"'”’»)\]]{0,3}\s+|[。！？][」』”’）]{0,3}\s*|\n\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|al|etc|Fig|Eq|Sec|No|Dr|Mr|Mrs|Ms|Prof|St|approx)|\b[A-Z])\.\s+\Z")
_LONGEST_ABBREVIATION = 12
_WORD_END = re.compile(r"\s+")


def windows(text: str, size: int, overlap: int = 0, whole: Iterable[Span] = ()) -> list[Span]:
    """The windows of a text from left to right, none inside another: `[0, len(text))` where it fits.

    `size` and `overlap` count characters; the overlap is made of whole sentences that together have at most so many,
    and shorter where the next sentence would not fit beside it. Every character but white space lies in a window. No
    window is longer than `size` unless spans of `whole` are. InputError unless `size` ≥ 16 and
    0 ≤ `overlap` ≤ `size` / 2.
    """
    if size < SMALLEST:
        raise InputError(f"a window of {size} characters", remedy=f"a window has {SMALLEST} characters at least")
    if not 0 <= overlap <= size // 2:
        message = f"an overlap of {overlap} characters between windows of {size}"
        raise InputError(message, remedy=f"choose an overlap from 0 to {size // 2}, half a window")
    if len(text) <= size:
        return [Span(start=0, end=len(text))]
    cuts = pieces(text, size, whole)
    found: list[Span] = []
    first = 0
    while first < len(cuts) - 1:
        last = first + 1
        while last < len(cuts) - 1 and cuts[last + 1] - cuts[first] <= size:
            last += 1
        _add(found, _trimmed(text, cuts[first], cuts[last]))
        if last == len(cuts) - 1:
            break
        first = _next(cuts, first, last, size, overlap)
    return found


def _next(cuts: Sequence[int], first: int, last: int, size: int, overlap: int) -> int:
    """Where the window after `cuts[first]`…`cuts[last]` begins: as far back as the overlap allows, but so that one more
    piece than before fits."""
    back = last
    while back - 1 > first and cuts[last] - cuts[back - 1] <= overlap and cuts[last + 1] - cuts[back - 1] <= size:
        back -= 1
    return back


def _trimmed(text: str, start: int, end: int) -> Span:
    """The window without white space around."""
    inside = text[start:end]
    left = start + len(inside) - len(inside.lstrip())
    return Span(start=left, end=max(left, start + len(inside.rstrip())))


def _add(found: list[Span], window: Span) -> None:
    """Where windows differ in white space alone, the last one that holds the other stays."""
    while found and found[-1].start == window.start and found[-1].end <= window.end:
        found.pop()
    if window.start < window.end and not (found and window.end <= found[-1].end):
        found.append(window)


def pieces(text: str, size: int, whole: Iterable[Span] = ()) -> list[int]:
    """Offsets where a text may be cut, 0 and its length included: where sentences end, and as often as needed within a
    sentence that is longer than `size`. None lies inside a span of `whole`."""
    forbidden = _Inside(whole)
    ends = [end for end in _sentence_ends(text) if end not in forbidden]
    cuts = [0]
    for end in [*ends, len(text)]:
        while end - cuts[-1] > size:
            cut = _cut_within(text, cuts[-1], size, end, forbidden)
            if cut >= end:
                break
            cuts.append(cut)
        if end > cuts[-1]:
            cuts.append(end)
    return cuts


def _sentence_ends(text: str) -> list[int]:
    """The offsets behind every sentence and the white space after it."""
    found = []
    for end in _END.finditer(text):
        at = end.end()
        goes_on = at < len(text) and text[at].islower()
        if not goes_on and not _ABBREVIATION.search(text, max(0, end.start() - _LONGEST_ABBREVIATION), at):
            found.append(at)
    return found


def _cut_within(text: str, start: int, size: int, end: int, forbidden: _Inside) -> int:
    """The last place to cut in `(start, start + size]`: behind white space, else anywhere; where spans leave none, the
    first one behind them, at most `end`."""
    limit = start + size
    places = [m.end() for m in _WORD_END.finditer(text, start, limit) if m.end() > start]
    for place in (*reversed(places), limit):
        if place not in forbidden:
            return place
    return min(end, forbidden.behind(limit))


class _Inside:
    """The offsets strictly inside some span."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for span in sorted(spans, key=lambda s: (s.start, s.end)):
            if self._ends and span.start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], span.end)
            else:
                self._starts.append(span.start)
                self._ends.append(span.end)

    def __contains__(self, at: int) -> bool:
        place = bisect_right(self._starts, at) - 1
        return place >= 0 and self._starts[place] < at < self._ends[place]

    def behind(self, at: int) -> int:
        """`at`, or the end of the spans that it lies inside of."""
        return self._ends[bisect_right(self._starts, at) - 1] if at in self else at
