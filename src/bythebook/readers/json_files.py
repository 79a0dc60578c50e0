"""JSON files row by row, each row with the line on which it starts: objects on lines of their own, or one list."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from bythebook.errors import DataError, said
from bythebook.readers.faults import Faults

__all__ = ["json_items", "json_rows", "named_rows", "read_rows"]

Row = TypeVar("Row", bound=BaseModel)


class _HasId(Protocol):
    @property
    def id(self) -> str | None: ...


_Named = TypeVar("_Named", bound=_HasId)


def json_rows(path: Path, model: type[Row], faults: Faults) -> Iterator[tuple[int, Row]]:
    """(line from 1, row) of every sound line. A line that breaks the format is added to `faults`; empty ones are passed
    over. DataError if the file can't be read.
    """
    return read_rows(path, model.model_validate_json, faults)


def read_rows(path: Path, read: Callable[[str], Row], faults: Faults) -> Iterator[tuple[int, Row]]:
    """The same with a reader of one's own of a line's text. What it says by a ValueError is the fault of the line."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, read(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            faults.add(path, number, "not UTF-8")
        except ValidationError as error:
            faults.add(path, number, said(error))
        except ValueError as error:
            faults.add(path, number, str(error))


def named_rows(path: Path, rows: Iterable[tuple[int, _Named]], faults: Faults) -> Iterator[tuple[int, str, _Named]]:
    """(line, name, row) of the rows of a file: the name is the row's `id`, or file and line. A name that stands there
    before is a fault, and its row is passed over."""
    lines: dict[str, int] = {}
    for line, row in rows:
        name = row.id or f"{path.stem}-{line}"
        if name in lines:
            faults.add(path, line, f"the id {name!r} stands on line {lines[name]}, too")
            continue
        lines[name] = line
        yield line, name, row


def json_items(path: Path, what: str) -> Iterator[tuple[int, Any]]:
    """(line on which it starts, item) of every item of a file that holds one list; `what` names its items in messages.

    DataError if the file can't be read or is no JSON list.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise DataError("not UTF-8", file=path, remedy="save the file as UTF-8") from None
    decoder, at, line = json.JSONDecoder(), 0, 1

    def skip(marks: str) -> int:
        nonlocal at, line
        start = at
        while at < len(text) and (text[at].isspace() or text[at] in marks):
            at += 1
        line += text.count("\n", start, at)
        return at

    if skip("") == len(text) or text[at] != "[":
        raise DataError("the file holds no JSON list", file=path, line=line, remedy=f"a list of {what}: [{{…}}, …]")
    at += 1
    while skip(",") < len(text) and text[at] != "]":
        try:
            item, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise DataError(f"not JSON: {reason}", file=path, line=line) from None
        yield line, item
        line += text.count("\n", at, end)
        at = end
    if at == len(text):
        raise DataError("not JSON: the list breaks off", file=path, line=line)
