r"""WikiTableQuestions as released (P. Pasupat, P. Liang, ACL 2015, arXiv 1508.00305; version 1.0.2).

`data/*.tsv` has the columns `id`, `utterance`, `context` and `targetValue`: the table is the file that `context` names
below the release's folder, and answers are joined by `|`, with `\n`, `\p` and `\\` for a line break, a bar and a
backslash. A table is comma-separated, its first row is the header; every field is quoted, with `\"` and `\\` inside.

The file says the split: `training` is `train`, `pristine-seen-tables` is `dev`, `pristine-unseen-tables` is `test`; the
random splits cut `training` anew and are read only where the path is that of the file.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from bythebook.errors import DataError, said
from bythebook.readers.faults import Faults
from bythebook.readers.table_questions import TableQuestion, flat_table, read_text
from bythebook.schema.tables import Table

__all__ = ["is_wikitablequestions", "read_table", "read_wikitablequestions", "target_values"]

_SPLITS = {"training": "train", "pristine-seen-tables": "dev", "pristine-unseen-tables": "test"}
_COLUMNS = ["id", "utterance", "context", "targetValue"]
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "p": "|", "\\": "\\"}


def is_wikitablequestions(path: Path) -> bool:
    """Whether a path is the folder of a release, or one of its files of questions."""
    return path.suffix == ".tsv" or any((path / "data" / f"{name}.tsv").is_file() for name in _SPLITS)


def read_wikitablequestions(path: Path, faults: Faults) -> dict[str, list[TableQuestion]]:
    """The questions of a release's folder or of one of its files, by split. Faults are added with their line; DataError
    if a file can't be read."""
    folder = path.parent.parent if path.is_file() else path
    files = [path] if path.is_file() else [folder / "data" / f"{name}.tsv" for name in _SPLITS]
    tables: dict[str, Table | str] = {}
    return {
        _SPLITS.get(file.stem, file.stem): _questions(file, folder, tables, faults) for file in files if file.is_file()
    }


def _questions(file: Path, folder: Path, tables: dict[str, Table | str], faults: Faults) -> list[TableQuestion]:
    lines = read_text(file).split("\n")
    if lines[0].rstrip("\r").split("\t") != _COLUMNS:
        raise DataError(
            f"the header is not {' '.join(_COLUMNS)}", file=file, line=1, remedy="columns stand apart by tabs"
        )
    out: list[TableQuestion] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        fields = line.rstrip("\r").split("\t")
        if fields == [""]:
            continue
        if len(fields) != len(_COLUMNS):
            faults.add(file, number, f"{len(fields)} columns: {len(_COLUMNS)} are due")
            continue
        name, question, context, target = fields
        if name in seen:
            faults.add(file, number, f"the id {name!r} stands on line {seen[name]}, too")
            continue
        seen[name] = number
        table = _table_of(context, folder, tables)
        if isinstance(table, str):
            faults.add(file, number, table)
            continue
        try:
            answers = target_values(target)
            out.append(TableQuestion(id=name, table=table, question=question, kind="items", answers=answers))
        except ValidationError as error:
            faults.add(file, number, said(error))
    return out


def _table_of(context: str, folder: Path, tables: dict[str, Table | str]) -> Table | str:
    """The table, or what is wrong with it."""
    if context not in tables:
        inside = PurePosixPath(context)
        if inside.is_absolute() or ".." in inside.parts or "\x00" in context:
            tables[context] = f"the table {context!r} lies outside the release's folder"
        else:
            try:
                tables[context] = read_table(folder / inside)
            except (DataError, ValueError) as error:
                tables[context] = f"the table {context}: {error}"
    return tables[context]


def read_table(file: Path) -> Table:
    """One table of a release. DataError if it can't be read, ValueError where it breaks the format."""
    lines = io.StringIO(read_text(file), newline="")
    try:
        return flat_table(list(csv.reader(lines, doublequote=False, escapechar="\\", strict=True)))
    except csv.Error as error:
        raise ValueError(f"not comma-separated: {error}") from None


def target_values(written: str) -> tuple[str, ...]:
    r"""The answers of a cell of `targetValue`: split at every bar, then `\n`, `\p` and `\\` undone."""
    return tuple(_ESCAPED.sub(lambda m: _MEANT.get(m[1], m[0]), part) for part in written.split("|"))
