"""Where a mention occurs in the source, in the finest form in which it does."""

from __future__ import annotations

import unicodedata
from itertools import islice
from typing import NamedTuple

from bythebook.grounding.forms import FORMS, Form, FormName
from bythebook.types import Alignment

__all__ = ["JOINED", "WITHIN_WORD", "Mention", "Occurrence", "Occurrences"]

JOINED, WITHIN_WORD = 1, 2
_JOINERS = frozenset("-‐‑–/'’_.")
# Scripts that are written without spaces: Thai to Tibetan, Myanmar, Khmer, and from the CJK radicals on.
_NO_SPACES = (("\u0e00", "\u0fff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u2e80", "\U0003ffff"))


class Occurrence(NamedTuple):
    """[start, end) in the source."""

    start: int
    end: int
    cut: int
    """0: words begin and end here; JOINED: at a hyphen or the like; WITHIN_WORD: a longer word is cut."""


class Mention(NamedTuple):
    """Where a text occurs; nowhere if it is ungrounded."""

    alignment: Alignment
    places: tuple[Occurrence, ...]


class Occurrences:
    """Looks texts up in one source; every text once, and every form of the source is made when first needed."""

    def __init__(self, source: str, limit: int) -> None:
        """`limit`: how many occurrences of a text are taken, the first ones."""
        self.source = source
        self._limit = limit
        self._forms: dict[FormName, Form] = {}
        self._found: dict[str, Mention] = {}

    def of(self, text: str) -> Mention:
        """The occurrences of `text`, whole words if there are any: a coarser form with whole words is better than a
        finer one that cuts them."""
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = self._look(text)
        return found

    def _look(self, text: str) -> Mention:
        fallback = Mention("ungrounded", ())
        if not text.strip():
            return fallback
        for name in FORMS:
            form = self._forms.get(name)
            if form is None:
                form = self._forms[name] = Form(self.source, name)
            wanted = Form(text, name).text
            whole, cut = self._sorted_out(form, wanted)
            if whole:
                return Mention(name, whole)
            if cut and not fallback.places:
                fallback = Mention(name, cut)
        return fallback

    def _sorted_out(self, form: Form, wanted: str) -> tuple[tuple[Occurrence, ...], tuple[Occurrence, ...]]:
        """(whole words, those that cut a word). Those that cut a character from its marks are none."""
        whole: list[Occurrence] = []
        cut: list[Occurrence] = []
        for start, end in islice(form.places(wanted), 4 * self._limit):
            if end < len(self.source) and _continues(self.source[end]):
                continue
            kind = max(self._edge(start), self._edge(end))
            (cut if kind == WITHIN_WORD else whole).append(Occurrence(start, end, kind))
            if len(whole) == self._limit:
                break
        return tuple(whole), tuple(cut[: self._limit])

    def _edge(self, at: int) -> int:
        """How the source is cut before position `at`."""
        if not 0 < at < len(self.source):
            return 0
        left, right = self.source[at - 1], self.source[at]
        if left.isalnum() and right.isalnum():
            return 0 if _without_spaces(left) or _without_spaces(right) else WITHIN_WORD
        inner = (left in _JOINERS and right.isalnum()) or (right in _JOINERS and left.isalnum())
        return JOINED if inner and self._joins(at) else 0

    def _joins(self, at: int) -> bool:
        """Whether the joiner beside `at` has letters or digits on both sides."""
        joiner = at if self.source[at] in _JOINERS else at - 1
        return 0 < joiner < len(self.source) - 1 and (
            self.source[joiner - 1].isalnum() and self.source[joiner + 1].isalnum()
        )


def _continues(character: str) -> bool:
    """Whether it belongs to the character before it: a combining mark, a joiner, a variation selector."""
    if character < "\u0300":
        return False
    return character in "\u200d\ufe0f\ufe0e" or unicodedata.combining(character) > 0


def _without_spaces(character: str) -> bool:
    return any(low <= character <= high for low, high in _NO_SPACES)
