"""Every document of a run as the page shows it: text, gold beside predicted, reasoning, clauses touched; as plain data.

A document is one item of one set; a row is what one model answered to it: greedily, or in its first sample where
nothing was greedy. Rows hold indices into the lists of names, so that thousands of them stay small. Texts are cut to
a length at which a page stays usable, and long files of rollouts to their end; what is left out is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from bythebook.records import Record
from bythebook.report.browsing import LONGEST_COMPLETION, LONGEST_TEXT, Names, RowBuilder, cut, shown_tags
from bythebook.report.clauses import OUTCOMES, PARTS, Book, outcome_of
from bythebook.report.extractions import of_both
from bythebook.report.files import record_files
from bythebook.report.quotes import QuoteFinder, thinking_of
from bythebook.report.run import Run
from bythebook.types import Status

__all__ = ["explorer_data"]

_MOST_QUOTES = 8


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


class _Builder(RowBuilder):
    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.labels: Names[str] = Names()
        self.books: Names[str] = Names()
        self.finders: list[tuple[Book, QuoteFinder] | None] = []

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
            item[4] = self.texts.place(cut(record.text, LONGEST_TEXT))
            item[5] = [
                [m.id, m.start, m.end, m.type]
                for m in record.entities or ()
                if m.start < m.end <= min(len(record.text), LONGEST_TEXT)
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
            None if record.completion is None else cut(record.completion, LONGEST_COMPLETION),
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
        return {
            **self.shared(),
            "labels": self.labels.listed,
            "outcomes": OUTCOMES,
            "parts": PARTS,
            "books": [
                _book_data(name, found[0] if found else None)
                for name, found in zip(self.books.listed, self.finders, strict=True)
            ],
        }


def _book_data(name: str, book: Book | None) -> dict[str, Any]:
    if book is None:
        return {"hash": name, "clauses": None}
    g = book.guideline
    clauses = [[c.relation, PARTS.index(c.part), c.lines] for c in book.clauses]
    known = {"title": g.title, "version": g.version, "preamble": g.preamble, "none": g.no_relation}
    return {"hash": name, "clauses": clauses, **known, "labels": [label.text for label in g.labels]}
