"""Labelled pairs of documents whose annotators may give a pair several relations: what is asked, and what is gold.

A question has one answer, and the matcher compares it with one gold label (`metrics.labels.same_label`). So a pair
with several labels has no gold that an answer could be held against: by default it is left out and counted. With
`several="first"` it is asked, and the gold is the label that stands first in the file. What the annotators gave is in
`meta["labels"]` in either case. Two labels are the same if they agree in relation and direction, after symmetric
relations are turned to `(e1,e2)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, get_args

from bythebook.errors import DataError
from bythebook.readers.documents import Document
from bythebook.schema import Grammar
from bythebook.types import Entity, Example, Guideline, Label, Span

__all__ = [
    "Pair",
    "Several",
    "Window",
    "checked_several",
    "count_several",
    "labelled_pairs",
    "question",
    "several_note",
]

Several = Literal["drop", "first"]
Window = Callable[[str, int, int], Span]
"""(text, start, end) → the part of the text that is shown."""


class Pair(NamedTuple):
    """Two entities in the order of the text, and their distinct labels in the order of the file; none: unrelated."""

    document: Document
    first: Entity
    second: Entity
    labels: tuple[Label, ...]


def labelled_pairs(document: Document, grammar: Grammar, *, unrelated: bool = False) -> Iterator[Pair]:
    """The related pairs of a document, in the order of the text; with `unrelated` all others, too. Two mentions that
    overlap are no pair."""
    order = sorted(document.entities, key=lambda e: (e.span.start, e.span.end))
    place = {e.id: i for i, e in enumerate(order)}
    labels: dict[tuple[int, int], dict[Label, None]] = {}
    for r in document.relations or ():
        head, tail = place[r.head], place[r.tail]
        label = Label(name=r.type, direction="(e1,e2)" if head < tail else "(e2,e1)")
        labels.setdefault((min(head, tail), max(head, tail)), {})[grammar.canonical(label)] = None
    for i, first in enumerate(order):
        for j in range(i + 1, len(order)):
            second = order[j]
            given = tuple(labels.get((i, j), ()))
            if (given or unrelated) and second.span.start >= first.span.end:
                yield Pair(document, first, second, given)


def count_several(pairs: Iterable[Pair]) -> int:
    """How many pairs have more than one label."""
    return sum(len(p.labels) > 1 for p in pairs)


def several_note(number: int) -> str:
    """What `data check` says of them."""
    return (
        f"{number} of them have several labels (relation or direction) and are left out, because a question has one "
        "gold answer; the option several=first takes the first label in the file"
    )


def checked_several(several: str) -> None:
    """DataError for another word than `drop` or `first`."""
    if several not in get_args(Several):
        raise DataError(f"no treatment {several!r} of pairs with several labels", remedy="'drop' or 'first'")


def question(
    pair: Pair,
    guideline: Guideline,
    *,
    name: str,
    domain: str,
    split: str,
    several: Several = "drop",
    window: Window | None = None,
) -> Example | None:
    """The pair as one question; None where it has several labels and these are left out. An unrelated pair has the
    guideline's no-relation label as gold, None if there is no such label."""
    if len(pair.labels) > 1 and several == "drop":
        return None
    text, at = pair.document.text, 0
    if window is not None:
        shown = window(text, pair.first.span.start, pair.second.span.end)
        text, at = shown.of(text), shown.start
    none = Label(name=guideline.no_relation) if guideline.no_relation else None
    marks = (("e1", pair.first), ("e2", pair.second))
    return Example(
        id=name,
        text=text,
        entities=tuple(
            Entity(id=role, span=Span(start=e.span.start - at, end=e.span.end - at), type=e.type) for role, e in marks
        ),
        gold=pair.labels[0] if pair.labels else none,
        guideline=guideline,
        domain=domain,
        split=split,
        meta={
            "document": pair.document.id,
            "e1": pair.first.id,
            "e2": pair.second.id,
            **({"labels": " ".join(label.text for label in pair.labels)} if len(pair.labels) > 1 else {}),
        },
    )
