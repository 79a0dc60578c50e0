"""The gold of a question about a table, in the form of an RL engine's column."""

from __future__ import annotations

import json
from typing import Self

from pydantic import Field, model_validator

from bythebook.schema.answers import AnswerGold
from bythebook.schema.circuits import CIRCUIT, CircuitGold
from bythebook.schema.tables import VERDICTS, TableKind
from bythebook.types import Example

__all__ = ["TableGold", "as_meta", "question_gold"]

_KIND, _ANSWERS = "table_task", "table_answers"


class TableGold(AnswerGold):
    """A question about a table: `reference` is the answer as a model would write it under `answer`.

    ValidationError for a verdict that is none of `VERDICTS` or not alone.
    """

    table_task: TableKind
    table_answers: tuple[str, ...] = Field(min_length=1)
    """`items`: all of them together are the answer; `verdict`: one label; `text`: references, of which each is right,
    the first one being what training is paid for."""

    @model_validator(mode="after")
    def _one_verdict(self) -> Self:
        if self.table_task == "verdict" and (len(self.table_answers) != 1 or self.table_answers[0] not in VERDICTS):
            raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}, got {list(self.table_answers)!r}")
        return self

    @classmethod
    def of(cls, example: Example) -> Self:
        """The gold of an example of a table task. ValueError if it has no reference or is of another task."""
        if example.reference is None or _KIND not in example.meta:
            raise ValueError(f"example {example.id} has no gold answer about a table")
        return cls.model_validate(
            {
                "question": example.text,
                "reference": example.reference,
                _KIND: example.meta[_KIND],
                _ANSWERS: tuple(json.loads(example.meta[_ANSWERS])),
            }
        )


def as_meta(kind: TableKind, answers: tuple[str, ...]) -> dict[str, str]:
    """What an example's `meta` holds of its gold."""
    return {_KIND: kind, _ANSWERS: json.dumps(answers, ensure_ascii=False)}


def question_gold(example: Example) -> AnswerGold | None:
    """The gold of an example of the sub-task `question`, of whichever kind; None where there is no reference."""
    if example.reference is None:
        return None
    if CIRCUIT in example.meta:
        return CircuitGold.of(example)
    return TableGold.of(example) if _KIND in example.meta else AnswerGold.of(example)
