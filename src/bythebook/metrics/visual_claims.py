"""What a description claims: things with what is told of them, how many there are, and where one stands beside another.

A sentence is cut into clauses; of a clause only the words for what can be seen count (`visual_words`), whatever stands
between them. Values of one kind side by side (`red, blue and green`) are all claimed at once; one that comes back later
(`a1 red circle b2 blue square`) begins the next clause. Total, in linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bythebook.metrics.visual_words import NOTHING, Word, sentences

__all__ = ["Claim", "Pair", "claims_of"]

Pair = tuple[str, str]
"""What is seen: its kind and its value, such as `("colour", "red")` or `("cell", "b2")`."""
_Pairs = frozenset[Pair]
_NONE: _Pairs = frozenset()
_SEEN = frozenset(("colour", "shape", "size", "cell"))
_COUNTED = _SEEN - {"cell"} | {"thing"}
_EMPTY = (("colour", NOTHING), ("size", NOTHING))
_TURNED = {"right": "left", "below": "above"}


class Claim(NamedTuple):
    """One thing said."""

    kind: str
    """`thing`; `denied`: `other` is said not to hold of `about`; `count`; `relation`, from `about` to `other`; `apart`:
    it is said not to hold."""
    about: _Pairs
    """Everything told of a thing; what is counted; the first of a relation."""
    other: _Pairs = _NONE
    value: str = ""
    """The number, or the relation: `left` or `above`."""
    subject: _Pairs = _NONE
    """Of a thing that is spoken of as the only one of its kind (`the circle is red`): by what it is named."""


class _Clause:
    """A clause while it is read."""

    def __init__(self) -> None:
        self.sides: list[set[Pair]] = [set()]
        """What is told; after a relation, of the second thing."""
        self.denied: set[Pair] = set()
        self.subject: set[Pair] | None = None
        self.numbers: list[str] = []
        self.relation = ""
        self.last = ""
        """The kind of the word before, of those that name something."""
        self.definite = self.negated = self.verb = self.pronoun = self.thing = False

    def begins_anew(self, word: Word) -> bool:
        """Whether the word belongs to the next clause."""
        if word.kind in ("relation", "it"):
            return bool(self.relation) if word.kind == "relation" else bool(self.last)
        side = self.denied if self.negated else self.sides[-1]
        return word.kind in _SEEN and word.kind != self.last and any(kind == word.kind for kind, _ in side)

    def add(self, word: Word) -> None:
        """Take a word in."""
        if word.kind in _SEEN:
            (self.denied if self.negated and not self.relation else self.sides[-1]).add((word.kind, word.value))
            self.last = word.kind
        elif word.kind == "relation":
            self.relation, self.last = word.value, word.kind
            self.sides.append(set())
        elif word.kind == "is" and not self.verb:
            self.verb, self.subject = True, set(self.sides[0])
        elif word.kind == "not":
            self.negated = True
        elif word.kind == "the" and not self.verb:
            self.definite = True
        elif word.kind == "thing":
            self.thing, self.last = True, word.kind
        elif word.kind == "number":
            self.numbers.append(word.value)
            self.last = word.kind
        self.pronoun |= word.kind == "it"


def claims_of(text: str) -> tuple[Claim, ...]:
    """All that a text claims, in its order; then of each cell that comes up more than once all that is told of it."""
    out: list[Claim] = []
    before = _NONE
    for sentence in sentences(text):
        for clause in _clauses(sentence):
            found = list(_claims(clause, before))
            before = next((claim.about for claim in found if claim.kind == "thing"), before)
            out += found
    return (*out, *_by_cell(out))


def _by_cell(claims: Sequence[Claim]) -> Iterator[Claim]:
    """What several claims tell of one cell, as one: `b2 is a circle. b2 is red`."""
    told: dict[Pair, list[_Pairs]] = {}
    for claim in claims:
        cells = [pair for pair in claim.about if pair[0] == "cell"] if claim.kind == "thing" else []
        rest = claim.about.difference(cells)
        for cell in cells:
            told.setdefault(cell, []).append(rest)
    for cell, parts in told.items():
        if len(parts) > 1:
            yield Claim("thing", frozenset((cell,)).union(*parts))


def _clauses(sentence: Sequence[Word]) -> Iterator[_Clause]:
    """The clauses of a sentence. At `and` or a comma one ends, unless values of one kind stand on both sides."""
    following = _following(sentence)
    counts = _counting(sentence)
    clause = _Clause()
    for word, after, counted in zip(sentence, following, counts, strict=True):
        if clause.begins_anew(word) or word.kind == "end" or (word.kind == "join" and after != clause.last):
            yield clause
            clause = _Clause()
        if word.kind != "join" and (word.kind != "number" or counted):
            clause.add(word)
    yield clause


def _following(sentence: Sequence[Word]) -> list[str]:
    """Of each word the kind of the next one that names something."""
    kinds, kind = [""] * len(sentence), ""
    for at in range(len(sentence) - 1, -1, -1):
        kinds[at] = kind
        if sentence[at].kind in _SEEN or sentence[at].kind in ("relation", "number", "thing"):
            kind = sentence[at].kind
    return kinds


def _counting(sentence: Sequence[Word]) -> list[bool]:
    """Which words are numbers that count something: `two circles`, `the number of circles is 2`, but not `step 2`."""
    found = [False] * len(sentence)
    kind = ""
    for at in range(len(sentence) - 1, -1, -1):
        word = sentence[at]
        found[at] = word.kind == "number" and (kind in _COUNTED or kind == "counted")
        if word.kind != "join":
            kind = "counted" if found[at] else word.kind
    kind = ""
    for at, word in enumerate(sentence):
        found[at] |= word.kind == "number" and kind in ("is", "counted")
        if word.kind != "join":
            kind = "counted" if found[at] else word.kind
    return found


def _claims(clause: _Clause, before: _Pairs) -> Iterator[Claim]:
    """What a clause claims after one that was about `before`."""
    first, second = (_whole(side) for side in (clause.sides[0], clause.sides[-1]))
    if clause.relation:
        yield from _related(clause, first or before, second)
        return
    has = {kind for kind, _ in first}
    counts = "cell" not in has and bool(first or clause.thing)
    if clause.numbers and counts:
        yield from (Claim("count", first, value=number) for number in clause.numbers)
    denied = _whole(clause.denied)
    if clause.negated and not first and not any(kind == "cell" for kind, _ in denied) and (denied or clause.thing):
        yield Claim("count", denied, value="0")
    bare = bool(first) and not has & {"cell", "shape"} and not clause.numbers and not clause.thing
    if (bare or clause.pronoun) and "cell" not in has:
        first |= {pair for pair in before if pair[0] not in has}
    if denied:
        yield Claim("denied", first, denied)
    somewhere = any(kind == "cell" for kind, _ in first)
    if first and (somewhere or ("shape", NOTHING) not in first):
        named = _whole(clause.subject or ()) if clause.definite else _NONE
        yield Claim("thing", first, subject=named if named < first else _NONE)


def _related(clause: _Clause, first: _Pairs, second: _Pairs) -> Iterator[Claim]:
    """A relation and the two things in it."""
    if not first or not second:
        return
    yield Claim("thing", first)
    yield Claim("thing", second)
    name = _TURNED.get(clause.relation)
    if name is not None:
        first, second = second, first
    yield Claim("apart" if clause.negated else "relation", first, second, value=name or clause.relation)


def _whole(pairs: Iterable[Pair]) -> _Pairs:
    """An empty cell has neither colour nor size."""
    found = frozenset(pairs)
    return found.union(_EMPTY) if ("shape", NOTHING) in found else found
