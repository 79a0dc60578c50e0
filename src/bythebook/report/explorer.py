"""Every document of a run as the page shows it: text, gold beside predicted, reasoning, clauses touched; as plain data.

A document is one item of one set; a row is what one model answered to it: greedily, or in its first sample where
nothing was greedy. Rows hold indices into the lists of names, so that thousands of them stay small. Texts are cut to
a length at which a page stays usable, and long files of rollouts to their end; what is left out is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Generic, TypeVar, get_args

from bythebook.records import Record
from bythebook.report.clauses import OUTCOMES, PARTS, Book, outcome_of
from bythebook.report.extractions import of_both
from bythebook.report.files import RecordFile, record_files
from bythebook.report.quotes import QuoteFinder, thinking_of
from bythebook.report.run import Run
from bythebook.types import Status

__all__ = ["Names", "cut", "explorer_data", "first_shown", "shown_tags"]

_LONGEST_TEXT = 20_000
_LONGEST_COMPLETION = 8_000
_MOST_ROLLOUTS = 1_000
_MOST_QUOTES = 8
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


def explorer_data(run: Run) -> dict[str, Any] | None:
    """What the page's documents are drawn from, as JSON-able data; None where the run holds no records.

    Keys: `models`, `sets`, `domains`, `labels`, `texts`, `outcomes`, `statuses`, `parts` (lists of names), `books` (the
    guidelines with their clauses), `items`, `rows` (as in `_Builder.item` and `_Builder.row`), `notes`, `start` (model
    and set to show first).
    """
    builder = _Builder(run)
    for file in record_files(run):
        records, _ = of_both(run.records(file.name))
        if records:
            builder.add(file, records)
    return builder.data() if builder.rows else None


class _Builder:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.models: Names[tuple[str, str]] = Names()
        self.sets: Names[tuple[str, str, str]] = Names()
        self.domains: Names[str] = Names()
        self.labels: Names[str] = Names()
        self.texts: Names[str] = Names()
        self.books: Names[str] = Names()
        self.finders: list[tuple[Book, QuoteFinder] | None] = []
        self.places: dict[tuple[int, str, str | None], int] = {}
        self.items: list[list[Any]] = []
        self.rows: list[list[Any]] = []
        self.notes: list[str] = []

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

    def item(self, record: Record, where: int, name: str) -> int:
        """Index of `[id, set, domain, gold, text, mentions, tags]`; a mention is `[id, start, end, type]`, in
        characters. Gold, text and mentions are null where unknown."""
        key = where, name, record.gold
        if key not in self.places:
            self.places[key] = len(self.items)
            gold = None if record.gold is None else self.labels.place(record.gold)
            self.items.append([name, where, self.domains.place(record.domain), gold, None, None, shown_tags(record)])
        item = self.items[self.places[key]]
        if item[4] is None and record.text is not None:
            item[4] = self.texts.place(cut(record.text, _LONGEST_TEXT))
            item[5] = [
                [m.id, m.start, m.end, m.type]
                for m in record.entities or ()
                if m.start < m.end <= min(len(record.text), _LONGEST_TEXT)
            ]
        return self.places[key]

    def row(self, item: int, model: int, record: Record, samples: Sequence[Record]) -> list[Any]:
        """`[item, model, answer, outcome, status, book, completion, touched, quoted, tokens, value, finish reason,
        errors, samples]`: touched, indices of clauses; quoted, `[clause, words]`; samples, `[answer, right]`."""
        place, found = self._book(record)
        outcome = outcome_of(record, found[0] if found else None)
        touched: tuple[int, ...] = ()
        quoted: dict[int, str] = {}
        if found is not None:
            touched = found[0].touched(record.gold, record.answer, outcome)
            quoted = found[1].quoted(thinking_of(record.completion or ""))
        shown = sorted(quoted, key=lambda i: (i not in touched, i))[:_MOST_QUOTES]
        return [
            item,
            model,
            self._label(record.answer),
            OUTCOMES.index(outcome),
            get_args(Status).index(record.status),
            place,
            None if record.completion is None else cut(record.completion, _LONGEST_COMPLETION),
            touched,
            [[i, quoted[i]] for i in shown],
            record.tokens,
            record.value,
            record.finish_reason,
            [cut(error, 300) for error in record.errors[:10]],
            [[self._label(r.answer), r.correct] for r in samples],
        ]

    def _label(self, label: str | None) -> int | None:
        # A model may write anything that has the form of a label.
        return None if label is None else self.labels.place(cut(label, 200))

    def _book(self, record: Record) -> tuple[int | None, tuple[Book, QuoteFinder] | None]:
        if record.guideline is None:
            return None, None
        place = self.books.place(record.guideline)
        if place == len(self.finders):
            guideline = self.run.guidelines.get(record.guideline)
            book = None if guideline is None else Book(guideline)
            self.finders.append(None if book is None else (book, QuoteFinder(book)))
        return place, self.finders[place]

    def data(self) -> dict[str, Any]:
        """Everything added, in the form that `explorer_data` describes."""
        pairs = {(row[1], self.items[row[0]][1]) for row in self.rows}
        return {
            "models": [label for _, label in self.models.listed],
            "sets": [{"label": label, "group": group} for _, label, group in self.sets.listed],
            "domains": self.domains.listed,
            "labels": self.labels.listed,
            "texts": self.texts.listed,
            "outcomes": OUTCOMES,
            "statuses": get_args(Status),
            "parts": PARTS,
            "books": [
                _book_data(name, found[0] if found else None)
                for name, found in zip(self.books.listed, self.finders, strict=True)
            ],
            "items": self.items,
            "rows": self.rows,
            "notes": self.notes,
            "start": first_shown(pairs, [m for m, _ in self.models.listed], [s for s, _, _ in self.sets.listed]),
        }


def shown_tags(record: Record) -> dict[str, str]:
    """What the task knows of an item, as far as a reader wants it."""
    return {k: v[:200] for k, v in record.tags.items() if k not in _HIDDEN_TAGS and v}


def first_shown(pairs: Iterable[tuple[int, int]], models: Sequence[str], sets: Sequence[str]) -> list[int]:
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


def _book_data(name: str, book: Book | None) -> dict[str, Any]:
    if book is None:
        return {"hash": name, "clauses": None}
    g = book.guideline
    clauses = [[c.relation, PARTS.index(c.part), c.lines] for c in book.clauses]
    known = {"title": g.title, "version": g.version, "preamble": g.preamble, "none": g.no_relation}
    return {"hash": name, "clauses": clauses, **known, "labels": [label.text for label in g.labels]}


def cut(text: str, longest: int) -> str:
    """`text`, or its beginning and how much is left out."""
    return text if len(text) <= longest else f"{text[:longest]} … [{len(text) - longest:,} more characters]"
