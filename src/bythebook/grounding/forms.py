"""A text in another form, with the way back: every character of the form knows where in the text it comes from.

The forms, each coarser than the one before:

exact     the text as it is
case      lower case
space     lower case, without white space
unicode   Unicode's compatibility decomposition (NFKD, UAX #15), case folded, without white space and characters
          without width; every dash is a hyphen, every single quote an apostrophe, every double quote two of them
"""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal

__all__ = ["FORMS", "Form", "FormName"]

FormName = Literal["exact", "case", "space", "unicode"]
FORMS: tuple[FormName, ...] = ("exact", "case", "space", "unicode")

_SINGLE = "`´‘’‚‛ʹʻʼʽˈ′‵＇"
_DOUBLE = '"“”„‟«»″‶〝〞＂'
_WITHOUT_WIDTH = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_FOLDED = dict.fromkeys(_SINGLE, "'") | dict.fromkeys(_DOUBLE, "''") | dict.fromkeys(_WITHOUT_WIDTH, "")
_FOLDED |= {"\u2212": "-", "\u2044": "/", "\u2215": "/"}


class Form:
    """A text in one form. Making it and looking something up take time linear in the text."""

    def __init__(self, text: str, name: FormName) -> None:
        self.name = name
        self._starts: array[int] | None = None
        self._ends: array[int] | None = None
        if name == "exact":
            self.text = text
        elif name == "case" and text.isascii():
            self.text = text.lower()
        else:
            self.text, self._starts, self._ends = _folded(text, name)

    def places(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Where `wanted`, a text of the same form, occurs: [start, end) in the original text, from left to right. No
        occurrence begins or ends within what was one character with its marks."""
        if not wanted:
            return
        at = self.text.find(wanted)
        while at >= 0:
            place = self._place(at, at + len(wanted))
            if place is not None:
                yield place
            at = self.text.find(wanted, at + 1)

    def _place(self, start: int, end: int) -> tuple[int, int] | None:
        starts, ends = self._starts, self._ends
        if starts is None or ends is None:
            return start, end
        if start and starts[start - 1] == starts[start]:
            return None
        if end < len(starts) and starts[end] == starts[end - 1]:
            return None
        return starts[start], ends[end - 1]


def _folded(text: str, name: FormName) -> tuple[str, array[int], array[int]]:
    fold = _FOLDS[name]
    pieces: list[str] = []
    starts, ends = array("l"), array("l")
    for start, end in _units(text) if name == "unicode" else _characters(text):
        piece = fold(text[start:end])
        pieces.append(piece)
        for _ in piece:
            starts.append(start)
            ends.append(end)
    return "".join(pieces), starts, ends


def _characters(text: str) -> Iterator[tuple[int, int]]:
    return ((at, at + 1) for at in range(len(text)))


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Every character with the combining marks after it."""
    start = 0
    for at in range(1, len(text)):
        if text[at] < "\u0300" or not unicodedata.combining(text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


def _without_space(character: str) -> str:
    return "" if character.isspace() else character.lower()


@lru_cache(maxsize=16_384)
def _unified(unit: str) -> str:
    """One character and its marks in the form `unicode`."""
    if unit in _FOLDED:
        return _FOLDED[unit]
    if len(unit) > 64:  # thousands of marks on one character: sorting them is not worth it
        return unit
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", unit).casefold())
    return "".join(_plain(c) for c in folded if not c.isspace())


def _plain(character: str) -> str:
    if character in _FOLDED:
        return _FOLDED[character]
    if "\ufe00" <= character <= "\ufe0f":  # variation selectors: text or emoji presentation
        return ""
    return "-" if unicodedata.category(character) == "Pd" else character


_FOLDS: dict[FormName, Callable[[str], str]] = {
    "case": str.lower,
    "space": _without_space,
    "unicode": _unified,
}
