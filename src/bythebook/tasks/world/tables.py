"""Small tables in the procedural world: look-ups, lists, counts, maxima, and claims that hold or don't.

In training and in domain, tables are about some things; out of domain about others, with names and columns never seen.
Every question has a table of its own, so that only reading it gives the answer. What Table-R1 (arXiv 2505.23621) pays
its rewards for, without data: the gold is a `TableGold`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from bythebook.errors import DataError
from bythebook.prompts.tables import Serialisation
from bythebook.readers.table_questions import TableQuestion, flat_table
from bythebook.schema.tables import ENTAILED, REFUTED
from bythebook.tasks.base import Task
from bythebook.tasks.tables import say, table_example
from bythebook.tasks.world.drawing import options_of
from bythebook.types import Example, Noun

__all__ = ["KINDS", "TASK", "TableOptions", "load"]

_NOTE = "_note"


class TableOptions(Noun):
    """How much of the world a run uses, and how it looks. Sizes are numbers of questions; 0 leaves a split out."""

    seed: int = 0
    serialisation: Serialisation = "markdown"
    rows: int = Field(default=5, ge=2, le=8)
    """Of a table, at most; 2 at least."""
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)


class _Theme(NamedTuple):
    """What tables are about: things, a property with a few values, and two numbers."""

    title: str
    thing: str
    names: tuple[str, ...]
    group: str
    groups: tuple[str, ...]
    numbers: tuple[str, str]


_SEEN = (
    _Theme("Ships in the harbour", "ship", ("Gull", "Otter", "Wren", "Tern", "Heron", "Seal", "Swan", "Crab"), "port",
           ("Hale", "Mira", "Lenn"), ("crew", "cabins")),
    _Theme("The cup", "team", ("Moles", "Foxes", "Larks", "Bears", "Hares", "Owls", "Wolves", "Newts"), "town",
           ("Orr", "Tarn", "Vale"), ("wins", "goals")),
    _Theme("At the market", "fruit", ("pears", "plums", "figs", "limes", "dates", "kiwis", "mangos", "grapes"), "stall",
           ("north", "south", "east"), ("price", "weight")),
)  # fmt: skip
_UNSEEN = (
    _Theme("Rivers of the plain", "river", ("Ansa", "Belt", "Corva", "Dunn", "Elster", "Fay", "Gorm", "Isk"), "sea",
           ("Grey", "Long", "Cold"), ("length", "bridges")),
    _Theme("Chess players", "player", ("Ada", "Bo", "Cy", "Dora", "Emil", "Finn", "Greta", "Hugo"), "club",
           ("Rook", "Knight", "Pawn"), ("rating", "games")),
)  # fmt: skip


class _Row(NamedTuple):
    thing: str
    group: str
    numbers: tuple[int, int]


class _Drawn(NamedTuple):
    theme: _Theme
    rows: list[_Row]
    """A thing, and in a column of numbers each number, occurs once."""


class _Asked(NamedTuple):
    question: str
    answers: tuple[str, ...]
    note: str
    """What a careful reader writes down."""
    claim: bool = False


def _draw(themes: tuple[_Theme, ...], most: int, rng: random.Random) -> _Drawn:
    theme, size = rng.choice(themes), rng.randint(2, most)
    first, second = (rng.sample(range(1, 100), size) for _ in theme.numbers)
    numbers, groups = zip(first, second, strict=True), rng.choices(theme.groups, k=size)
    return _Drawn(theme, list(map(_Row, rng.sample(theme.names, size), groups, numbers)))


def _lookup(t: _Drawn, rng: random.Random) -> _Asked:
    row, column = rng.choice(t.rows), rng.randrange(2)
    name, value = t.theme.numbers[column], str(row.numbers[column])
    return _Asked(f"What is the {name} of {row.thing}?", (value,), f"{row.thing} {name} {value}")


def _list(t: _Drawn, rng: random.Random) -> _Asked:
    group = rng.choice(t.rows).group
    names = tuple(row.thing for row in t.rows if row.group == group)
    return _Asked(f"Which {t.theme.thing} has {t.theme.group} {group}? Name all.", names, f"{group} {' '.join(names)}")


def _count(t: _Drawn, rng: random.Random) -> _Asked:
    group = rng.choice(t.theme.groups)
    names = [row.thing for row in t.rows if row.group == group]
    note = f"{group} {' '.join(names) or 'none'} {len(names)}"
    return _Asked(f"How often is the {t.theme.group} {group}?", (str(len(names)),), note)


def _maximum(t: _Drawn, rng: random.Random) -> _Asked:
    column = rng.randrange(2)
    best = max(t.rows, key=lambda row: row.numbers[column])
    every = " ".join(str(row.numbers[column]) for row in t.rows)
    question = f"Which {t.theme.thing} has the highest {t.theme.numbers[column]}?"
    return _Asked(question, (best.thing,), f"{every} highest {best.numbers[column]} {best.thing}")


def _claim(t: _Drawn, rng: random.Random) -> _Asked:
    """Of two numbers, one in two of them true."""
    (first, second), column, holds = rng.sample(t.rows, 2), rng.randrange(2), rng.random() < 0.5
    name, a, b = t.theme.numbers[column], first.numbers[column], second.numbers[column]
    more = "higher" if (a > b) == holds else "lower"
    label = ENTAILED if holds else REFUTED
    return _Asked(
        f"The {name} of {first.thing} is {more} than that of {second.thing}.", (label,), f"{a} {b}", claim=True
    )


KINDS: Mapping[str, Callable[[_Drawn, random.Random], _Asked]] = {
    "lookup": _lookup, "list": _list, "count": _count, "max": _maximum, "claim": _claim,
}  # fmt: skip
"""What is asked, which is also the domain of an example."""


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`), one kind of question after the other. RecipeError for an unknown
    option; the world needs no path."""
    o = options_of("world_tables", TableOptions, path, options)
    splits: dict[str, list[Example]] = {}
    for split, n, themes in (("train", o.train, _SEEN), ("id", o.id, _SEEN), ("ood", o.ood, _UNSEEN)):
        rng = random.Random(f"bythebook tables/{split}/{o.seed}")
        kinds = list(KINDS)
        if n:
            splits[split] = [_example(kinds[i % len(kinds)], themes, split, i, o, rng) for i in range(n)]
    return splits


