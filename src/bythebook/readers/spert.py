"""SpERT JSON: tokenised sentences with entities and relations by index, one JSON list a file.

    [{"tokens": ["Insomnia", "…"], "entities": [{"type": "symptom", "start": 0, "end": 1}, …],
      "relations": [{"type": "risk_factor_of", "head": 0, "tail": 1}], "orig_id": "123_0"}, …]

Token spans end before `end`; `head` and `tail` count entities from 0; further keys are ignored. Format: M. Eberts,
A. Ulges, ECAI 2020, and what reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import DataError
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.readers.tokens import TokenText
from bythebook.types import Entity, Span

__all__ = ["read_spert"]


class _Entity(BaseModel):
    model_config = ConfigDict(strict=True)
    type: str
    start: int
    end: int


class _Relation(BaseModel):
    model_config = ConfigDict(strict=True)
    type: str
    head: int
    tail: int


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    tokens: list[str]
    entities: list[_Entity]
    relations: list[_Relation]
    orig_id: str | int | None = None


def read_spert(path: Path, relations: frozenset[str], faults: Faults) -> list[Document]:
    """Every sentence of a file; what is wrong is added to `faults`, with the line on which the sentence starts.

    A sentence without `orig_id` is called `<file stem>-<number from 1>`. A relation whose type is none of `relations`,
    and one that stands twice, are slips. DataError if the file can't be read or is no JSON list.
    """
    documents: list[Document] = []
    lines: dict[str, int] = {}
    for number, (line, item) in enumerate(_items(path), start=1):
        try:
            row = _Row.model_validate(item)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(x) for x in first["loc"])
            faults.add(path, line, f"sentence {number}: {where}: {first['msg']}" if where else first["msg"])
            continue
        name = f"{path.stem}-{number}" if row.orig_id is None else str(row.orig_id)
        document, wrong = _document(row, name, line, path, relations, faults)
        if name in lines:
            wrong.append(f"the orig_id {name!r} stands in line {lines[name]} already")
        lines.setdefault(name, line)
        for message in wrong:
            faults.add(path, line, f"sentence {number}: {message}")
        if document and not wrong:
            documents.append(document)
    return documents


def _document(
    row: _Row, name: str, line: int, path: Path, relations: frozenset[str], faults: Faults
) -> tuple[Document | None, list[str]]:
    tokens, entities, wrong = TokenText(row.tokens), [], []
    for i, e in enumerate(row.entities):
        span = tokens.span(e.start, e.end - 1)
        if span is None:
            wrong.append(f"entity {i} is [{e.start}, {e.end}) of {len(tokens)} tokens")
        entities.append(Entity(id=str(i), span=span or Span(start=0, end=0), type=e.type))
    kept: dict[DocumentRelation, None] = {}
    for r in row.relations:
        if r.type not in relations:
            faults.slip(path, line, f"not one of the {len(relations)} relations: {r.type[:60]!r}")
        elif not (0 <= r.head < len(entities) and 0 <= r.tail < len(entities)):
            wrong.append(f"a relation joins {r.head} and {r.tail} of {len(entities)} entities")
        elif r.head == r.tail:
            faults.slip(path, line, "a relation joins an entity with itself")
        elif (relation := DocumentRelation(head=str(r.head), tail=str(r.tail), type=r.type)) in kept:
            faults.slip(path, line, "the relation stands twice")
        else:
            kept[relation] = None
    if wrong or not tokens.text.strip():
        return None, wrong or ["the sentence is empty"]
    return Document(id=name, text=tokens.text, entities=tuple(entities), relations=tuple(kept), line=line), []


def _items(path: Path) -> Iterator[tuple[int, Any]]:
    """(line on which it starts, item) of every item of a JSON list."""
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
        raise DataError("the file holds no JSON list", file=path, line=line, remedy="a list of sentences: [{…}, …]")
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
