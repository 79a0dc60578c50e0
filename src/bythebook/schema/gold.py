"""The gold of joint extraction as one string, and which of the kinds of gold a string is."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Self

from pydantic import ValidationError

from bythebook.schema.answers import AnswerGold
from bythebook.schema.circuits import CIRCUIT, CircuitGold
from bythebook.schema.extraction import ExtractionSchema
from bythebook.schema.key_values import KeyValueGold
from bythebook.schema.labels import Gold
from bythebook.schema.table_answers import TableGold, question_gold
from bythebook.types import Example, Extraction, Noun, SubTask

__all__ = ["ExtractionGold", "gold_of", "read_gold"]


class ExtractionGold(Noun):
    """The gold extraction of a text with the schema of its guideline: what every RL engine can carry in a column."""

    text: str
    """The source text."""
    sub_task: SubTask
    extraction: Extraction
    given: Extraction | None = None
    """What the prompt tells beside the text: see `Example.given`."""
    extraction_schema: ExtractionSchema

    @classmethod
    def of(cls, example: Example) -> Self:
        """The gold of an example, symmetric relations canonicalised. ValueError if it has no gold extraction."""
        if example.extraction is None:
            raise ValueError(f"example {example.id} has no gold extraction")
        schema = ExtractionSchema.of(example.guideline)
        return cls(
            text=example.text,
            sub_task=example.sub_task,
            extraction=schema.canonical(example.extraction, example.text),
            given=example.given,
            extraction_schema=schema,
        )

    def to_json(self) -> str:
        """Sorted keys: equal golds are equal strings. What is absent or empty is left out."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(fields, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; pydantic's ValidationError if `text` is something else."""
        return cls.model_validate_json(text)


def gold_of(example: Example) -> Gold | ExtractionGold | AnswerGold | KeyValueGold | None:
    """The gold of an example, in the form of its sub-task; None where nobody has annotated it."""
    if example.sub_task == "label":
        return None if example.gold is None else Gold.of(example.gold, example.guideline)
    if example.sub_task == "question":
        return question_gold(example)
    if example.sub_task == "key_values":
        return None if example.reference is None else KeyValueGold.of(example)
    return None if example.extraction is None else ExtractionGold.of(example)


@lru_cache(maxsize=4_096)
def read_gold(text: str) -> Gold | ExtractionGold | AnswerGold | KeyValueGold | None:
    """The gold that a cell of a gold column holds, of whatever kind; None if it holds none.

    No two kinds share a key, so a text is of one at most. Every completion of a group asks for the same one: what was
    read is kept.
    """
    try:
        if '"key_schema"' in text:
            return KeyValueGold.from_json(text)
        return ExtractionGold.from_json(text) if '"extraction_schema"' in text else Gold.from_json(text)
    except ValidationError:
        pass
    try:
        if f'"{CIRCUIT}"' in text:
            return CircuitGold.from_json(text)
        return TableGold.from_json(text) if '"table_task"' in text else AnswerGold.from_json(text)
    except ValidationError:
        return None
