"""A team's own data: documents with given entities, and sentences with two marked mentions.

One JSON object a line. Offsets count characters, the end is exclusive:

    {"id": "d1", "text": "…", "domain": "…", "entities": [{"id": "t1", "start": 0, "end": 4, "type": "Tool"}, …],
     "relations": [{"head": "t1", "tail": "t2", "type": "Used-For"}]}
    {"id": "s1", "text": "The <e1>pump</e1> feeds the <e2>boiler</e2>.", "label": "Feeds(e1,e2)"}

`id`, `domain`, `type`, `relations` and `label` may be absent; further keys are ignored. Without `relations` or `label`
nobody has annotated the row; with an empty list somebody has, and found nothing. A `.txt` file holds one marked
sentence a line. Raw text is refused except where whoever reads finds the entities (`joint`, `raw`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bythebook.errors import DataError
from bythebook.records import loads
from bythebook.schema import Grammar
from bythebook.types import Entity, Guideline, Label, LabelName, Noun, Span

__all__ = [
    "RAW_TEXT_REMEDY",
    "Document",
    "DocumentRelation",
    "check_documents",
    "document_files",
    "document_of",
    "document_rows",
    "read_documents",
    "scan_documents",
]

RAW_TEXT_REMEDY = "give 'entities' with character offsets, or mark the two with <e1>…</e1> and <e2>…</e2>"

_TAG = re.compile(r"</?e[12]>")
_ORDERS = (["<e1>", "</e1>", "<e2>", "</e2>"], ["<e2>", "</e2>", "<e1>", "</e1>"])
_ANY_RELATION = Grammar(relations=("any",))
_MOST_NAMED = 5
_SHOWN = 60


class DocumentRelation(Noun):
    """An annotated relation: entity ids of head and tail, and the relation type."""

    head: str
    tail: str
    type: LabelName


class Document(Noun):
    """A text with its entities and, where somebody annotated it, its relations."""

    id: str
    text: str
    domain: str | None = None
    entities: tuple[Entity, ...]
    relations: tuple[DocumentRelation, ...] | None = None
    """None: nobody has annotated it. Empty: there is none."""
    marked: bool = False
    """The two mentions were marked as `e1` and `e2`: these roles are given, not chosen by position."""
    line: int | None = None
    """Line in its file, from 1."""
    raw: bool = False
    """Nobody has looked for entities: `entities` is empty for that reason."""


class _EntityRow(BaseModel):
    model_config = ConfigDict(strict=True)
    id: str | int
    start: int
    end: int
    type: str | None = None
    text: str | None = None


class _RelationRow(BaseModel):
    model_config = ConfigDict(strict=True)
    head: str | int
    tail: str | int
    type: LabelName


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    id: str | int | None = None
    text: str
    domain: str | None = None
    entities: list[_EntityRow] | None = None
    relations: list[_RelationRow] | None = None
    label: str | None = None


def document_of(
    row: Mapping[str, Any] | str,
    default_id: str,
    guideline: Guideline | None = None,
    line: int | None = None,
    joint: bool = False,
    raw: bool = False,
) -> tuple[Document | None, list[str]]:
    """One row, a JSON object or a marked sentence, as (document, faults); the document is None if there is a fault.

    With a guideline, relation types, labels and entity types must be declared in it. With `joint`, a row is
    read for joint extraction: a text without entities is a document, too, a pair may have several relations, and a
    marked sentence is refused; with `raw` such a text is a document, too, and all else as without.
    """
    if isinstance(row, str):
        row = {"text": row}
    try:
        read = _Row.model_validate(dict(row))
    except ValidationError as error:
        return None, [_said(e) for e in error.errors()[:_MOST_NAMED]]
    if broken := _unwritable(row):
        return None, [broken]
    name = default_id if read.id is None else str(read.id)
    if not read.text.strip():
        return None, ["the text is empty"]
    if read.entities is not None:
        return _from_entities(read, name, guideline, line, joint)
    if joint or (raw and not _TAG.search(read.text)):
        return _from_text(read, name, line)
    return _from_marks(read, name, guideline, line)


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, and what it is."""
    where = ".".join(str(x) for x in error["loc"])
    said = f"{where}: {error['msg'].removeprefix('Value error, ')}"
    got = json.dumps(error["input"], default=str)
    shown = got if len(got) <= _SHOWN else got[:_SHOWN] + "…"
    return said if error["type"] == "missing" else f"{said}, got {shown}"