def _example(
    kind: str, themes: tuple[_Theme, ...], split: str, number: int, o: TableOptions, rng: random.Random
) -> Example:
    drawn = _draw(themes, o.rows, rng)
    theme, asked = drawn.theme, KINDS[kind](drawn, rng)
    lines = [
        (theme.thing, theme.group, *theme.numbers),
        *((row.thing, row.group, *map(str, row.numbers)) for row in drawn.rows),
    ]
    question = TableQuestion(
        id=f"{split}-{o.seed}-{number}",
        table=flat_table(lines, theme.title),
        question=asked.question,
        kind="verdict" if asked.claim else "items",
        answers=asked.answers,
    )
    example = table_example(question, split, "world", o.serialisation)
    return example.model_copy(update={"domain": kind, "meta": {**example.meta, _NOTE: asked.note}})


def _answer(example: Example, _: random.Random) -> str:
    return say(example)


def _careful(example: Example, _: random.Random) -> str:
    """What is read from the table, then the answer. DataError for an example of another task."""
    if _NOTE not in example.meta:
        raise DataError(f"example {example.id} is none of world_tables", remedy="use its own targets")
    return say(example, example.meta[_NOTE])


TASK = Task(
    name="world_tables",
    summary="generated small tables: look-ups, lists, counts, maxima and claims; needs no data",
    load=load,
    needs_path=False,
    targets={"answer": _answer, "careful": _careful},
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
