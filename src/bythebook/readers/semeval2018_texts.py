"""The texts of SemEval-2018 Task 7: XML with inline entities → mentions with offsets.

Read by a streaming parser, for the lines of faults. A document type declaration is refused: the format has none, and
entities declared there can blow a small file up.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from bythebook.errors import DataError
from bythebook.types import Span

__all__ = ["Mention", "read_mentions"]

_DEEPEST = 50


class Mention(NamedTuple):
    """An entity: the id of its text, the title or abstract it stands in (white space folded), and where."""

    document: str
    segment: str
    span: Span


class _Handler:
    """Collects one title or abstract after another; nested elements belong to it."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.mentions: dict[str, Mention] = {}
        self.faults: list[tuple[int, str]] = []
        self.document: str | None = None
        self.texts: set[str] = set()
        self.stack: list[str] = []
        self.pieces: list[str] = []
        self.length = 0
        self.open: list[tuple[str, int, int]] = []
        self.closed: list[tuple[str, int, int, int]] = []

    def fault(self, message: str, line: int | None = None) -> None:
        self.faults.append((line or self.parser.CurrentLineNumber, message))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.stack.append(name)
        if len(self.stack) > _DEEPEST:
            raise _TooDeep
        if name == "text":
            self.document = attributes.get("id", "")
            if not self.document or self.document in self.texts:
                self.fault(f"a text needs an id of its own, got {self.document!r}")
            self.texts.add(self.document)
        elif name == "entity":
            self.open.append((attributes.get("id", ""), self.length, self.parser.CurrentLineNumber))

    def data(self, text: str) -> None:
        """Folds white space as it comes: none at the start, one space for a run."""
        if "text" not in self.stack or self.stack[-1] == "text":
            return
        for piece in text.split():
            at = text.index(piece)
            gap, text = text[:at], text[at + len(piece) :]
            if gap:
                self._space()
            self._add(piece)
        if text:
            self._space()

    def _add(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)

    def _space(self) -> None:
        if self.pieces and self.pieces[-1] != " ":
            self._add(" ")

    def end(self, name: str) -> None:
        self.stack.pop()
        if name == "entity" and self.open:
            self.closed.append((*self.open.pop(), self.length))
        elif self.stack and self.stack[-1] == "text":
            self._close_segment()

    def _close_segment(self) -> None:
        segment = "".join(self.pieces)
        for name, start, line, end in self.closed:
            start, end = _trimmed(segment, start, end)
            if not name or name in self.mentions:
                self.fault(f"an entity needs an id of its own, got {name!r}", line)
            elif start == end:
                self.fault(f"entity {name!r} is empty", line)
            else:
                self.mentions[name] = Mention(self.document or "", segment, Span(start=start, end=end))
        self.pieces, self.length, self.closed = [], 0, []

    def doctype(self, *_: object) -> None:
        raise _Doctype


class _TooDeep(Exception):
    """Elements inside elements without end."""


class _Doctype(Exception):
    """A document type declaration."""


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def read_mentions(path: Path) -> tuple[dict[str, Mention], list[tuple[int, str]]]:
    """Every entity by its id, and every fault with its line; XML that breaks off is one, and ends the reading.
    DataError if the file can't be read."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    parser = expat.ParserCreate()
    parser.buffer_text = True
    handler = _Handler(parser)
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = handler.doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        handler.fault(f"not XML: {expat.ErrorString(error.code)}", error.lineno)
    except _Doctype:
        handler.fault("a document type declaration does not belong to the format")
    except _TooDeep:
        handler.fault(f"more than {_DEEPEST} elements inside each other")
    if not handler.mentions and not handler.faults:
        handler.fault("the file holds no entity", 1)
    return handler.mentions, sorted(handler.faults)
