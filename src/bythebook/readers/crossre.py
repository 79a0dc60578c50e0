"""CrossRE: the official files, as tokenised sentences with entities and relations.

Format (E. Bassignana, B. Plank, Findings of EMNLP 2022; README of the release): `<domain>-<split>.json`, one sentence a
line; spans are inclusive token indices; a relation also carries an explanation and two flags, which are not read:

    {"doc_key": "ai-dev-1", "sentence": ["Logo", "uses", "Lisp", "."], "ner": [[0, 0, "product"], [2, 2, "product"]],
     "relations": [[0, 0, 2, 2, "usage", "", false, false]]}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import DataError, said
from bythebook.guidelines import load_from_library
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.readers.tokens import TokenText
from bythebook.types import Entity, Span

__all__ = ["DOMAINS", "SPLITS", "check_crossre", "crossre_file", "read_crossre"]

DOMAINS = ("ai", "literature", "music", "news", "politics", "science")
SPLITS = ("train", "dev", "test")
_SUBFOLDER = "crossre_data"
_REMEDY = "a line is one JSON object with doc_key, sentence, ner and relations"


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    doc_key: str
    sentence: list[str]
    ner: list[tuple[int, int, str]]
    relations: list[list[Any]]


@lru_cache(maxsize=1)
def _relations() -> frozenset[str]:
    return frozenset(r.name for r in load_from_library("crossre").relation_types)


class _Reader:
    """Sentences and faults of one file after another; ids are unique over all of them."""

    def __init__(self) -> None:
        self.faults = Faults(remedy=_REMEDY)
        self.sentences: dict[tuple[str, str], list[Document]] = {}
        self.seen: dict[str, str] = {}

    def read(self, domain: str, split: str, path: Path) -> None:
        rows = self.sentences[domain, split] = []
        for number, raw in _lines(path):
            try:
                row = _Row.model_validate_json(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                self.faults.add(path, number, "not UTF-8")
            except ValidationError as error:
                self.faults.add(path, number, said(error))
            else:
                document = self._document(row, domain, path, number)
                if document:
                    rows.append(document)
        if not rows and not self.faults.rows:
            self.faults.add(path, 1, "the file holds no sentence")

    def _document(self, row: _Row, domain: str, path: Path, line: int) -> Document | None:
        tokens = TokenText(row.sentence)
        spans = [tokens.span(first, last) for first, last, _ in row.ner]
        wrong = [f"entity {list(n[:2])} has no such tokens" for n, s in zip(row.ner, spans, strict=True) if s is None]
        if not tokens.text.strip():
            wrong.append("the sentence is empty")
        if row.doc_key in self.seen:
            wrong.append(f"the doc_key {row.doc_key!r} stands in {self.seen[row.doc_key]} already")
        if len(set(spans)) < len(spans):
            wrong.append("two entities have the same tokens")
        self.seen.setdefault(row.doc_key, f"{path.name}, line {line}")
        ids = {(first, last): str(i) for i, (first, last, _) in enumerate(row.ner, start=1)}
        relations: dict[DocumentRelation, None] = {}
        for r in row.relations:
            found = _relation(r, ids)
            if isinstance(found, str):
                wrong.append(found)
            elif found.head == found.tail:
                self.faults.slip(path, line, f"a relation {found.type!r} joins an entity with itself")
            elif found in relations:
                self.faults.slip(path, line, f"the relation {found.type!r} stands twice between the same entities")
            else:
                relations[found] = None
        for message in wrong:
            self.faults.add(path, line, message)
        if wrong:
            return None
        entities = [
            Entity(id=ids[first, last], span=span or Span(start=0, end=0), type=kind)
            for (first, last, kind), span in zip(row.ner, spans, strict=True)
        ]
        return Document(
            id=row.doc_key,
            text=tokens.text,
            domain=domain,
            entities=tuple(entities),
            relations=tuple(relations),
            line=line,
        )


def _relation(row: list[Any], ids: dict[tuple[int, int], str]) -> DocumentRelation | str:
    """The relation, or what is wrong with it."""
    if len(row) < 5 or not all(type(x) is int for x in row[:4]) or not isinstance(row[4], str):
        return "a relation is [head start, head end, tail start, tail end, type, …]"
    head, tail = ids.get((row[0], row[1])), ids.get((row[2], row[3]))
    if head is None or tail is None:
        return f"the relation {row[:4]} joins tokens that are no entity"
    if row[4] not in _relations():
        return f"not one of the {len(_relations())} relations: {row[4][:60]!r}"
    return DocumentRelation(head=head, tail=tail, type=row[4])


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def crossre_file(path: Path | str, domain: str, split: str) -> Path:
    """The file of a domain and a split in the release's folder or in its `crossre_data`."""
    path = Path(path)
    folder = path / _SUBFOLDER if (path / _SUBFOLDER).is_dir() else path
    return folder / f"{domain}-{split}.json"


def _sources(path: Path | str) -> list[tuple[str, str, Path]]:
    """(domain, split, file) of every official file in the folder or in its `crossre_data`."""
    path = Path(path)
    if not path.is_dir():
        raise DataError("no such folder", file=path, remedy="give the folder crossre_data of the release")
    found = [(d, s, crossre_file(path, d, s)) for d in DOMAINS for s in SPLITS]
    found = [source for source in found if source[2].exists()]
    if not found:
        raise DataError("no <domain>-<split>.json", file=path, remedy="give the folder crossre_data of the release")
    return found


def _read(path: Path | str) -> _Reader:
    reader = _Reader()
    for domain, split, file in _sources(path):
        reader.read(domain, split, file)
    return reader


def read_crossre(path: Path | str) -> dict[tuple[str, str], list[Document]]:
    """(domain, split) → sentences, for every domain that the folder holds, of the six published ones.

    An entity's id is its place in `ner`, from 1. A relation of an entity with itself and one that stands twice (slips
    of the release) are left out. DataError names file and line of the first other fault.
    """
    reader = _read(path)
    reader.faults.refuse()
    return reader.sentences


def check_crossre(path: Path | str) -> dict[str, Any]:
    """{"rows": {"ai train": sentences, …}, "faults": [{"file", "line", "message"}]}: every fault, slips included."""
    reader = _read(path)
    rows = {f"{domain} {split}": len(found) for (domain, split), found in reader.sentences.items()}
    return {"rows": rows, "faults": reader.faults.rows}
