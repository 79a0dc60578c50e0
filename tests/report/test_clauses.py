"""Which clause an error touches: every row of the table in `clauses`, on a guideline written for it and the library."""

from __future__ import annotations

import pytest

from bythebook.guidelines import load_from_library, parse_guideline
from bythebook.records import PREDICTION_SCHEMA, Record
from bythebook.report.clauses import OUTCOMES, Book, Outcome, outcome_of
from bythebook.types import Guideline

_TEXT = """# Kitchen

- Version: 1
- Domain: kitchen

## Entity type: Tool

what one holds

## Relation type: Cuts
### Definition
e1 is divided by e2.
### Arguments
- head: Tool
### Direction
First the thing that is cut.
### Restrictions
- unless it is torn
- provided that a blade is used
### Overlaps
- Cuts-Up: there the thing is gone afterwards.

## Relation type: Cuts-Up
### Definition
e1 ends in pieces.
### Direction
(e1,e2)

## Relation type: Heats
### Definition
e1 gets hot.

## No relation: Nothing

no rule applies
"""


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(parse_guideline(_TEXT))


def _record(gold: str | None, answer: str | None, **more: object) -> Record:
    right = None if gold is None else gold == answer
    fields: dict[str, object] = {
        "id": "a",
        "domain": "d",
        "gold": gold,
        "answer": answer,
        "correct": right,
        "well_formed": True,
        "status": "ok" if right else "wrong",
    }
    return Record.model_validate({"schema": PREDICTION_SCHEMA, **fields, **more})


def _touched(book: Book, gold: str, answer: str | None, **more: object) -> list[str]:
    record = _record(gold, answer, **more)
    places = book.touched(gold, answer, outcome_of(record, book))
    return [f"{book.clauses[i].relation} {book.clauses[i].part}" for i in places]


@pytest.mark.parametrize(
    ("gold", "answer", "outcome"),
    [
        ("Cuts(e1,e2)", "Cuts(e1,e2)", "right"),
        ("Nothing", "Nothing", "right"),
        ("Cuts(e1,e2)", "Cuts(e2,e1)", "direction"),
        ("Cuts(e1,e2)", "Heats(e1,e2)", "label"),
        ("Cuts(e1,e2)", "Nothing", "missed"),
        ("Nothing", "Cuts(e1,e2)", "overread"),
        ("Cuts(e1,e2)", "Slices(e1,e2)", "unknown"),
        ("Nothing", "Slices(e1,e2)", "unknown"),
        ("Cuts(e1,e2)", None, "none"),
        (None, "Cuts(e1,e2)", "unjudged"),
        (None, None, "unjudged"),
    ],
)
def test_an_answer_has_one_outcome(book: Book, gold: str | None, answer: str | None, outcome: Outcome) -> None:
    assert outcome_of(_record(gold, answer), book) == outcome
    assert outcome in OUTCOMES


def test_without_the_guideline_the_record_says_whether_the_label_is_known() -> None:
    assert outcome_of(_record("Cuts(e1,e2)", "Slices(e1,e2)"), None) == "label"
    assert outcome_of(_record("Cuts(e1,e2)", "Slices(e1,e2)", errors=("unknown_label",)), None) == "unknown"


@pytest.mark.parametrize(
    ("gold", "answer", "touched"),
    [
        ("Cuts(e1,e2)", "Cuts(e2,e1)", ["Cuts Direction"]),
        # No section on direction: the definition is what fixes the roles.
        ("Heats(e1,e2)", "Heats(e2,e1)", ["Heats Definition"]),
        ("Cuts(e1,e2)", "Nothing", ["Cuts Definition"]),
        ("Nothing", "Cuts(e1,e2)", ["Cuts Restrictions", "Nothing No relation"]),
        ("Nothing", "Heats(e1,e2)", ["Heats Definition", "Nothing No relation"]),
        # One names the other; which of the two is gold makes no difference.
        ("Cuts(e1,e2)", "Cuts-Up(e1,e2)", ["Cuts Overlaps"]),
        ("Cuts-Up(e1,e2)", "Cuts(e2,e1)", ["Cuts Overlaps"]),
        # `Cuts` stands in "Cuts-Up", which is another name.
        ("Cuts(e1,e2)", "Heats(e1,e2)", ["Cuts Definition", "Heats Definition"]),
        ("Cuts-Up(e1,e2)", "Heats(e1,e2)", ["Cuts-Up Definition", "Heats Definition"]),
        ("Cuts(e1,e2)", "Slices(e1,e2)", ["Cuts Definition"]),
        ("Nothing", "Slices(e1,e2)", ["Nothing No relation"]),
        ("Cuts(e1,e2)", "Cuts(e1,e2)", []),
        ("Cuts(e1,e2)", None, []),
        # A gold label of another guideline than the one shown.
        ("Stirs(e1,e2)", "Nothing", []),
    ],
)
def test_the_two_labels_decide_which_clause_is_touched(
    book: Book, gold: str, answer: str | None, touched: list[str]
) -> None:
    assert _touched(book, gold, answer) == touched


def test_a_malformed_completion_with_a_wrong_answer_touches_the_clauses_of_the_answer(book: Book) -> None:
    assert _touched(book, "Cuts(e1,e2)", "Cuts(e2,e1)", well_formed=False, status="malformed") == ["Cuts Direction"]


def test_clauses_stand_in_the_order_of_the_document(book: Book) -> None:
    assert [(c.relation, c.part) for c in book.clauses] == [
        ("Cuts", "Definition"),
        ("Cuts", "Arguments"),
        ("Cuts", "Direction"),
        ("Cuts", "Restrictions"),
        ("Cuts", "Overlaps"),
        ("Cuts-Up", "Definition"),
        ("Cuts-Up", "Direction"),
        ("Heats", "Definition"),
        ("Nothing", "No relation"),
    ]
    assert book.clauses[3].lines == ("unless it is torn", "provided that a blade is used")


def test_every_confusion_of_the_library_guideline_touches_what_the_rules_allow() -> None:
    guideline: Guideline = load_from_library("semeval2010")
    book = Book(guideline)
    labels = [label.text for label in guideline.labels]
    parts = {"direction": {"Direction"}, "missed": {"Definition"}, "overread": {"Restrictions", "No relation"}}
    seen: set[str] = set()
    for gold in labels:
        for answer in labels:
            outcome = outcome_of(_record(gold, answer), book)
            touched = [book.clauses[i] for i in book.touched(gold, answer, outcome)]
            assert bool(touched) == (gold != answer)
            assert {c.part for c in touched} <= parts.get(outcome, {"Overlaps", "Definition"})
            assert {c.relation for c in touched} <= {gold.split("(")[0], answer.split("(")[0]}
            seen |= {c.part for c in touched}
    assert seen == {"Direction", "Definition", "Restrictions", "No relation", "Overlaps"}
