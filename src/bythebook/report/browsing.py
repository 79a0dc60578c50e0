"""Records as rows that the page lists, whatever was asked: one a text and model, and one a rollout.

Rows hold indices into lists of names, so that thousands of them stay small. Texts are cut to a length at which a page
stays usable, and long files of rollouts to their end; what is left out is said in `notes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar, get_args

from bythebook.records import Record
from bythebook.report.files import RecordFile
from bythebook.types import Status

__all__ = ["LONGEST_COMPLETION", "LONGEST_TEXT", "Names", "RowBuilder", "cut", "shown_tags"]

LONGEST_TEXT = 20_000
LONGEST_COMPLETION = 8_000
_MOST_ROLLOUTS = 1_000
_HIDDEN_TAGS = frozenset({"guideline_id", "gold_before", "correct_before"})

_T = TypeVar("_T", bound=Hashable)


class Names(Generic[_T]):
    """A list without repetitions, and where each value stands in it."""

    def __init__(self) -> None:
        self.places: dict[_T, int] = {}

    def place(self, value: _T) -> int:
        """The place of a value, which is added if it is new."""
        return self.places.setdefault(value, len(self.places))

    @property
    def listed(self) -> list[_T]:
        """The values in the order of their places."""
        return list(self.places)


class RowBuilder(ABC):
    """Items and rows of the files that are added. An item begins with its id and its set, a row with its item and its
    model."""

    def __init__(self) -> None:
        self.models: Names[tuple[str, str]] = Names()
        self.sets: Names[tuple[str, str, str]] = Names()
        self.domains: Names[str] = Names()
        self.texts: Names[str] = Names()
        self.places: dict[tuple[int, str, str | None], int] = {}
        self.items: list[list[Any]] = []
        self.rows: list[list[Any]] = []
        self.notes: list[str] = []

    @abstractmethod
    def item(self, record: Record, where: int, name: str) -> int:
        """The index of what a record is about, under that name in the set `where`."""

    @abstractmethod
    def row(self, item: int, model: int, record: Record, samples: Sequence[Record]) -> list[Any]:
        """What a model answered to it."""

    def add(self, file: RecordFile, records: Sequence[Record]) -> None:
        """The rows of one file of records."""
        model, where = self.models.place((file.model, file.model_label)), self.sets.place(file.set)
        if file.rollouts:
            if len(records) > _MOST_ROLLOUTS:
                self.notes.append(f"{file.name}: the last {_MOST_ROLLOUTS:,} of {len(records):,} rollouts")
            for record in records[-_MOST_ROLLOUTS:]:
                name = f"step {record.step} · {record.id} · sample {record.sample}"
                self.rows.append(self.row(self.item(record, where, name), model, record, ()))
            return
        by_id: dict[str, list[Record]] = {}
        for record in records:
            by_id.setdefault(record.id, []).append(record)
        for name, group in by_id.items():
            group.sort(key=lambda r: r.sample)
            samples = [r for r in group if r.sample >= 0]
            self.rows.append(self.row(self.item(group[0], where, name), model, group[0], samples))

    def shared(self) -> dict[str, Any]:
        """What the page is told of every kind of rows."""
        pairs = {(row[1], self.items[row[0]][1]) for row in self.rows}
        return {
            "models": [label for _, label in self.models.listed],
            "sets": [{"label": label, "group": group} for _, label, group in self.sets.listed],
            "domains": self.domains.listed,
            "texts": self.texts.listed,
            "statuses": get_args(Status),
            "items": self.items,
            "rows": self.rows,
            "notes": self.notes,
            "start": _first_shown(pairs, [m for m, _ in self.models.listed], [s for s, _, _ in self.sets.listed]),
        }


def shown_tags(record: Record) -> dict[str, str]:
    """What the task knows of an item, as far as a reader wants it."""
    return {k: v[:200] for k, v in record.tags.items() if k not in _HIDDEN_TAGS and v}


def _first_shown(pairs: Iterable[tuple[int, int]], models: Sequence[str], sets: Sequence[str]) -> list[int]:
    """Model and set to open with: RL or the trained model, out of domain or on test; else the last file's."""
    wanted_models, wanted_sets = ("rl", "trained"), ("ood", "test", "dev", "id")

    def rank(pair: tuple[int, int]) -> tuple[int, int, int]:
        model, where = models[pair[0]], sets[pair[1]].rpartition("/")[2]
        return (
            wanted_models.index(model) if model in wanted_models else len(wanted_models),
            wanted_sets.index(where) if where in wanted_sets else len(wanted_sets),
            -pair[0],
        )

    model, where = min(pairs, key=rank)
    return [model, where]


def cut(text: str, longest: int) -> str:
    """`text`, or its beginning and how much is left out."""
    return text if len(text) <= longest else f"{text[:longest]} … [{len(text) - longest:,} more characters]"
