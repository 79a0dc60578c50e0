"""DyGIE JSONL: documents of tokenised sentences with entities, relations and coreference clusters, as SciERC has them.

One document a line; spans are token indices of the whole document and inclusive; `ner` and `relations` have one list a
sentence; `clusters`, like `dataset` and every further key, may be absent (D. Wadden et al., EMNLP 2019, and the page
of the code on its data; Y. Luan et al., EMNLP 2018):

    {"doc_key": "K1", "sentences": [["Kestrel", "finds", "nests", "."], ["It", "sees", "well", "."]],
     "ner": [[[0, 0, "Method"], [2, 2, "Task"]], [[4, 4, "Generic"]]],
     "relations": [[[0, 0, 2, 2, "USED-FOR"]], []], "clusters": [[[0, 0], [4, 4]]]}

A document is read whole: its text is all tokens joined by spaces, and `DygieDocument.by_sentence` cuts it up, since
relations never leave a sentence. Clusters may: they are kept with the whole document.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows
from bythebook.readers.paths import files_of
from bythebook.readers.tokens import TokenText
from bythebook.types import Entity, LabelName, Noun, Span

__all__ = ["DygieDocument", "check_dygie", "read_dygie", "read_dygie_file"]

REMEDY = "a line is one JSON object with doc_key, sentences, ner and relations"
_SUFFIXES = (".json", ".jsonl")

Mention = tuple[int, int]
"""First and last token."""


class DygieDocument(Noun):
    """A document, where its sentences lie in its text, and which of its mentions mean the same thing."""

    whole: Document
    """Entities are numbered from 1 in the order of the file."""
    sentences: tuple[Span, ...]
    clusters: tuple[tuple[Span, ...], ...] = ()
    """Of each cluster its mentions, which need be no entities."""

    def by_sentence(self) -> list[Document]:
        """One document a sentence, `<id>-<number from 1>`, with its entities and relations under their ids."""
        whole, out = self.whole, []
        for number, sentence in enumerate(self.sentences, start=1):
            inside = {e.id: e for e in whole.entities if sentence.start <= e.span.start and e.span.end <= sentence.end}
            moved = [
                e.model_copy(
                    update={"span": Span(start=e.span.start - sentence.start, end=e.span.end - sentence.start)}
                )
                for e in inside.values()
            ]
            relations = None
            if whole.relations is not None:
                relations = tuple(r for r in whole.relations if r.head in inside and r.tail in inside)
            update = {
                "id": f"{whole.id}-{number}",
                "text": sentence.of(whole.text),
                "entities": tuple(moved),
                "relations": relations,
            }
            out.append(whole.model_copy(update=update))
        return out


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    doc_key: str
    sentences: list[list[str]]
    ner: list[list[tuple[int, int, str]]]
    relations: list[list[tuple[int, int, int, int, LabelName]]] | None = None
    clusters: list[list[Mention]] = []


class _Names:
    """Which names a file may use; None: any."""

    def __init__(self, entity_types: frozenset[str] | None, relations: frozenset[str] | None) -> None:
        self.entity_types, self.relations = entity_types, relations

    def faults(self, row: _Row) -> Iterator[str]:
        kinds = [n[2] for ner in row.ner for n in ner]
        types = [r[4] for relations in row.relations or () for r in relations]
        for what, given, known in (
            ("entity types", kinds, self.entity_types),
            ("relations", types, self.relations),
        ):
            for name in dict.fromkeys(given):
                if known is not None and name not in known:
                    yield f"not one of the {len(known)} {what}: {name[:60]!r}"


def read_dygie_file(
    path: Path,
    faults: Faults,
    *,
    entity_types: frozenset[str] | None = None,
    relations: frozenset[str] | None = None,
) -> list[DygieDocument]:
    """Every document of a file; what is wrong is added to `faults`.

    Names other than `entity_types` and `relations`, where given, are faults. A relation that stands twice, and one of
    an entity with itself, are slips. DataError if the file can't be read.
    """
    names, found, lines = _Names(entity_types, relations), list[DygieDocument](), dict[str, int]()
    before = len(faults.rows)
    for line, row in json_rows(path, _Row, faults):
        wrong = [*_form(row), *names.faults(row)]
        if row.doc_key in lines:
            wrong.append(f"the doc_key {row.doc_key!r} stands in line {lines[row.doc_key]} already")
        lines.setdefault(row.doc_key, line)
        for message in wrong:
            faults.add(path, line, message)
        if not wrong:
            found.append(_document(row, path, line, faults))
    if not found and len(faults.rows) == before:
        faults.add(path, 1, "the file holds no document")
    return found


def _form(row: _Row) -> Iterator[str]:
    """What keeps a document from being read: lists that don't fit, and spans of tokens that aren't there."""
    parts = {"ner": len(row.ner)} | ({} if row.relations is None else {"relations": len(row.relations)})
    for name, number in parts.items():
        if number != len(row.sentences):
            yield f"{name} has {number} lists for {len(row.sentences)} sentences"
            return
    first = 0
    for number, tokens in enumerate(row.sentences, start=1):
        end = first + len(tokens)
        if not " ".join(tokens).strip():
            yield f"sentence {number} is empty"
        mentions = [(a, b) for a, b, _ in row.ner[number - 1]]
        for a, b in mentions:
            if not first <= a <= b < end:
                yield f"entity {[a, b]} does not lie in its sentence, whose tokens are {first} to {end - 1}"
        if len(set(mentions)) < len(mentions):
            yield f"two entities of sentence {number} have the same tokens"
        for a, b, c, d, _ in row.relations[number - 1] if row.relations else ():
            if (a, b) not in mentions or (c, d) not in mentions:
                yield f"the relation {[a, b, c, d]} joins tokens that are no entity of its sentence"
        first = end
    for a, b in (m for cluster in row.clusters for m in cluster):
        if not 0 <= a <= b < first:
            yield f"the mention {[a, b]} of a cluster has no such tokens"


def _document(row: _Row, path: Path, line: int, faults: Faults) -> DygieDocument:
    tokens = TokenText([token for sentence in row.sentences for token in sentence])
    ids: dict[Mention, str] = {}
    entities = []
    for first, last, kind in (n for ner in row.ner for n in ner):
        name = ids[first, last] = str(len(ids) + 1)
        entities.append(Entity(id=name, span=tokens.known_span(first, last), type=kind))
    kept: dict[DocumentRelation, None] = {}
    for a, b, c, d, kind in (r for relations in row.relations or () for r in relations):
        relation = DocumentRelation(head=ids[a, b], tail=ids[c, d], type=kind)
        if relation.head == relation.tail:
            faults.slip(path, line, f"a relation {kind!r} joins the entity {[a, b]} with itself")
        elif relation in kept:
            faults.slip(path, line, f"the relation {[a, b, c, d, kind]} stands twice")
        else:
            kept[relation] = None
    sentences, at = [], 0
    for sentence in row.sentences:
        sentences.append(tokens.known_span(at, at + len(sentence) - 1))
        at += len(sentence)
    return DygieDocument(
        whole=Document(
            id=row.doc_key,
            text=tokens.text,
            entities=tuple(entities),
            relations=None if row.relations is None else tuple(kept),
            line=line,
        ),
        sentences=tuple(sentences),
        clusters=tuple(tuple(tokens.known_span(a, b) for a, b in cluster) for cluster in row.clusters),
    )


def _read(path: Path | str) -> tuple[dict[str, list[DygieDocument]], Faults]:
    faults = Faults(remedy=REMEDY)
    files = files_of(
        path,
        _SUFFIXES,
        missing="no .json and no .jsonl file in this folder",
        remedy="give a file in the format of DyGIE, or a folder of them",
    )
    return {file.stem: read_dygie_file(file, faults) for file in files}, faults


def read_dygie(path: Path | str) -> dict[str, list[DygieDocument]]:
    """File stem → documents, of a file or of the `.json` and `.jsonl` files of a folder.

    Slips are left out. DataError names file and line of the first other fault.
    """
    found, faults = _read(path)
    faults.refuse()
    return found


def check_dygie(path: Path | str) -> dict[str, Any]:
    """{"rows": {file stem: documents}, "faults": [{"file", "line", "message"}]}: every fault, slips included."""
    found, faults = _read(path)
    return faults.beside(found)
