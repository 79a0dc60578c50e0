"""Documents with values under keys, from JSONL: one's own scans after text recognition, notes, tables as text.

    {"id": "…", "lines": ["…", "…"], "keys": [{"name", "description", "keys", "many"}], "values": {…}, "domain": "…"}

`text` may stand for `lines`. A key with `keys` of its own is an object; with `"many": true` it is a list, of texts or
of such objects. Where rows have no `keys`, those of the file `keys.json` beside them hold for all of them: a list of
keys, or `{"title", "keys"}`. `values` is absent where nobody has annotated the document; a number is the text of its
digits. `id`, `domain` and descriptions may be left out.

A scan stands under `image`, as the name of a file beside the JSONL; then there need be no `lines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from bythebook.errors import DataError, said
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import named_rows, read_rows
from bythebook.readers.paths import files_of
from bythebook.schema.json_text import read_object
from bythebook.schema.key_values import Key, KeySchema, KeyValueGold
from bythebook.types import Noun

__all__ = ["KEYS_FILE", "KeyedDocument", "read_keyed_documents"]

KEYS_FILE = "keys.json"
_REMEDY = 'a line is {"lines": ["…"], "keys": [{"name": "…", "description": "…"}], "values": {"…": "…"}}'
_TITLE = "Documents"


class KeyedDocument(Noun):
    """A document with its keys and, where it is annotated, their values."""

    id: str
    lines: tuple[str, ...]
    """In reading order."""
    title: str
    """What kind of document it is."""
    key_schema: KeySchema
    values: dict[str, JsonValue] | None
    domain: str
    image: Path | None = None
    """The scan."""


class _Keys(BaseModel):
    model_config = ConfigDict(extra="ignore")

    title: str = _TITLE
    keys: tuple[Key, ...]


class _Row(BaseModel):
    """Further keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    id: str | None = Field(default=None, min_length=1)
    lines: tuple[str, ...] | None = None
    text: str | None = None
    title: str | None = None
    keys: tuple[Key, ...] | None = None
    values: dict[str, JsonValue] | None = None
    domain: str | None = None
    image: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _has_a_text(self) -> _Row:
        if self.image is not None and self.lines is None and self.text is None:
            return self
        if (self.lines is None) == (self.text is None):
            raise ValueError("the document stands under `lines` or under `text`")
        if not any(line.strip() for line in self.written()):
            raise ValueError("the document is empty")
        return self

    def written(self) -> tuple[str, ...]:
        """The lines, none of which holds a line break."""
        whole = (self.text,) if self.lines is None else self.lines
        return tuple(line for part in whole for line in (part or "").splitlines())


def read_keyed_documents(path: Path | str, faults: Faults) -> dict[str, list[KeyedDocument]]:
    """The documents of a JSONL file or of each JSONL file of a folder, by the file's name without its ending. Faults
    are added with their line; DataError if nothing can be read at all, or for a `keys.json` that breaks the format."""
    faults.remedy = _REMEDY
    files = files_of(path, (".jsonl",), missing="there is no .jsonl in this folder", remedy=_REMEDY)
    shared = _shared_keys(files[0].parent / KEYS_FILE)
    return {file.stem: list(_documents(file, shared, faults)) for file in files}


def _shared_keys(file: Path) -> _Keys | None:
    if not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
        found = _Keys.model_validate_json(text if text.lstrip().startswith("{") else f'{{"keys": {text}}}')
        KeySchema(keys=found.keys)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise DataError("not UTF-8", file=file, remedy="save the file as UTF-8") from None
    except ValidationError as error:
        raise DataError(said(error), file=file, remedy='write [{"name": "…", "description": "…"}, …]') from None
    return found


def _documents(file: Path, shared: _Keys | None, faults: Faults) -> Iterator[KeyedDocument]:
    # Numbers keep their digits, which the usual readers of JSON lines would turn into floats.
    rows = read_rows(file, lambda text: _Row.model_validate(_object(text.strip())), faults)
    empty = True
    for line, name, row in named_rows(file, rows, faults):
        empty = False
        try:
            yield _document(row, name, shared, file.parent)
        except ValidationError as error:
            faults.add(file, line, said(error))
        except ValueError as error:
            faults.add(file, line, str(error))
    if empty and not faults.rows:
        faults.add(file, 1, "the file holds no document")


def _object(text: str) -> dict[str, Any]:
    found = read_object(text, 0, len(text))
    if found is None or text[found.end :].strip():
        raise ValueError("the line is no JSON object")
    if found.repeated:
        raise ValueError("an object has a key twice")
    return found.values


def _document(row: _Row, name: str, shared: _Keys | None, folder: Path) -> KeyedDocument:
    """The document of a row. ValueError, or pydantic's ValidationError, says what is wrong with it."""
    image = None if row.image is None else folder / row.image
    if image is not None and not image.is_file():
        raise ValueError(f"there is no image {row.image}")
    keys = row.keys or (shared.keys if shared else None)
    if keys is None:
        raise ValueError(f"there are no keys, neither here nor in {KEYS_FILE}")
    schema = KeySchema(keys=keys)
    if row.values is not None:
        KeyValueGold(key_schema=schema, values=row.values)
        for code, what in schema.faults(row.values):
            raise ValueError(f"no such key is declared: {what}" if code == "unknown_key" else f"values: {what}")
    title = row.title or (shared.title if shared else _TITLE)
    return KeyedDocument(
        id=name,
        lines=row.written(),
        title=title,
        key_schema=schema,
        values=row.values,
        domain=(row.domain or "").strip() or title.lower(),
        image=image,
    )
