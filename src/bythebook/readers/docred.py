"""DocRED JSON: documents of tokenised sentences with entities as clusters of mentions, and relations between clusters.

One JSON list a file; `pos` counts tokens of its sentence, the end is exclusive; `h` and `t` count `vertexSet` from 0;
`labels` are absent from a test set; `evidence` and further keys are not read (Y. Yao et al., ACL 2019, and the
release's page on its format; Re-DocRED has the same):

    [{"title": "Alm", "sents": [["Alm", "is", "a", "town", "."], ["The", "town", "lies", "in", "Norway", "."]],
      "vertexSet": [[{"name": "Alm", "pos": [0, 1], "sent_id": 0, "type": "LOC"}],
                    [{"name": "Norway", "pos": [4, 5], "sent_id": 1, "type": "LOC"}]],
      "labels": [{"h": 0, "t": 1, "r": "P17", "evidence": [1]}]}]

An `Entity` of the document is a mention, `<vertex>.<mention>`, both from 0; a relation joins the first mentions of its
two clusters, and `DocredDocument.clusters` says which mentions mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bythebook.errors import said
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_items
from bythebook.readers.paths import files_of
from bythebook.readers.tokens import TokenText
from bythebook.types import Entity, LabelName, Noun, Span

__all__ = ["DocredDocument", "check_docred", "read_docred", "read_docred_file"]

REMEDY = "a file is one JSON list of documents with title, sents, vertexSet and labels"


class DocredDocument(Noun):
    """A document, where its sentences lie in its text, and of each entity the ids of its mentions."""

    whole: Document
    sentences: tuple[Span, ...]
    clusters: tuple[tuple[str, ...], ...]


class _Mention(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str
    pos: list[int] = Field(min_length=2, max_length=2)
    sent_id: int
    type: str


class _Label(BaseModel):
    model_config = ConfigDict(strict=True)
    h: int
    t: int
    r: LabelName


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    title: str
    sents: list[list[str]]
    vertexSet: list[list[_Mention]]
    labels: list[_Label] | None = None


def read_docred_file(path: Path, faults: Faults) -> list[DocredDocument]:
    """Every document of a file; what is wrong is added to `faults`, with the line on which the document starts.

    A relation that stands twice, one of an entity with itself, and a mention that stands twice in its cluster are
    slips. A title that has stood before gets a number, since titles of Wikipedia come back. DataError if the file can't
    be read or is no JSON list.
    """
    found, names = list[DocredDocument](), set[str]()
    before = len(faults.rows)
    for number, (line, item) in enumerate(json_items(path, "documents"), start=1):
        try:
            row = _Row.model_validate(item)
        except ValidationError as error:
            faults.add(path, line, f"document {number}: {said(error)}")
            continue
        wrong = list(_form(row))
        for message in wrong:
            faults.add(path, line, f"document {number}: {message}")
        if not wrong:
            name = row.title if row.title not in names else f"{row.title} ({number})"
            names.add(name)
            found.append(_document(row, name, path, line, faults))
    if not found and len(faults.rows) == before:
        faults.add(path, 1, "the file holds no document")
    return found


def _form(row: _Row) -> Iterator[str]:
    """What keeps a document from being read: tokens, sentences and entities that aren't there."""
    if not row.title.strip():
        yield "the title is empty"
    for number, tokens in enumerate(row.sents):
        if not " ".join(tokens).strip():
            yield f"sentence {number} is empty"
    for number, mentions in enumerate(row.vertexSet):
        if not mentions:
            yield f"entity {number} has no mention"
        for m in mentions:
            if not 0 <= m.sent_id < len(row.sents):
                yield f"entity {number}: there is no sentence {m.sent_id}"
            elif not 0 <= m.pos[0] < m.pos[1] <= len(row.sents[m.sent_id]):
                size = len(row.sents[m.sent_id])
                yield f"entity {number}: pos {m.pos} does not lie in sentence {m.sent_id} of {size} tokens"
    for label in row.labels or ():
        for role, vertex in (("h", label.h), ("t", label.t)):
            if not 0 <= vertex < len(row.vertexSet):
                yield f"a label's {role} is {vertex}, there are {len(row.vertexSet)} entities"


def _document(row: _Row, name: str, path: Path, line: int, faults: Faults) -> DocredDocument:
    tokens = TokenText([token for sentence in row.sents for token in sentence])
    starts, at = [], 0
    for sentence in row.sents:
        starts.append(at)
        at += len(sentence)
    entities, clusters = [], []
    for vertex, mentions in enumerate(row.vertexSet):
        spans: dict[tuple[Span, str], str] = {}
        for number, m in enumerate(mentions):
            span = tokens.known_span(starts[m.sent_id] + m.pos[0], starts[m.sent_id] + m.pos[1] - 1)
            if (span, m.type) in spans:
                faults.slip(path, line, f"entity {vertex} of {name!r} has the mention {m.name[:60]!r} twice")
                continue
            spans[span, m.type] = f"{vertex}.{number}"
            entities.append(Entity(id=f"{vertex}.{number}", span=span, type=m.type))
        clusters.append(tuple(spans.values()))
    kept: dict[DocumentRelation, None] = {}
    for label in row.labels or ():
        relation = DocumentRelation(head=clusters[label.h][0], tail=clusters[label.t][0], type=label.r)
        if label.h == label.t:
            faults.slip(path, line, f"a relation {label.r!r} of {name!r} joins entity {label.h} with itself")
        elif relation in kept:
            faults.slip(path, line, f"the relation {[label.h, label.t, label.r]} of {name!r} stands twice")
        else:
            kept[relation] = None
    relations = None if row.labels is None else tuple(kept)
    ends = [start + len(sentence) - 1 for start, sentence in zip(starts, row.sents, strict=True)]
    return DocredDocument(
        whole=Document(id=name, text=tokens.text, entities=tuple(entities), relations=relations, line=line),
        sentences=tuple(tokens.known_span(start, end) for start, end in zip(starts, ends, strict=True)),
        clusters=tuple(clusters),
    )


def _read(path: Path | str) -> tuple[dict[str, list[DocredDocument]], Faults]:
    faults = Faults(remedy=REMEDY)
    files = files_of(
        path,
        (".json",),
        missing="no .json file in this folder",
        remedy="give a file in the format of DocRED, or a folder of them",
    )
    return {file.stem: read_docred_file(file, faults) for file in files}, faults


def read_docred(path: Path | str) -> dict[str, list[DocredDocument]]:
    """File stem → documents, of a file or of the `.json` files of a folder.

    Slips are left out. DataError names file and line of the first other fault.
    """
    found, faults = _read(path)
    faults.refuse()
    return found


def check_docred(path: Path | str) -> dict[str, Any]:
    """{"rows": {file stem: documents}, "faults": [{"file", "line", "message"}]}: every fault, slips included."""
    found, faults = _read(path)
    return faults.beside(found)
