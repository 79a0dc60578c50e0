"""Questions with reference answers from JSONL.

Two forms of a row, which may stand in one file; `subject` (or `domain`) is optional in both:

    {"question": "…", "answer": "…", "subject": "…"}
    {"query": [{"role": "system", "content": "…"}, {"role": "user", "content": "…"}], "label": "…"}

The second is that of the multi-subject data of "Crossing the Reward Bridge" (arXiv 2503.23829), a row of its parquet
files as JSON: the last message of a user is the question, and the prompt of the system is left out. `reference` may
stand for `answer`; numbers are taken as they are written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows, named_rows
from bythebook.readers.paths import files_of

__all__ = ["Question", "read_questions"]

_REMEDY = 'a row is {"question": "…", "answer": "…"}, with "subject" where it is known'


class Question(NamedTuple):
    """A question with its reference answer."""

    id: str
    question: str
    reference: str
    domain: str


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: str


class _Row(BaseModel):
    """Either form; further keys are ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str | None = Field(default=None, min_length=1)
    question: str | None = None
    query: tuple[_Message, ...] | None = None
    answer: str | None = None
    reference: str | None = None
    label: str | None = None
    subject: str | None = None
    domain: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> _Row:
        asked, told = self.asked(), self.told()
        if len(asked) != 1 or not asked[0].strip():
            raise ValueError("one question is needed, under `question` or as the user's message of `query`")
        if len(told) != 1 or not told[0].strip():
            raise ValueError("one reference answer is needed, under `answer`, `reference` or `label`")
        return self

    def asked(self) -> list[str]:
        """What stands for a question."""
        messages = [m.content for m in self.query or () if m.role == "user"][-1:]
        return messages + ([] if self.question is None else [self.question])

    def told(self) -> list[str]:
        """What stands for a reference."""
        return [text for text in (self.answer, self.reference, self.label) if text is not None]


def read_questions(path: Path | str, faults: Faults) -> dict[str, list[Question]]:
    """The questions of a JSONL file or of each JSONL file of a folder, by the file's name without its ending. Faults
    are added with their line; DataError if nothing can be read at all."""
    faults.remedy = _REMEDY
    files = files_of(path, (".jsonl",), missing="there is no .jsonl in this folder", remedy=_REMEDY)
    return {file.stem: _read(file, faults) for file in files}


def _read(file: Path, faults: Faults) -> list[Question]:
    out: list[Question] = []
    for _, name, row in named_rows(file, json_rows(file, _Row, faults), faults):
        domain = (row.subject or row.domain or "").strip() or "questions"
        out.append(Question(name, row.asked()[0].strip(), row.told()[0].strip(), domain))
    if not out and not faults.rows:
        faults.add(file, 1, "the file holds no question")
    return out
