"""Which clause of the guideline an error touches: rules over the gold and the predicted label, and nothing else.

| gold, predicted | clause |
|---|---|
| one relation, turned round | Direction of that relation |
| relation, no relation | Definition of the gold relation: the model did not see that it applies |
| no relation, relation | Restrictions of the predicted relation, and what the guideline says of no relation |
| one relation, another | the items under Overlaps in which one names the other; without one, both definitions |
| relation, label that is not in the guideline | Definition of the gold relation |
| no relation, label that is not in the guideline | what the guideline says of no relation |

A clause that the guideline lacks is replaced by the Definition of the same relation. An error of form, without a single
answer, touches no clause. The rules say which clause decides between the two labels, not what went on in the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bythebook.records import Record
from bythebook.types import Guideline, RelationType

__all__ = ["OUTCOMES", "PARTS", "Book", "Clause", "Outcome", "Part", "outcome_of"]

Part = Literal["Definition", "Arguments", "Direction", "Restrictions", "Overlaps", "No relation"]
PARTS: tuple[Part, ...] = ("Definition", "Arguments", "Direction", "Restrictions", "Overlaps", "No relation")

Outcome = Literal["right", "label", "direction", "missed", "overread", "unknown", "none", "unjudged"]
OUTCOMES: tuple[Outcome, ...] = ("right", "label", "direction", "missed", "overread", "unknown", "none", "unjudged")
"""`label`: another relation; `direction`: the right one turned round; `missed`: no relation where there is one;
`overread`: a relation where there is none; `unknown`: a label that the guideline lacks; `none`: no single answer;
`unjudged`: nobody annotated the item."""

_DIRECTIONS = ("(e1,e2)", "(e2,e1)")


@dataclass(frozen=True)
class Clause:
    """A place in a guideline. `lines` as written: one each for the items of a list."""

    relation: str
    part: Part
    lines: tuple[str, ...]


def _split(label: str) -> tuple[str, str]:
    """Name and direction of a label as written; the direction is empty for the no-relation label."""
    for direction in _DIRECTIONS:
        if label.endswith(direction):
            return label.removesuffix(direction), direction
    return label, ""


def outcome_of(record: Record, book: Book | None) -> Outcome:
    """How the answer stands to the gold, from the record's own verdict; `book` is the guideline shown, where kept."""
    if record.correct is None or record.gold is None:
        return "unjudged"
    if record.correct:
        return "right"
    if record.answer is None:
        return "none"
    (gold, gold_way), (answer, way) = _split(record.gold), _split(record.answer)
    if "unknown_label" in record.errors or (book is not None and answer not in book.names):
        return "unknown"
    if not gold_way:
        return "overread"
    if not way:
        return "missed"
    return "direction" if gold == answer else "label"


class Book:
    """A guideline cut into its clauses, in the order of the document."""

    def __init__(self, guideline: Guideline) -> None:
        self.guideline = guideline
        clauses = [clause for r in guideline.relation_types for clause in _of_relation(r)]
        if guideline.no_relation:
            text = guideline.no_relation_definition
            clauses.append(Clause(guideline.no_relation, "No relation", tuple(text.splitlines())))
        self.clauses: tuple[Clause, ...] = tuple(clauses)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every label name that the guideline declares."""
        none = [self.guideline.no_relation] if self.guideline.no_relation else []
        return frozenset([r.name for r in self.guideline.relation_types] + none)

    @cached_property
    def _places(self) -> dict[tuple[str, Part], tuple[int, ...]]:
        out: dict[tuple[str, Part], tuple[int, ...]] = {}
        for i, clause in enumerate(self.clauses):
            key = clause.relation, clause.part
            out[key] = (*out.get(key, ()), i)
        return out

    @cached_property
    def _touched(self) -> dict[tuple[str, str, str], tuple[int, ...]]:
        return {}

    def touched(self, gold: str | None, answer: str | None, outcome: Outcome) -> tuple[int, ...]:
        """Indices of the clauses that the error touches, ascending; none for a right answer and an error of form."""
        if gold is None or answer is None or outcome in ("right", "none", "unjudged"):
            return ()
        key = gold, answer, outcome
        if key not in self._touched:
            self._touched[key] = tuple(sorted(set(self._rule(_split(gold)[0], _split(answer)[0], outcome))))
        return self._touched[key]

    def _rule(self, gold: str, answer: str, outcome: Outcome) -> tuple[int, ...]:
        match outcome:
            case "direction":
                return self._part(gold, "Direction")
            case "overread":
                return self._part(answer, "Restrictions") + self._places.get((gold, "No relation"), ())
            case "label":
                return self._naming(gold, answer) or self._part(gold) + self._part(answer)
            case _:  # missed or unknown
                return self._part(gold) or self._places.get((gold, "No relation"), ())

    def _part(self, relation: str, part: Part = "Definition") -> tuple[int, ...]:
        return self._places.get((relation, part), ()) or self._places.get((relation, "Definition"), ())

    def _naming(self, first: str, second: str) -> tuple[int, ...]:
        """Items under Overlaps of either relation in which the other is named."""
        found: list[int] = []
        for here, other in ((first, second), (second, first)):
            name = re.compile(rf"(?<![\w-]){re.escape(other)}(?![\w-])")
            found += [i for i in self._places.get((here, "Overlaps"), ()) if name.search(self.clauses[i].lines[0])]
        return tuple(found)


def _of_relation(r: RelationType) -> list[Clause]:
    types = (("head", r.head_types), ("tail", r.tail_types))
    arguments = tuple(f"{role}: {', '.join(names)}" for role, names in types if names)
    sections: list[tuple[Part, tuple[str, ...]]] = [
        ("Definition", tuple(r.definition.splitlines())),
        ("Arguments", arguments),
        ("Direction", tuple(r.direction.splitlines())),
        ("Restrictions", r.restrictions),
        *(("Overlaps", (item,)) for item in r.overlaps),
    ]
    return [Clause(r.name, part, lines) for part, lines in sections if lines]