def _unwritable(row: Mapping[str, Any]) -> str | None:
    """A fault if the row holds half a surrogate pair, which no UTF-8 file and no tokenizer takes."""
    try:
        json.dumps(row, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair (an escape like \\ud83d alone)"
    return None


def _from_entities(
    row: _Row, name: str, guideline: Guideline | None, line: int | None, joint: bool
) -> tuple[Document | None, list[str]]:
    faults = [*_entity_faults(row, guideline), *_relation_faults(row, guideline, joint)]
    if row.label is not None:
        faults.append("'label' belongs to a marked sentence; a row with 'entities' has 'relations'")
    if faults:
        return None, faults
    entities = tuple(Entity(id=str(e.id), span=Span(start=e.start, end=e.end), type=e.type) for e in row.entities or ())
    relations = None
    if row.relations is not None:
        relations = tuple(DocumentRelation(head=str(r.head), tail=str(r.tail), type=r.type) for r in row.relations)
    return (
        Document(id=name, text=row.text, domain=row.domain, entities=entities, relations=relations, line=line),
        [],
    )


def _entity_faults(row: _Row, guideline: Guideline | None) -> Iterator[str]:
    types = {t.name for t in guideline.entity_types} if guideline else set()
    for name, count in Counter(str(e.id) for e in row.entities or ()).items():
        if count > 1:
            yield f"entity id {name!r} stands {count} times"
    for e in row.entities or ():
        if not 0 <= e.start < e.end <= len(row.text):
            yield f"entity {e.id!r} is [{e.start}, {e.end}), the text has {len(row.text)} characters"
        elif e.text is not None and e.text != row.text[e.start : e.end]:
            yield f"entity {e.id!r} says {e.text!r}, its offsets say {row.text[e.start : e.end]!r}"
        if types and e.type is not None and e.type not in types:
            yield f"the guideline declares no entity type {e.type!r}"
    mentions: dict[tuple[int, int, str | None], str] = {}
    for e in row.entities or ():
        first = mentions.setdefault((e.start, e.end, e.type), str(e.id))
        if first != str(e.id):
            yield f"the entities {first!r} and {str(e.id)!r} are one mention: same offsets, same type"


def _relation_faults(row: _Row, guideline: Guideline | None, joint: bool) -> Iterator[str]:
    ids = {str(e.id) for e in row.entities or ()}
    grammar = Grammar.of(guideline) if guideline else None
    meaning: dict[frozenset[str], tuple[str, str]] = {}
    seen: set[tuple[str, str, str]] = set()
    for r in row.relations or ():
        head, tail = str(r.head), str(r.tail)
        for role, entity in (("head", head), ("tail", tail)):
            if entity not in ids:
                yield f"the {role} {entity!r} of a relation is no entity"
        if head == tail:
            yield f"a relation joins {head!r} with itself"
        if grammar and r.type not in grammar.relations and r.type != grammar.no_relation:
            yield f"the guideline declares no relation {r.type!r}"
        undirected = grammar is not None and (r.type in grammar.symmetric or r.type == grammar.no_relation)
        this = (r.type, "" if undirected else head)
        if joint and (head, tail, r.type) in seen:
            yield f"the relation {r.type!r} of {head!r} and {tail!r} stands twice"
        seen.add((head, tail, r.type))
        if not joint and meaning.setdefault(frozenset((head, tail)), this) != this:
            yield f"two relations between {head!r} and {tail!r}: an answer names one"


def _from_text(row: _Row, name: str, line: int | None) -> tuple[Document | None, list[str]]:
    """A text in which nobody has looked for entities."""
    if _TAG.search(row.text):
        return None, ["a marked sentence asks for one relation of two mentions: joint extraction reads plain texts"]
    if row.relations is not None or row.label is not None:
        return None, ["'relations' and 'label' need 'entities'"]
    return Document(id=name, text=row.text, domain=row.domain, entities=(), line=line, raw=True), []


def _from_marks(
    row: _Row, name: str, guideline: Guideline | None, line: int | None
) -> tuple[Document | None, list[str]]:
    tags = list(_TAG.finditer(row.text))
    if not tags:
        return None, ["raw text without entities, which the question about a pair needs"]
    if [t[0] for t in tags] not in _ORDERS:
        return None, ["the marks must be <e1>…</e1> and <e2>…</e2>, each once and one after the other"]
    if row.relations is not None:
        return None, ["'relations' belong to a row with 'entities'; a marked sentence has 'label'"]
    text, entities = _without_marks(row.text, tags)
    faults = [f"{e.id} is empty" for e in entities if not text[e.span.start : e.span.end].strip()]
    relations: tuple[DocumentRelation, ...] | None = None
    if row.label is not None:
        label, fault = _label(row.label, guideline)
        faults += [fault] if fault else []
        relations = () if label is None or label.direction is None else (_relation(label),)
    if faults:
        return None, faults
    return (
        Document(id=name, text=text, domain=row.domain, entities=entities, relations=relations, marked=True, line=line),
        [],
    )


def _without_marks(text: str, tags: list[re.Match[str]]) -> tuple[str, tuple[Entity, ...]]:
    """The text without its four marks, and `e1` and `e2` in it."""
    plain, at, offsets = "", 0, {}
    for tag in tags:
        plain += text[at : tag.start()]
        offsets[tag[0]] = len(plain)
        at = tag.end()
    plain += text[at:]
    spans = {n: (offsets[f"<{n}>"], offsets[f"</{n}>"]) for n in ("e1", "e2")}
    return plain, tuple(Entity(id=n, span=Span(start=start, end=end)) for n, (start, end) in spans.items())


def _label(text: str, guideline: Guideline | None) -> tuple[Label | None, str | None]:
    """(label, fault). Without a guideline every bare word is taken for a no-relation label: (None, None)."""
    grammar = Grammar.of(guideline) if guideline else _ANY_RELATION
    label = grammar.read(text)
    if label is None:
        if guideline is None and text.strip() and "(" not in text:
            return None, None
        bare = f", or {grammar.no_relation}" if grammar.no_relation else ""
        return None, f"label {text[:100]!r} is not of the form Relation(e1,e2) or Relation(e2,e1){bare}"
    if guideline and not grammar.knows(label):
        return None, f"the guideline declares no relation {label.name!r}"
    return label, None


def _relation(label: Label) -> DocumentRelation:
    head, tail = ("e1", "e2") if label.direction == "(e1,e2)" else ("e2", "e1")
    return DocumentRelation(head=head, tail=tail, type=label.name)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str | None, str]]:
    """(line from 1, row or None, fault) of every line that is not empty. DataError if the file can't be read."""
    try:
        handle = open(path, "rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    with handle:
        # Lines may end with \n, \r\n or \r, also mixed.
        for number, raw in enumerate((part for block in handle for part in block.splitlines()), start=1):
            if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
                yield number, None, "UTF-16: save the file as UTF-8"
                return
            if b"\0" in raw:
                yield number, None, "holds NUL bytes, as UTF-16 does: save the file as UTF-8"
                continue
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                if not text:
                    continue
                row = text if path.suffix.lower() == ".txt" else loads(text, strict=True)
            except UnicodeDecodeError:
                yield number, None, "not UTF-8: save the file as UTF-8"
            except ValueError as error:
                yield number, None, str(error)
            else:
                if isinstance(row, (dict, str)) and (path.suffix.lower() == ".txt") == isinstance(row, str):
                    yield number, row, ""
                else:
                    yield number, None, "a line must hold one JSON object"


def scan_documents(
    path: Path | str, guideline: Guideline | None = None, joint: bool = False, raw: bool = False
) -> tuple[list[Document], list[DataError]]:
    """Every sound row of a file, and every fault as an error that names its line; ids are unique.

    `joint`, `raw`: see `document_of`. A row without id is `<file stem>-<line>`. DataError if the file can't be read.
    """
    path = Path(path)
    documents: list[Document] = []
    faults: list[DataError] = []
    lines: dict[str, int] = {}
    for number, row, fault in _rows(path):
        document, found = (
            (None, [fault]) if row is None else document_of(row, f"{path.stem}-{number}", guideline, number, joint, raw)
        )
        if document and document.id in lines:
            found = [f"the id {document.id!r} stands in line {lines[document.id]} already"]
        elif document:
            lines[document.id] = number
            documents.append(document)
        for message in found:
            remedy = RAW_TEXT_REMEDY if message.startswith("raw text") else None
            faults.append(DataError(message, file=path, line=number, remedy=remedy))
    return documents, faults


def read_documents(path: Path | str, guideline: Guideline | None = None, joint: bool = False) -> list[Document]:
    """Every document of a file. DataError names file and line of the first fault; a file without rows has one."""
    documents, faults = scan_documents(path, guideline, joint)
    if faults or not documents:
        raise faults[0] if faults else _no_row(path)
    return documents


def _no_row(path: Path | str) -> DataError:
    return DataError("the file holds no row", file=path, line=1)


def document_rows(path: Path | str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, row as a JSON object with that id) of every row of a file that `read_documents` reads without a fault."""
    path = Path(path)
    for number, row, _ in _rows(path):
        if row is not None:
            whole = {"text": row} if isinstance(row, str) else dict(row)
            name = f"{path.stem}-{number}" if whole.get("id") is None else str(whole["id"])
            yield name, {**whole, "id": name}


def check_documents(path: Path | str, guideline: Guideline | None = None, joint: bool = False) -> dict[str, Any]:
    """Read all, collect every fault: {"rows": {file stem: sound rows}, "faults": [{"file", "line", "message"}]}.

    `path` is a file, or a folder of `.jsonl` files. `notes` stand beside where relations are never asked. DataError
    only if something can't be read.
    """
    rows: dict[str, int] = {}
    found: list[dict[str, Any]] = []
    lost = 0
    for file in document_files(path):
        documents, faults = scan_documents(file, guideline, joint)
        rows[file.stem] = len(documents)
        lost += 0 if joint else sum(_overlapping(d) for d in documents)
        for fault in faults or ([] if documents else [_no_row(file)]):
            message = f"{fault.message} ({fault.remedy})" if fault.remedy else fault.message
            found.append({"file": str(fault.file), "line": fault.line, "message": message})
    notes = [f"{lost} relations join mentions that overlap: such a pair is never asked"] if lost else []
    return {"rows": rows, "faults": found} | ({"notes": notes} if notes else {})


def _overlapping(document: Document) -> int:
    """How many relations join two mentions that overlap."""
    spans = {e.id: e.span for e in document.entities}
    pairs = ((spans[r.head], spans[r.tail]) for r in document.relations or ())
    return sum(a.start < b.end and b.start < a.end for a, b in pairs)


def document_files(path: Path | str) -> list[Path]:
    """The file itself, or the `.jsonl` files of a folder by name. DataError if the folder has none."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.jsonl"))
    if not files:
        raise DataError("no .jsonl file in this folder", file=path, remedy="give a file, or a folder of .jsonl files")
    return files
