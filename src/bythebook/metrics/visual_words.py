"""The words that name what can be seen of a thing: colour, shape, size, cell of a grid, number, where it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bythebook.metrics.answer_text import normalised

__all__ = ["NOTHING", "Word", "sentences"]

NOTHING = "nothing"
"""The shape of an empty cell."""


class Word(NamedTuple):
    """A word or phrase as what it does in a description."""

    kind: str
    """What it names: `colour`, `shape`, `size`, `cell`, `number`, `relation`; `thing` (any of them); or what it does:
    `is`, `not`, `the`, `it`, `join`, `end`; `hedge` (what is said is not said for sure) and `ask` (nor at all); else
    `other`."""
    value: str = ""


def _named(kind: str, *names: str) -> dict[str, Word]:
    """Each name is a list of words for one value, the first of them is what it is called."""
    return {word: Word(kind, name.split()[0]) for name in names for word in name.split()}


_SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()
_WORDS: dict[str, Word] = {
    **_named("colour", "red scarlet crimson", "blue azure", "green", "yellow", "black", "white", "grey gray"),
    **_named("colour", "orange", "purple violet", "brown", "pink"),
    **_named("shape", "circle circles disc discs disk disks", "square squares", "triangle triangles", "star stars"),
    **_named("shape", "diamond diamonds", "hexagon hexagons", "cross crosses", "rectangle rectangles"),
    **_named("shape", f"{NOTHING} empty vacant"),
    **_named("size", "small little tiny", "medium", "large big huge"),
    **_named("relation", "above over", "below under beneath underneath"),
    **_named("thing", "thing things object objects item items shape shapes figure figures"),
    **_named("is", "is are was were has have contains holds shows equals"),
    **_named("not", "not no never isn aren neither nor without none"),
    **_named("the", "the its"),
    **_named("it", "it they"),
    **_named("join", "and or plus"),
    **_named("end", "but while whereas then"),
    **_named("hedge", "maybe perhaps possibly probably might could may if whether either suppose unless guess assume"),
    **_named("ask", "what which where how who why when does do can question"),
    **{word: Word("number", str(n)) for n, word in enumerate(_SMALL)},
}
_ASKS_FIRST = frozenset(("is", "are", "was", "were", "has", "have"))
"""At the beginning of a sentence these ask."""
_SIDES = frozenset(("left", "right"))
_TOKEN = re.compile(r"[^\W_]+|[.!?;:,]")
_CELL = re.compile(r"[a-i][1-9]")
_ENDS = frozenset(".!?;")
_LONGEST_NUMBER = 3


def sentences(text: str) -> list[list[Word]]:
    """The sentences of a text that say something, as words. Left out: questions, and what is only supposed or guessed.

    A line break ends a sentence, as a full stop does. `b2`, `row 2, column 2` and `column b, row 2` are one cell:
    the letter is the column, the digit the row. Total, in linear time.
    """
    out: list[list[Word]] = []
    for line in text.splitlines():
        tokens, start = _TOKEN.findall(normalised(line)), 0
        for end in range(len(tokens) + 1):
            if end < len(tokens) and tokens[end] not in _ENDS:
                continue
            if end == len(tokens) or tokens[end] != "?":
                out.append(_words(tokens[start:end]))
            start = end + 1
    return [sentence for sentence in out if sentence and _says(sentence)]


def _says(sentence: Sequence[Word]) -> bool:
    return sentence[0].kind != "ask" and not any(word.kind == "hedge" for word in sentence)


def _words(tokens: Sequence[str]) -> list[Word]:
    """The tokens of a sentence as words."""
    out: list[Word] = []
    at = 0
    while at < len(tokens):
        word, at = _word(tokens, at)
        if not out and word.kind == "is" and word.value and tokens[0] in _ASKS_FIRST:
            word = Word("ask")
        out.append(word)
    return out


def _word(tokens: Sequence[str], at: int) -> tuple[Word, int]:
    """The word that starts here, and where it ends."""
    token = tokens[at]
    cell, end = _cell_in_words(tokens, at)
    if cell:
        return Word("cell", cell), end
    if _CELL.fullmatch(token):
        return Word("cell", token), at + 1
    if token in _SIDES and tokens[at + 1 : at + 2] == ["of"]:
        return Word("relation", token), at + 2
    if token.isascii() and token.isdecimal() and len(token) <= _LONGEST_NUMBER:
        return Word("number", str(int(token))), at + 1
    if token == ":":
        return Word("is"), at + 1
    if token == ",":
        return Word("join"), at + 1
    return _WORDS.get(token, Word("other")), at + 1


def _cell_in_words(tokens: Sequence[str], at: int) -> tuple[str, int]:
    """`row 2, column b` or `column 2 row 2` → `b2`; empty if it is something else."""
    if tokens[at] not in ("row", "column"):
        return "", at
    found: dict[str, str] = {}
    for _ in range(2):
        if at + 1 < len(tokens) and tokens[at] in (",", "and"):
            at += 1
        if at + 1 >= len(tokens) or tokens[at] not in ("row", "column"):
            return "", at
        found[tokens[at]] = tokens[at + 1]
        at += 2
    row, column = found.get("row", ""), found.get("column", "")
    if column.isascii() and column.isdecimal() and len(column) == 1:
        column = " abcdefghi"[int(column)]
    name = column + row
    return (name, at) if _CELL.fullmatch(name) else ("", at)
