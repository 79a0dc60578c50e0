"""Predictions as brat stand-off files: `<id>.txt` beside `<id>.ann`, and an `annotation.conf` of the guideline's types.

`p` stands as a note on its entity or relation. In names of types, white space becomes `_`; an entity without a type is
an `Entity`. In the name of a file every character but letters, digits and `_.-~` is percent-encoded. `readers.brat`
reads the prediction from it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bythebook.records import write_text
from bythebook.types import Guideline

__all__ = ["file_name", "stand_off", "write_brat"]

_SPACE = re.compile(r"\s")
_UNTYPED = "Entity"
_LONGEST_NAME, _KEPT_OF_LONGER = 200, 150


def write_brat(folder: Path, predictions: Iterable[Mapping[str, Any]], guideline: Guideline) -> None:
    """Write the files of all predictions, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "annotation.conf", _configuration(guideline))
    for prediction in predictions:
        name = file_name(prediction["id"])
        write_text(folder / f"{name}.txt", prediction["text"])
        write_text(folder / f"{name}.ann", "".join(f"{line}\n" for line in stand_off(prediction)))


def file_name(document_id: str) -> str:
    """What the files of a document are called, without suffix; different ids have different names."""
    name = quote(document_id, safe="")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_KEPT_OF_LONGER]}-{hashlib.sha256(document_id.encode()).hexdigest()[:16]}"


def stand_off(prediction: Mapping[str, Any]) -> Iterator[str]:
    """The lines of an `.ann` file."""
    names = dict[str, str]()
    notes = list[tuple[str, float]]()
    for number, e in enumerate(prediction["entities"], start=1):
        names[e["id"]] = f"T{number}"
        shown = _SPACE.sub(" ", e["text"])
        yield f"T{number}\t{_name(e.get('type') or _UNTYPED)} {e['start']} {e['end']}\t{shown}"
        notes += [(f"T{number}", e["p"])] if "p" in e else []
    for number, r in enumerate(prediction.get("relations") or (), start=1):
        yield f"R{number}\t{_name(r['type'])} Arg1:{names[r['head']]} Arg2:{names[r['tail']]}"
        notes += [(f"R{number}", r["p"])] if "p" in r else []
    for number, (of, p) in enumerate(notes, start=1):
        yield f"#{number}\tAnnotatorNotes {of}\tp = {p:.4g}"


def _name(kind: str) -> str:
    return _SPACE.sub("_", kind)


def _configuration(guideline: Guideline) -> str:
    """What brat has to know of the types: without it, it shows them without their arguments."""

    def ends(types: Iterable[str]) -> str:
        return "|".join(map(_name, types)) or "<ENTITY>"

    relations = [
        f"{_name(r.name)}\tArg1:{ends(r.head_types)}, Arg2:{ends(r.tail_types)}" for r in guideline.relation_types
    ]
    entities = [_name(e.name) for e in guideline.entity_types] or [_UNTYPED]
    parts = {"entities": entities, "relations": relations, "events": [], "attributes": []}
    return "\n".join(line for name, lines in parts.items() for line in (f"[{name}]", *lines, "")).rstrip() + "\n"
