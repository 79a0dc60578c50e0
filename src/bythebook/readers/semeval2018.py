"""SemEval-2018 Task 7, subtasks 1.1 and 1.2: the official files, as labelled pairs of mentions.

Format (K. Gábor et al., ACL S18-1111; README of the release). Texts are XML:

    <text id="A1"><title>…</title><abstract>A <entity id="A1.1">parser</entity> uses a … </abstract></text>

and relations are lines over the ids of their entities, in the order of the text; `REVERSE` means that the second is
the relation's first argument:

    USAGE(A1.1,A1.2,REVERSE)

White space is folded to single spaces. The text of a row is the sentence around its two mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.semeval2018_texts import Mention, read_mentions
from bythebook.readers.sentences import sentence_around
from bythebook.schema import Grammar
from bythebook.types import Label, Noun, Span

__all__ = ["SUBTASKS", "Semeval2018Row", "check_semeval2018", "practice_documents", "read_semeval2018"]

SUBTASKS = ("1.1", "1.2")
_TEXTS = {"train": "{}.text.xml", "test": "{}.test.text.xml"}
_KEYS = {"train": ("{}.relations.txt",), "test": ("{}.test.relations.txt", "keys.test.{}.txt")}
_PRACTICE = "training-eval.txt"
_DEEPEST = 3
_LINE = re.compile(r"([A-Z_-]{1,40})\(([^(),\s]{1,80}),([^(),\s]{1,80})(,REVERSE)?\)")
_REMEDY = "a line is TYPE(first,second) or TYPE(first,second,REVERSE), with ids of entities of one text"


class Semeval2018Row(Noun):
    """One labelled pair. Spans are character offsets into `text`, the sentence; `e1` stands before `e2`."""

    subtask: str
    split: str
    document: str
    ids: tuple[str, str]
    """The official ids of the two entities."""
    text: str
    e1: Span
    e2: Span
    label: Label
    """COMPARE is symmetric: always `(e1,e2)`."""
    line: int
    """Line in the file of relations, from 1."""


@lru_cache(maxsize=1)
def _grammar() -> Grammar:
    return Grammar.of(load_from_library("semeval2018"))


@dataclass
class _Reader:
    """Rows and faults of one pair of files after another."""

    rows: list[Semeval2018Row] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)

    def read(self, subtask: str, split: str, texts: Path, key: Path) -> None:
        mentions, faults = read_mentions(texts)
        self.faults += [{"file": str(texts), "line": line, "message": message} for line, message in faults]
        rows, found, pairs = len(self.rows), len(self.faults), dict[frozenset[str], int]()
        for number, line in _lines(key):
            if line is None:
                self._fault(key, number, "not UTF-8")
            elif line.strip():
                self._line(subtask, split, key, number, line.strip(), mentions, pairs)
        if len(self.rows) == rows and len(self.faults) == found:
            self._fault(key, 1, "the file holds no relation")

    def _fault(self, path: Path, line: int, message: str) -> None:
        self.faults.append({"file": str(path), "line": line, "message": message})

    def _line(
        self,
        subtask: str,
        split: str,
        key: Path,
        number: int,
        line: str,
        mentions: dict[str, Mention],
        pairs: dict[frozenset[str], int],
    ) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            self._fault(key, number, f"not a relation: {line[:60]!r}")
            return
        name, ids = found[1], (found[2], found[3])
        label = Label(name=name, direction="(e2,e1)" if found[4] else "(e1,e2)")
        pair = frozenset(ids)
        fault = _fault_of(label, ids, mentions)
        if fault is None and pair in pairs:
            fault = f"the pair stands in line {pairs[pair]} already"
        pairs.setdefault(pair, number)
        if fault:
            self._fault(key, number, fault)
            return
        first, second = mentions[ids[0]], mentions[ids[1]]
        around = sentence_around(first.segment, first.span.start, second.span.end)
        self.rows.append(
            Semeval2018Row(
                subtask=subtask,
                split=split,
                document=first.document,
                ids=ids,
                text=around.of(first.segment),
                e1=_moved(first.span, around.start),
                e2=_moved(second.span, around.start),
                label=_grammar().canonical(label),
                line=number,
            )
        )


def _fault_of(label: Label, ids: tuple[str, str], mentions: dict[str, Mention]) -> str | None:
    if not _grammar().knows(label):
        return f"not one of the {len(_grammar().relations)} relations: {label.name!r}"
    for name in ids:
        if name not in mentions:
            return f"no entity {name!r} in the texts"
    first, second = (mentions[name] for name in ids)
    if (first.document, first.segment) != (second.document, second.segment):
        return "the two entities stand in different texts, or one in the title and one in the abstract"
    if second.span.start < first.span.end:
        return "the second entity does not stand after the first"
    return None


def _moved(span: Span, by: int) -> Span:
    return Span(start=span.start - by, end=span.end - by)


def _lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """(line from 1, text; None where it is not UTF-8). DataError if the file can't be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    for number, line in enumerate(raw.split(b"\n"), start=1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            yield number, None


