"""The formats in which a team may have its own documents, each by the reader of that format.

    jsonl    our own (`readers.documents`)
    brat     a folder of `.txt` and `.ann` files
    conll    columns of tokens and tags: entities without relations, sentence by sentence
    docred   DocRED JSON, document by document; a relation joins the first mentions of its entities
    dygie    DyGIE JSONL (SciERC's), sentence by sentence

Formats other than `jsonl` are held against the guideline here: names that it does not declare are faults.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from bythebook.errors import DataError
from bythebook.readers.brat import read_brat
from bythebook.readers.conll import read_conll_file
from bythebook.readers.docred import read_docred_file
from bythebook.readers.documents import Document, check_documents, document_files, read_documents
from bythebook.readers.dygie import read_dygie_file
from bythebook.readers.faults import Faults
from bythebook.types import Guideline

__all__ = ["FORMATS", "Format", "check_files", "read_files"]

Format = Literal["jsonl", "brat", "conll", "docred", "dygie"]
FORMATS: tuple[Format, ...] = get_args(Format)
_SUFFIXES: dict[str, tuple[str, ...]] = {
    "conll": (".conll", ".bio", ".iob", ".iob2", ".iobes", ".txt", ".tsv"),
    "docred": (".json",),
    "dygie": (".json", ".jsonl"),
}
_REMEDY = "`bythebook data check documents --format …` lists every fault"


def read_files(
    path: Path | str, format: Format, guideline: Guideline, *, joint: bool = False
) -> dict[Path, list[Document]]:
    """File → documents; a folder of brat files is one. DataError names file and line of the first fault."""
    if format == "jsonl":
        return {file: read_documents(file, guideline, joint) for file in document_files(path)}
    found, faults = _scan(Path(path), format, guideline, joint)
    faults.refuse()
    return found


def check_files(
    path: Path | str, format: Format, guideline: Guideline | None, *, joint: bool = False
) -> dict[str, Any]:
    """{"rows": {file stem: sound documents}, "faults": [{"file", "line", "message"}]}."""
    if format == "jsonl":
        return check_documents(path, guideline, joint)
    found, faults = _scan(Path(path), format, guideline, joint)
    return faults.beside({file.stem: documents for file, documents in found.items()})


def _scan(
    path: Path, format: str, guideline: Guideline | None, joint: bool
) -> tuple[dict[Path, list[Document]], Faults]:
    if format not in FORMATS:
        raise DataError(f"no format {format!r}", remedy=f"formats are: {', '.join(FORMATS)}")
    if not path.exists():
        raise DataError("no such file or folder", file=path)
    faults, found = Faults(remedy=_REMEDY), dict[Path, list[Document]]()
    for file in _files(path, format):
        found[file] = _documents(file, format, guideline, faults)
        for document in found[file]:
            place = file / f"{document.id}.ann" if format == "brat" else file
            wrong = [] if joint else list(_several(document))
            if guideline is not None and format != "brat":  # its reader knows the line of each
                wrong += _undeclared(document, guideline)
            for message in wrong:
                faults.add(place, document.line or 1, f"{document.id}: {message}")
    return found, faults


def _files(path: Path, format: str) -> list[Path]:
    if format == "brat":
        if not path.is_dir() or not any(path.glob("*.ann")):
            raise DataError("no folder with .ann files", file=path, remedy="give the folder of .txt and .ann files")
        return [path]
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES[format] and p.is_file())
    if not files:
        names = ", ".join(_SUFFIXES[format])
        raise DataError(f"no {names} file in this folder", file=path, remedy=f"give a file, or a folder of {names}")
    stems = [file.stem for file in files]
    if twice := sorted({s for s in stems if stems.count(s) > 1}):
        raise DataError(
            f"several files are called {twice[0]!r}", file=path, remedy="rename all but one: a file is a split"
        )
    return files


def _documents(file: Path, format: str, guideline: Guideline | None, faults: Faults) -> list[Document]:
    match format:
        case "brat":
            if guideline is None:
                return read_brat(file, None, faults)
            types = frozenset(e.name for e in guideline.entity_types) or None
            return read_brat(file, frozenset(r.name for r in guideline.relation_types), faults, types)
        case "conll":
            return read_conll_file(file, faults)
        case "docred":
            return [d.whole for d in read_docred_file(file, faults)]
        case _:
            return [sentence for d in read_dygie_file(file, faults) for sentence in d.by_sentence()]


def _several(document: Document) -> Iterator[str]:
    """Pairs with several relations, which relation classification can't ask: a question has one answer."""
    first: dict[frozenset[str], str] = {}
    for r in document.relations or ():
        other = first.setdefault(frozenset((r.head, r.tail)), r.type)
        if other != r.type:
            yield f"two relations between {r.head!r} and {r.tail!r}, {other} and {r.type}: an answer names one"


def _undeclared(document: Document, guideline: Guideline) -> Iterator[str]:
    """What a document names and the guideline does not."""
    types, relations = {e.name for e in guideline.entity_types}, {r.name for r in guideline.relation_types}
    for name in dict.fromkeys(e.type for e in document.entities):
        if types and name is not None and name not in types:
            yield f"the guideline declares no entity type {name!r}"
    for name in dict.fromkeys(r.type for r in document.relations or ()):
        if name not in relations and name != guideline.no_relation:
            yield f"the guideline declares no relation {name!r}"
