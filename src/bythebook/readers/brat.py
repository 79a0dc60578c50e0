"""brat stand-off annotation: `<name>.txt` beside `<name>.ann`.

Read are text-bound annotations (`T1<TAB>Disease 0 4<TAB>text`) and relations (`R1<TAB>located_in Arg1:T1 Arg2:T2`);
events, attributes, notes, normalisations and equivalences are passed over. Offsets count characters, the end is
exclusive. Format: P. Stenetorp et al., ACL E12-2021, and the tool's page on its stand-off format.
"""

from __future__ import annotations

import re
from pathlib import Path

from bythebook.errors import DataError
from bythebook.readers.documents import Document, DocumentRelation
from bythebook.readers.faults import Faults
from bythebook.types import Entity, Span

__all__ = ["read_brat"]

_ENTITY = re.compile(r"(T[^\t\s]{1,40})\t(\S{1,80}) (\d{1,9}) (\d{1,9})(\t.*)?")
_PIECES = re.compile(r"T[^\t\s]{1,40}\t\S{1,80} \d{1,9} \d{1,9};.*")
_RELATION = re.compile(r"(R[^\t\s]{1,40})\t(\S{1,80}) Arg1:(\S{1,41}) Arg2:(\S{1,41})\s*")
_SPACE = re.compile(r"\s")


def read_brat(
    folder: Path, relations: frozenset[str] | None, faults: Faults, entity_types: frozenset[str] | None = None
) -> list[Document]:
    """Every annotated text of a folder by name; what is wrong is added to `faults`.

    A relation whose type is none of `relations`, and one that stands twice, are slips; a mention whose type is none of
    `entity_types` is a fault. None allows every type. Every white-space character of a text becomes a space, which
    keeps the offsets. DataError if a file can't be read.
    """
    documents = []
    for ann in sorted(folder.glob("*.ann")):
        text = ann.with_suffix(".txt")
        if not text.exists():
            faults.add(ann, 1, f"there is no {text.name} beside it")
            continue
        documents.append(_document(ann, _SPACE.sub(" ", _decoded(text)), relations, faults, entity_types))
    return documents


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError("not UTF-8", file=path, line=line, remedy="save the file as UTF-8") from None


def _document(
    ann: Path, text: str, relations: frozenset[str] | None, faults: Faults, entity_types: frozenset[str] | None
) -> Document:
    entities: dict[str, Entity] = {}
    related: list[tuple[int, re.Match[str]]] = []
    for number, line in enumerate(_decoded(ann).split("\n"), start=1):
        line = line.rstrip("\r")
        if line.startswith("T"):
            _entity(ann, number, line, text, entities, faults, entity_types)
        elif line.startswith("R"):
            found = _RELATION.fullmatch(line)
            if found is None:
                faults.add(ann, number, "a relation is 'R1<TAB>type Arg1:T1 Arg2:T2'")
            else:
                related.append((number, found))
    kept: dict[DocumentRelation, None] = {}
    for number, found in related:
        _, kind, head, tail = found.groups()
        missing = [name for name in (head, tail) if name not in entities]
        if relations is not None and kind not in relations:
            faults.slip(ann, number, f"not one of the {len(relations)} relations: {kind!r}")
        elif missing:
            faults.add(ann, number, f"there is no entity {missing[0]!r}")
        elif head == tail:
            faults.slip(ann, number, "a relation joins an entity with itself")
        elif (relation := DocumentRelation(head=head, tail=tail, type=kind)) in kept:
            faults.slip(ann, number, "the relation stands twice")
        else:
            kept[relation] = None
    return Document(id=ann.stem, text=text, entities=tuple(entities.values()), relations=tuple(kept), line=1)


def _entity(
    ann: Path,
    number: int,
    line: str,
    text: str,
    entities: dict[str, Entity],
    faults: Faults,
    entity_types: frozenset[str] | None,
) -> None:
    found = _ENTITY.fullmatch(line)
    if found is None:
        in_pieces = _PIECES.fullmatch(line) is not None
        expected = "a mention is 'T1<TAB>type start end<TAB>text'"
        faults.add(ann, number, "a mention in several pieces is not read" if in_pieces else expected)
        return
    name, kind, start, end = found[1], found[2], int(found[3]), int(found[4])
    if name in entities:
        faults.add(ann, number, f"the id {name!r} stands twice")
    elif not start < end <= len(text):
        faults.add(ann, number, f"{name} is [{start}, {end}), the text has {len(text)} characters")
    elif entity_types is not None and kind not in entity_types:
        faults.add(ann, number, f"not one of the {len(entity_types)} entity types: {kind!r}")
    else:
        entities[name] = Entity(id=name, span=Span(start=start, end=end), type=kind)
