"""Versioned JSONL: one line a rollout or a prediction. The only thing analyses and reports read."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Literal

from pydantic import Field, ValidationError

from bythebook.errors import DataError, InputError
from bythebook.types import Example, Noun, Status, Verdict

__all__ = [
    "PREDICTION_SCHEMA",
    "ROLLOUT_SCHEMA",
    "Mention",
    "Record",
    "append_jsonl",
    "digest_of",
    "drop_own_torn_line",
    "drop_torn_line",
    "keep_lines",
    "list_errors",
    "loads",
    "read_jsonl",
    "read_records",
    "write_jsonl",
    "write_text",
]

PREDICTION_SCHEMA = "bythebook.prediction/1"
ROLLOUT_SCHEMA = "bythebook.rollout/1"


class Mention(Noun):
    """A marked mention of the source text as it stands in a record: character offsets, end exclusive."""

    id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    type: str | None = None


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
    """The single answer as a canonical label text, or the extraction as JSON (as a digest, where the text is not kept);
    None if there is none."""
    correct: bool | None = None
    """None where there is no gold."""
    counts: dict[str, tuple[int, int, int]] | None = None
    """Joint extraction: true positives, false positives, false negatives by protocol; None where there is no gold."""
    well_formed: bool
    status: Status
    value: float | None = None
    """The reward."""
    completion: str | None = None
    """None in records kept of licensed data."""
    text: str | None = None
    """The source text; None in records of licensed data and in rollouts."""
    entities: tuple[Mention, ...] | None = None
    """The mentions asked about; None where the text is."""
    finish_reason: str = "stop"
    decoding: Literal["constrained"] | None = None
    """Whether the schema constrained what was written; None: nothing did."""
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


def loads(text: str, *, strict: bool = False) -> Any:
    """The value of a JSON text. ValueError says in a few words what is wrong; with `strict` also of a key that stands
    twice in an object, of which Python would take the last, and of NaN and infinities, which JSON does not have."""
    try:
        if strict:
            return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        return json.loads(text)
    except _NotStrict as error:
        raise ValueError(f"not JSON: {error}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} (character {error.pos + 1})") from None
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    except ValueError:
        raise ValueError("not JSON: a number of too many digits") from None


class _NotStrict(Exception):
    """What Python's reader takes and JSON does not have."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _NotStrict(f"the key {next(n for n in names if names.count(n) > 1)[:60]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise _NotStrict(f"{name} is no number")


def read_jsonl(path: Path | str, *, strict: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of every non-empty line of a file, which may be gzipped. DataError names file and
    line of a bad one; `strict` as in `loads`."""
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
                    row = loads(line, strict=strict)
                except ValueError as error:
                    raise DataError(str(error), file=path, line=number) from None
                if not isinstance(row, dict):
                    raise DataError("a line must hold one JSON object", file=path, line=number)
                yield number, row
        except (gzip.BadGzipFile, EOFError, zlib.error):
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
            first = error.errors()[0]
            where = "".join(f"{part}: " for part in first["loc"])
            raise DataError(f"not a record: {where}{first['msg']}", file=path, line=number) from None
    return out


@contextmanager
def _whole(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """A file that appears under its name when all of it is written. What can't be written leaves nothing; the OSError
    names `path`."""
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, mode, encoding=None if "b" in mode else "utf-8") as handle:
            yield handle
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            raise _naming(path, error) from None
        raise


def _naming(path: Path, error: OSError) -> OSError:
    """A disk that is full says so without saying where."""
    return OSError(error.errno, error.strerror or str(error), str(path))


def write_jsonl(path: Path | str, rows: Iterable[Record | dict[str, Any]]) -> None:
    """Write all rows; the file appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _whole(path) as handle:
        handle.writelines(_line(row) for row in rows)


def append_jsonl(path: Path | str, rows: Iterable[Record | dict[str, Any]]) -> None:
    """Add rows at the end: all of them, or none where the disk is full. The OSError names the file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    left = memoryview("".join(_line(row) for row in rows).encode("utf-8"))
    with open(path, "ab", buffering=0) as handle:
        before = handle.tell() if handle.seekable() else None
        try:
            while left:
                left = left[handle.write(left) :]
        except BaseException as error:
            if before is not None:
                with suppress(OSError):
                    handle.truncate(before)
            raise _naming(path, error) if isinstance(error, OSError) else error from None


def list_errors(path: Path, errors: Sequence[dict[str, Any]]) -> Path | None:
    """Write what could not be done, one object a line, and give the file back; without errors there is none."""
    if errors:
        write_jsonl(path, errors)
        return path
    path.unlink(missing_ok=True)
    return None


def digest_of(examples: Iterable[Example]) -> str:
    """64 hexadecimal digits that tell these examples, in this order and under these guidelines, from others."""
    digest = hashlib.sha256()
    for e in examples:
        digest.update(e.model_dump_json(exclude={"guideline"}).encode() + e.guideline.hash.encode())
    return digest.hexdigest()


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


def drop_own_torn_line(path: Path | str, schema: str) -> None:
    """`drop_torn_line` of a file that begins as one of ours, with its schema. InputError where it is no file or holds
    something else, of which nothing is touched: its last line may well lack a line break."""
    path, remedy = Path(path), "choose another output"
    if not path.is_file():
        raise InputError("is no file", file=path, remedy=remedy)
    with open(path, "rb") as handle:
        head = handle.read(len(schema) + 20)
    starts = [f'{{"schema":{blank}"{schema}"'.encode() for blank in ("", " ")]
    if not any(head.startswith(start) or start.startswith(head) for start in starts):
        kind = schema.partition(".")[2].partition("/")[0]
        raise InputError(f"holds something else than {kind}s", file=path, line=1, remedy=remedy)
    drop_torn_line(path)


def keep_lines(path: Path | str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Drop every line whose object is not `wanted`, and a torn last one; the others stay byte by byte. The file is
    replaced as a whole. DataError names a line that is not JSON."""
    path = Path(path)
    drop_torn_line(path)
    keep = {number for number, row in read_jsonl(path) if wanted(row)}
    with open(path, "rb") as old, _whole(path, "wb") as new:
        new.writelines(line for number, line in enumerate(old, start=1) if number in keep)


def write_text(path: Path | str, text: str) -> None:
    """Write a text file in UTF-8; it appears whole or not at all."""
    with _whole(Path(path)) as handle:
        handle.write(text)


def _line(row: Record | dict[str, Any]) -> str:
    return (row.to_line() if isinstance(row, Record) else json.dumps(row, ensure_ascii=False)) + "\n"
