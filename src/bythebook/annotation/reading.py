"""Texts, rows and files → documents to annotate, and what of them can't be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bythebook.annotation.options import TYPED, Options
from bythebook.errors import DataError
from bythebook.readers.documents import RAW_TEXT_REMEDY, Document, document_of, scan_documents
from bythebook.types import Guideline

__all__ = ["document_from", "documents_from", "message_of"]

_SHOWN = 60


class _Fault(NamedTuple):
    message: str
    remedy: str | None = None


def document_from(
    row: str | Mapping[str, Any] | Document, number: int, guideline: Guideline, options: Options
) -> Document:
    """The document of one text. DataError says which text it is, and what is wrong with it."""
    if isinstance(row, Document):
        document: Document | None = row
    elif isinstance(row, (str, Mapping)):
        joint = options.sub_task is not None
        document, faults = document_of(row, str(number), joint=joint, raw=not joint)
        if document is None:
            raise DataError(f"text {number}: {faults[0]}")
    else:
        raise DataError(f"text {number} is a {type(row).__name__}", remedy="give a sentence or a document")
    assert document is not None
    if fault := _why_not(document, guideline, options):
        raise DataError(f"text {number}: {fault.message}", remedy=fault.remedy)
    return document


def documents_from(
    inputs: Sequence[Path | str], guideline: Guideline, options: Options
) -> tuple[list[Document], list[DataError]]:
    """The documents of all files, and every fault. DataError if there are faults and not one document."""
    documents, faults, seen = list[Document](), list[DataError](), set[str]()
    joint = options.sub_task is not None
    for path in inputs:
        found, wrong = scan_documents(path, joint=joint, raw=not joint)
        faults += wrong
        for document in found:
            fault = _why_not(document, guideline, options)
            if fault is None and document.id in seen:
                fault = _Fault(f"the id {document.id!r} stands in another file already")
            if fault:
                faults.append(DataError(fault.message, file=path, line=document.line, remedy=fault.remedy))
            else:
                seen.add(document.id)
                documents.append(document)
    if faults and not documents:
        raise min(faults, key=lambda f: (f.file != faults[0].file, f.line or 0))
    return documents, faults


def message_of(fault: DataError) -> str:
    """What a list of faults says of one."""
    return f"{fault.message} ({fault.remedy})" if fault.remedy else fault.message


def _why_not(document: Document, guideline: Guideline, options: Options) -> _Fault | None:
    """Why a document can't be asked what is to be asked; None if it can."""
    sub_task = options.sub_task_of(document)
    if sub_task in TYPED and not guideline.entity_types:
        remedy = f"declare entity types in the guideline ('## Entity type: …'), or {RAW_TEXT_REMEDY}"
        return _Fault("raw text without entities, and the guideline declares no entity types to look for", remedy)
    if document.raw and sub_task in ("re", "re_plus"):
        remedy = "give 'entities' with character offsets, or ask for the sub-task end2end"
        return _Fault(f"raw text without entities, between which the sub-task {sub_task} asks for relations", remedy)
    if sub_task == "re" and document.relations is None:
        remedy = "name the related pairs under 'relations', or ask for the sub-task re_plus"
        return _Fault("the sub-task re asks for the relations of given pairs, the row names none", remedy)
    untyped = next((e for e in document.entities if e.type is None), None)
    if sub_task == "re_plus" and untyped is not None:
        remedy = "give its 'type', or leave out the option sub_task"
        return _Fault(f"the entity {untyped.id[:_SHOWN]!r} has no type, which the sub-task re_plus needs", remedy)
    return None
