"""Versioned JSONL: one line a rollout or a prediction. The only thing analyses and reports read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from bythebook.errors import DataError
from bythebook.types import Noun, Status, Verdict

__all__ = [
    "PREDICTION_SCHEMA",
    "ROLLOUT_SCHEMA",
    "Record",
    "append_jsonl",
    "drop_torn_line",
    "read_jsonl",
    "read_records",
    "write_jsonl",
]

PREDICTION_SCHEMA = "bythebook.prediction/1"
ROLLOUT_SCHEMA = "bythebook.rollout/1"


class Record(Noun):
    """One completion with its verdict: of an evaluation (prediction) or of RL training (rollout)."""

    schema_: Literal["bythebook.prediction/1", "bythebook.rollout/1"] = Field(alias="schema")
    id: str
    """The example's id."""
    domain: str
    sample: int = 0
    """Which of the samples of this example; -1 for the greedy one."""
    gold: str | None = None
    answer: str | None = None
    """The single answer as a canonical label text; None if there is none."""
    correct: bool | None = None
    """None where there is no gold."""
    well_formed: bool
    status: Status
    value: float | None = None
    """The reward."""
    completion: str | None = None
    """None in records kept of licensed data."""
    finish_reason: str = "stop"
    tokens: int | None = None
    guideline: str | None = None
    """The guideline's hash."""
    errors: tuple[str, ...] = ()
    step: int | None = None
    """Training step, in rollouts."""
    advantage: float | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    """What the task knows of the example (`case`, `edit`, …): groups in analyses."""

    def verdict(self) -> Verdict:
        """The record's verdict without its parts."""
        return Verdict(value=self.value, status=self.status, errors=self.errors)

    def to_line(self) -> str:
        """One line of JSON, without fields that are None."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


def read_jsonl(path: Path | str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of every non-empty line of a file, which may be gzipped. DataError names file and
    line of a bad one."""
    opener: Any = gzip.open if str(path).endswith(".gz") else open
    try:
        handle = opener(path, "rt", encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    with handle:
        number = 0
        try:
            for number, line in enumerate(handle, start=1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    reason = (
                        error.msg
                        if isinstance(error, json.JSONDecodeError)
                        else "nested too deeply, or a number too long"
                    )
                    raise DataError(f"not JSON: {reason}", file=path, line=number) from None
                if not isinstance(row, dict):
                    raise DataError("a line must hold one JSON object", file=path, line=number)
                yield number, row
        except (gzip.BadGzipFile, EOFError):
            raise DataError("not a whole gzip file", file=path) from None
        except UnicodeDecodeError:
            raise DataError("not UTF-8", file=path, line=number + 1, remedy="save the file as UTF-8") from None


def read_records(path: Path | str) -> list[Record]:
    """Every record of a file. DataError names the line that is not one."""
    out = []
    for number, row in read_jsonl(path):
        try:
            out.append(Record.model_validate(row))
        except ValidationError as error:
            raise DataError(f"not a record: {error.errors()[0]['msg']}", file=path, line=number) from None
    return out


def write_jsonl(path: Path | str, rows: Iterable[Record | dict[str, Any]]) -> None:
    """Write all rows; the file appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "w", encoding="utf-8") as handle:
        handle.writelines(_line(row) for row in rows)
    temporary.replace(path)


def append_jsonl(path: Path | str, rows: Iterable[Record | dict[str, Any]]) -> None:
    """Add rows at the end, flushed before returning."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as handle:
        handle.writelines(_line(row) for row in rows)


def drop_torn_line(path: Path | str) -> None:
    """Take away a last line without its line break, which a crash cut short, so that appending starts a new one."""
    block = 65_536
    with open(path, "r+b") as handle:
        end = handle.seek(0, 2)
        while end:
            start = max(0, end - block)
            handle.seek(start)
            found = handle.read(end - start).rfind(b"\n")
            end = start + found + 1 if found >= 0 else start
            if found >= 0:
                break
        handle.truncate(end)


def _line(row: Record | dict[str, Any]) -> str:
    return (row.to_line() if isinstance(row, Record) else json.dumps(row, ensure_ascii=False)) + "\n"
