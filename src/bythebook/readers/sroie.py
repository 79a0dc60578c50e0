"""SROIE, receipts after text recognition (Huang et al. 2019, ICDAR 2019 competition; arXiv 2103.10213).

A folder with two folders: `box/NNN.csv`, a line of the receipt a row, `x1,y1,…,x4,y4,text` without quoting, where the
text may hold commas; and `key/NNN.json`, an object with `company`, `date`, `address` and `total`, of which some may be
absent. A receipt without a key file is one that nobody has annotated. The numbering has no split: receipts below 200
are `train`, the others `test`.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import JsonValue

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.schema.json_text import read_object
from bythebook.types import Noun

__all__ = ["FIRST_TEST", "RECEIPT_KEYS", "OcrLine", "Receipt", "read_sroie"]

RECEIPT_KEYS = ("company", "date", "address", "total")
FIRST_TEST = 200
_CORNERS = 8
_NUMBER = re.compile(r"-?\d{1,6}")
_REMEDY = "give the folder that holds `box` and `key`"


class OcrLine(Noun):
    """A line as recognised."""

    text: str
    box: tuple[int, ...]
    """x and y of its four corners, in pixels."""


class Receipt(Noun):
    """One receipt; `values` is None where it has no key file."""

    id: str
    lines: tuple[OcrLine, ...]
    values: dict[str, str] | None
    split: str


def read_sroie(path: Path | str, faults: Faults) -> list[Receipt]:
    """The receipts by name. Faults are added with file and line; an empty value is kept as it stands and said.
    DataError if the folder is no SROIE folder."""
    folder = Path(path)
    boxes = {file.stem: file for file in sorted((folder / "box").glob("*.csv"))}
    keys = {file.stem: file for file in sorted((folder / "key").glob("*.json"))}
    if not boxes:
        raise DataError("no folder `box` with .csv files", file=folder, remedy=_REMEDY)
    faults.remedy = "`x1,y1,x2,y2,x3,y3,x4,y4,text` a line in `box`, one JSON object a file in `key`"
    for name in keys:
        if name not in boxes:
            faults.add(keys[name], 1, f"there is no box/{name}.csv beside it")
    found = []
    for name, file in boxes.items():
        values = _values(keys[name], faults) if name in keys else None
        lines = _lines(file, faults)
        test = not name.isdecimal() or int(name) >= FIRST_TEST
        found.append(Receipt(id=name, lines=lines, values=values, split="test" if test else "train"))
    return found


def _text(file: Path, faults: Faults) -> str | None:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=file) from None
    except UnicodeDecodeError:
        faults.add(file, 1, "not UTF-8")
        return None


def _lines(file: Path, faults: Faults) -> tuple[OcrLine, ...]:
    found = []
    for number, line in enumerate((_text(file, faults) or "").split("\n"), start=1):
        if not line.strip():
            continue
        *corners, text = line.rstrip("\r").split(",", _CORNERS)
        if len(corners) != _CORNERS or not all(_NUMBER.fullmatch(corner) for corner in corners):
            faults.add(file, number, "eight numbers and a text are due, with commas between them")
        elif not text.strip():
            faults.add(file, number, "the line has a box and no text")
        else:
            found.append(OcrLine(text=text.strip(), box=tuple(map(int, corners))))
    if not found and not faults.rows:
        faults.add(file, 1, "the receipt has no line")
    return tuple(found)


def _values(file: Path, faults: Faults) -> dict[str, str] | None:
    text = (_text(file, faults) or "").strip()
    found = read_object(text, 0, len(text))
    if found is None or text[found.end :].strip() or found.repeated:
        faults.add(file, 1, "no JSON object, or one that has a key twice")
        return None
    return {key: value for key in found.values if (value := _value(key, found.values[key], file, faults)) is not None}


def _value(key: str, value: JsonValue, file: Path, faults: Faults) -> str | None:
    if key not in RECEIPT_KEYS or not isinstance(value, str):
        faults.add(file, 1, f"{key[:40]!r}: keys are {', '.join(RECEIPT_KEYS)}, each with a text")
        return None
    if not value.strip():
        faults.kept(file, 1, f"the {key} is empty")
    return value
