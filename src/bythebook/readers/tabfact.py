"""TabFact as released (W. Chen et al., ICLR 2020, arXiv 1909.02164).

`tokenized_data/{train,val,test}_examples.json` holds, by the id of a table, `[statements, labels, caption]`, with label
1 for entailed and 0 for refuted. The table is the file `data/all_csv/<id>`: columns stand apart by `#`, and the first
line is the header. A table whose lines differ in their number of columns is a slip and left out with its statements.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bythebook.errors import DataError, said
from bythebook.readers.faults import Faults
from bythebook.readers.table_questions import TableQuestion, flat_table, read_text
from bythebook.schema.tables import ENTAILED, REFUTED, Table

__all__ = ["is_tabfact", "read_tabfact"]

_SPLITS = {"train": "train", "val": "dev", "test": "test"}
_Row = tuple[list[str], list[int], str]
_ROW: TypeAdapter[_Row] = TypeAdapter(_Row)


def is_tabfact(path: Path) -> bool:
    """Whether a path is the folder of a release."""
    return any((path / "tokenized_data" / f"{name}_examples.json").is_file() for name in _SPLITS)


def read_tabfact(path: Path, faults: Faults) -> dict[str, list[TableQuestion]]:
    """The statements of a release's folder, by split; ids are `<table>-<number from 1>`. Faults are added with the line
    of their table; DataError if a file can't be read or is no JSON object."""
    files = {split: path / "tokenized_data" / f"{name}_examples.json" for name, split in _SPLITS.items()}
    return {split: _statements(file, path, faults) for split, file in files.items() if file.is_file()}


def _statements(file: Path, folder: Path, faults: Faults) -> list[TableQuestion]:
    text = read_text(file)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise DataError("not JSON", file=file, line=line) from None
    if not isinstance(found, dict):
        raise DataError("no JSON object", file=file, line=1, remedy="{table: [statements, labels, caption]}")
    out: list[TableQuestion] = []
    for name, row in found.items():
        try:
            out += _of_table(name, row, folder)
        except _SlipError as slip:
            faults.slip(file, _line_of(name, text), str(slip))
        except ValueError as error:
            message = said(error) if isinstance(error, ValidationError) else str(error)
            faults.add(file, _line_of(name, text), f"table {name}: {message}")
    return out


class _SlipError(Exception):
    """Something that can't be meant as it stands."""


def _of_table(name: str, row: object, folder: Path) -> list[TableQuestion]:
    """The statements about one table. ValueError and _SlipError say what is wrong."""
    statements, labels, caption = _ROW.validate_python(row)
    if len(statements) != len(labels) or not set(labels) <= {0, 1}:
        raise ValueError("every statement has one label, 0 or 1")
    if "/" in name or "\\" in name or name.startswith("."):
        raise ValueError("no name of a file")
    table = _table(folder / "data" / "all_csv" / name, caption)
    return [
        TableQuestion(
            id=f"{name}-{number}",
            table=table,
            question=statement,
            kind="verdict",
            answers=(ENTAILED if label else REFUTED,),
        )
        for number, (statement, label) in enumerate(zip(statements, labels, strict=True), start=1)
    ]


def _table(file: Path, caption: str) -> Table:
    try:
        lines = [line.rstrip("\r").split("#") for line in read_text(file).rstrip("\r\n").split("\n")]
    except DataError as error:
        raise ValueError(str(error)) from None
    try:
        return flat_table(lines, caption)
    except ValueError as error:
        raise _SlipError(f"table {file.name}: {error}") from None


def _line_of(name: str, text: str) -> int:
    """The line on which a table's entry begins; 1 where its name is written in another way."""
    return 1 + text.count("\n", 0, max(text.find(json.dumps(name)), 0))
