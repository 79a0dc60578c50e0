"""Small tables in the procedural world: look-ups, lists, counts, maxima, and claims that hold or don't.

In training and in domain, tables are about some things; out of domain about others, with names and columns never seen.
Every question has a table of its own, so that only reading it gives the answer. What Table-R1 (arXiv 2505.23621) pays
its rewards for, without data: the gold is a `TableGold`. The `small` tables are those that a model from scratch can
learn to read (`world.table_themes`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from bythebook.errors import RecipeError
from bythebook.prompts.tables import Serialisation
from bythebook.readers.table_questions import TableQuestion, flat_table
from bythebook.schema.tables import ENTAILED, REFUTED
from bythebook.tasks.base import Task
from bythebook.tasks.tables import table_example
from bythebook.tasks.world.drawing import options_of
from bythebook.tasks.world.table_annotators import CELLS, NOTE, SHARES, TARGETS
from bythebook.tasks.world.table_themes import SEEN, SMALL_SEEN, SMALL_UNSEEN, UNSEEN, Theme
from bythebook.types import Example, Noun

__all__ = ["KINDS", "TASK", "TableOptions", "load"]


class TableOptions(Noun):
    """How much of the world a run uses, and how it looks. Sizes are numbers of questions; 0 leaves a split out."""

    seed: int = 0
    serialisation: Serialisation | Literal["both"] = "markdown"
    """`both`: Markdown and CSV in turn."""
    rows: int = Field(default=5, ge=2, le=8)
    """Of a table, at most; 2 at least."""
    fewest: int = Field(default=2, ge=2, le=8)
    """Of a table, at least."""
    small: bool = False
    """Three columns, one of them of numbers, which have one digit; no lists are asked for; known words throughout."""
    care: float = Field(default=0.35, ge=0, le=1)
    """Share of careful readers in the target `mixed`; the others are hasty."""
    form: float = Field(default=0.6, ge=0, le=1)
    """Share of those who keep the form, careful or not."""
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)


class _Row(NamedTuple):
    thing: str
    group: str
    numbers: tuple[int, ...]


class _Drawn(NamedTuple):
    theme: Theme
    rows: list[_Row]
    """A thing, and in a column of numbers each number, occurs once."""


class _Asked(NamedTuple):
    question: str
    answers: tuple[str, ...]
    note: str
    """What a careful reader writes down."""
    claim: bool = False


def _draw(themes: tuple[Theme, ...], o: TableOptions, rng: random.Random) -> _Drawn:
    theme, size = rng.choice(themes), rng.randint(o.fewest, o.rows)
    columns = [rng.sample(range(1, 10 if o.small else 100), size) for _ in theme.numbers]
    numbers, groups = zip(*columns, strict=True), rng.choices(theme.groups, k=size)
    return _Drawn(theme, list(map(_Row, rng.sample(theme.names, size), groups, numbers)))


def _lookup(t: _Drawn, rng: random.Random) -> _Asked:
    row, column = rng.choice(t.rows), rng.randrange(2)
    # A table with one column of numbers is asked for the other property as well.
    number = column < len(t.theme.numbers)
    name = t.theme.numbers[column] if number else t.theme.group
    value = str(row.numbers[column]) if number else row.group
    return _Asked(f"What is the {name} of {row.thing}?", (value,), f"{row.thing} = {value}")


def _list(t: _Drawn, rng: random.Random) -> _Asked:
    group = rng.choice(t.rows).group
    names = tuple(row.thing for row in t.rows if row.group == group)
    return _Asked(
        f"Which {t.theme.thing} has {t.theme.group} {group}? Name all.", names, f"{group} = {'; '.join(names)}"
    )


def _count(t: _Drawn, rng: random.Random) -> _Asked:
    group = rng.choice(t.theme.groups)
    number = str(sum(row.group == group for row in t.rows))
    return _Asked(f"How often is the {t.theme.group} {group}?", (number,), f"{group} = {number}")


def _maximum(t: _Drawn, rng: random.Random) -> _Asked:
    column = rng.randrange(len(t.theme.numbers))
    best = max(t.rows, key=lambda row: row.numbers[column])
    question = f"Which {t.theme.thing} has the highest {t.theme.numbers[column]}?"
    return _Asked(question, (best.thing,), f"{best.numbers[column]} = {best.thing}")


def _claim(t: _Drawn, rng: random.Random) -> _Asked:
    """Of two numbers, one in two of them true."""
    (first, second), column = rng.sample(t.rows, 2), rng.randrange(len(t.theme.numbers))
    holds, name = rng.random() < 0.5, t.theme.numbers[column]
    a, b = first.numbers[column], second.numbers[column]
    found, other = ("higher", "lower") if a > b else ("lower", "higher")
    question = f"The {name} of {first.thing} is {found if holds else other} than that of {second.thing}."
    note = f"{first.thing} = {a}; {second.thing} = {b}; {found}"
    return _Asked(question, (ENTAILED if holds else REFUTED,), note, claim=True)


KINDS: Mapping[str, Callable[[_Drawn, random.Random], _Asked]] = {
    "lookup": _lookup, "list": _list, "count": _count, "max": _maximum, "claim": _claim,
}  # fmt: skip
"""What is asked, which is also the domain of an example."""
_LISTS = "list"


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`), one kind of question after the other. RecipeError for an unknown
    option, or fewer rows at most than at least; the world needs no path."""
    o = options_of("world_tables", TableOptions, path, options)
    if o.fewest > o.rows:
        raise RecipeError(f"world_tables: {o.rows} rows at most, {o.fewest} at least", remedy="raise rows")
    splits: dict[str, list[Example]] = {}
    seen, unseen = (SMALL_SEEN, SMALL_UNSEEN) if o.small else (SEEN, UNSEEN)
    for split, n, themes in (("train", o.train, seen), ("id", o.id, seen), ("ood", o.ood, unseen)):
        rng = random.Random(f"bythebook tables/{split}/{o.seed}")
        kinds = _kinds(o)
        if n:
            splits[split] = [_example(kinds[i % len(kinds)], themes, split, i, o, rng) for i in range(n)]
    return splits


def _kinds(o: TableOptions) -> list[str]:
    return [kind for kind in KINDS if not (o.small and kind == _LISTS)]


def _example(
    kind: str, themes: tuple[Theme, ...], split: str, number: int, o: TableOptions, rng: random.Random
) -> Example:
    drawn = _draw(themes, o, rng)
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
    # One table of each kind in one serialisation, then one of each in the other.
    by_turns: Serialisation = "csv" if number // len(_kinds(o)) % 2 else "markdown"
    shown = by_turns if o.serialisation == "both" else o.serialisation
    example = table_example(question, split, "world", shown)
    hidden = {NOTE: asked.note, CELLS: json.dumps(lines), SHARES: json.dumps([o.care, o.form])}
    # Each question has a table of its own: what is asked about one tells nothing of another.
    meta = {**example.meta, **hidden, "guideline_id": example.id}
    return example.model_copy(update={"domain": kind, "meta": meta})


TASK = Task(
    name="world_tables",
    summary="generated small tables: look-ups, lists, counts, maxima and claims; needs no data",
    load=load,
    needs_path=False,
    targets=TARGETS,
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
