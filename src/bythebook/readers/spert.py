"""SpERT JSON: tokenised sentences with entities and relations by index, one JSON list a file.

    [{"tokens": ["Insomnia", "…"], "entities": [{"type": "symptom", "start": 0, "end": 1}, …],
      "relations": [{"type": "risk_factor_of", "head": 0, "tail": 1}], "orig_id": "123_0"}, …]

Token spans end before `end`; `head` and `tail` count entities from 0; further keys are ignored. Format: M. Eberts,
A. Ulges, ECAI 2020, and what reads it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import first_fault, said
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_items
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
    for number, (line, item) in enumerate(json_items(path, "sentences"), start=1):
        try:
            row = _Row.model_validate(item)
        except ValidationError as error:
            faults.add(path, line, f"sentence {number}: {said(error)}" if first_fault(error)[0] else said(error))
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