def _find(path: Path, name: str) -> Path | None:
    """The one file of that name, at most three levels deep. DataError if there are several."""
    found = [f for depth in range(_DEEPEST + 1) for f in sorted(path.glob("/".join(["*"] * depth + [name])))]
    if len(found) > 1:
        raise DataError(f"{name} stands there {len(found)} times", file=path, remedy="give the folder of one release")
    return found[0] if found else None


def _sources(path: Path | str) -> list[tuple[str, str, Path, Path]]:
    """(subtask, split, texts, relations) of what the folder holds."""
    path = Path(path)
    if not path.is_dir():
        raise DataError("no such folder", file=path, remedy="give the folder of the release")
    sources = []
    for subtask in SUBTASKS:
        for split, pattern in _TEXTS.items():
            texts = _find(path, pattern.format(subtask))
            names = [name.format(subtask) for name in _KEYS[split]]
            key = next((file for name in names if (file := _find(path, name))), None)
            if texts and key is None:
                raise DataError(f"no {names[0]} for {texts.name}", file=path, remedy="add the file of relations")
            if key and texts is None:
                raise DataError(f"no {pattern.format(subtask)} for {key.name}", file=path, remedy="add the texts")
            if texts and key:
                sources.append((subtask, split, texts, key))
    if not sources:
        raise DataError("no 1.1.text.xml or 1.2.text.xml", file=path, remedy="give the folder of the release")
    return sources


def _read(path: Path | str) -> tuple[_Reader, list[str]]:
    reader, names = _Reader(), []
    for subtask, split, texts, key in _sources(path):
        reader.read(subtask, split, texts, key)
        names.append(f"{subtask} {split}")
    return reader, names


def read_semeval2018(path: Path | str) -> list[Semeval2018Row]:
    """Every labelled pair of subtasks 1.1 and 1.2, as far as the folder (three levels deep) holds them.

    DataError names file and line of the first fault, or the file that is missing.
    """
    reader, _ = _read(path)
    if reader.faults:
        first = reader.faults[0]
        raise DataError(first["message"], file=first["file"], line=first["line"], remedy=_REMEDY)
    return reader.rows


def check_semeval2018(path: Path | str) -> dict[str, Any]:
    """Read everything and collect every fault: {"rows": {"1.1 train": sound rows, …}, "faults": [{"file", "line",
    "message"}]}. DataError only if a file is missing or can't be read."""
    reader, names = _read(path)
    rows = {name: sum(f"{r.subtask} {r.split}" == name for r in reader.rows) for name in names}
    return {"rows": rows, "faults": reader.faults}


def practice_documents(path: Path | str, subtask: str) -> frozenset[str]:
    """The training texts that the organisers set aside for practice evaluation (`training-eval.txt`). DataError if
    the list is missing."""
    file = _find(Path(path), _PRACTICE)
    if file is None:
        raise DataError(f"no {_PRACTICE}", file=path, remedy="leave the option out, or give the folder of the release")
    rows = (line.split() for _, line in _lines(file) if line)
    return frozenset(row[1] for row in rows if len(row) == 2 and row[0] == subtask)
