"""SemEval-2010 Task 8: the official files, as labelled sentences.

Format (I. Hendrickx et al., ACL S10-1006; README of the release): blocks of three lines and an empty one, CRLF or LF:

    12<TAB>"A <e1>river</e1> powers the <e2>mill</e2>."
    Instrument-Agency(e1,e2)
    Comment: may be empty

`e1` stands before `e2`; exactly one pair of outer quotes belongs to the format, further ones to the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.types import Label, Noun, Span

__all__ = ["Semeval2010Row", "check_semeval2010", "read_semeval2010"]

_FILES = {"train": "TRAIN_FILE.TXT", "test": "TEST_FILE_FULL.TXT"}
_DEEPEST = 3
_START = re.compile(r"(0|[1-9][0-9]{0,11})\t")
_TAG = re.compile(r"</?e[12]>")
_TAGS_IN_ORDER = ["<e1>", "</e1>", "<e2>", "</e2>"]
_REMEDY = "a block is: id<TAB>\"sentence with <e1>…</e1> and <e2>…</e2>\", label, 'Comment:', an empty line"


class Semeval2010Row(Noun):
    """One labelled sentence. Spans are character offsets into `text`, which has neither tags nor outer quotes."""

    number: int
    """The official id: 1 to 8000 in training, 8001 to 10717 in test."""
    split: str
    """`train`, `test`, or the stem of a file with another name."""
    text: str
    e1: Span
    e2: Span
    label: Label
    comment: str = ""
    line: int
    """Line of the sentence in its file, from 1."""


@lru_cache(maxsize=1)
def _labels() -> dict[str, Label]:
    return {label.text: label for label in load_from_library("semeval2010").labels}


@dataclass
class _Reader:
    """Rows and faults of one file after another; ids are unique over all of them."""

    rows: list[Semeval2010Row] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def read(self, path: Path, split: str) -> None:
        try:
            lines = path.read_bytes().split(b"\n")
        except OSError as error:
            raise DataError(f"can't be read: {error.strerror}", file=path) from None
        faults_before = len(self.faults)
        texts: list[tuple[int, str]] = []
        for number, raw in enumerate(lines, start=1):
            try:
                texts.append((number, raw.removesuffix(b"\r").decode("utf-8")))
            except UnicodeDecodeError:
                self._fault(path, number, "not UTF-8")
                texts.append((number, raw.decode("utf-8", errors="replace").strip() or "?"))
        rows_before = len(self.rows)
        for block in self._blocks(path, texts):
            self._block(path, split, block)
        if len(self.rows) == rows_before and len(self.faults) == faults_before:
            self._fault(path, 1, "the file holds no sentence")
        self.faults[faults_before:] = sorted(self.faults[faults_before:], key=lambda f: int(f["line"]))

    def _fault(self, path: Path, line: int, message: str) -> None:
        self.faults.append({"file": str(path), "line": line, "message": message})

    def _blocks(self, path: Path, texts: list[tuple[int, str]]) -> Iterable[list[tuple[int, str]]]:
        """Runs of lines without an empty one; a line that starts like a sentence starts a block in any case."""
        block: list[tuple[int, str]] = []
        for number, text in texts:
            starts = _START.match(text) is not None
            if block and (not text.strip() or starts):
                yield block
                if starts:
                    self._fault(path, number, "no empty line before this sentence")
                block = []
            if text.strip():
                block.append((number, text))
        if block:
            yield block

    def _block(self, path: Path, split: str, block: list[tuple[int, str]]) -> None:
        faults = len(self.faults)
        line, first = block[0]
        sentence = self._sentence(path, line, first)
        label = self._label(path, block)
        comment = ""
        if len(block) < 3:
            self._fault(path, line, f"the block has {len(block)} of 3 lines")
        elif not block[2][1].startswith("Comment:"):
            self._fault(path, block[2][0], "the third line of a block starts with 'Comment:'")
        else:
            comment = block[2][1].removeprefix("Comment:").strip()
        for number, _ in block[3:]:
            self._fault(path, number, "text after the comment of a block")
        if sentence is None or label is None or len(self.faults) > faults:
            return
        number, text, e1, e2 = sentence
        row = Semeval2010Row(
            number=number, split=split, text=text, e1=e1, e2=e2, label=label, comment=comment, line=line
        )
        self.rows.append(row)

    def _sentence(self, path: Path, line: int, text: str) -> tuple[int, str, Span, Span] | None:
        start = _START.match(text)
        if start is None:
            self._fault(path, line, "a block starts with 'id<TAB>\"sentence\"'")
            return None
        number, quoted = int(start[1]), text[start.end() :]
        if number in self.seen:
            self._fault(path, line, f"id {number} stands twice")
        self.seen.add(number)
        if len(quoted) < 2 or quoted[0] != '"' or quoted[-1] != '"':
            self._fault(path, line, "the sentence is not in double quotes")
            return None
        marked = quoted[1:-1]
        tags = list(_TAG.finditer(marked))
        if [t[0] for t in tags] != _TAGS_IN_ORDER:
            self._fault(path, line, "the sentence needs <e1>, </e1>, <e2>, </e2>, each once and in this order")
            return None
        # Every tag before an offset shortens it.
        cut, offsets = 0, []
        for tag in tags:
            offsets.append(tag.start() - cut)
            cut += len(tag[0])
        e1, e2 = Span(start=offsets[0], end=offsets[1]), Span(start=offsets[2], end=offsets[3])
        plain = _TAG.sub("", marked)
        if not e1.of(plain).strip() or not e2.of(plain).strip():
            self._fault(path, line, "a marked entity is empty")
            return None
        return number, plain, e1, e2

    def _label(self, path: Path, block: list[tuple[int, str]]) -> Label | None:
        if len(block) < 2:
            return None
        line, text = block[1]
        label = _labels().get(text)
        if label is None:
            shown = repr(text if len(text) <= 60 else text[:60] + "…")
            self._fault(path, line, f"not one of the {len(_labels())} labels: {shown}")
        return label


def _sources(path: Path | str) -> list[tuple[str, Path]]:
    """(split, file) of a release folder, or of one file."""
    path = Path(path)
    if path.is_file():
        name = path.name.upper()
        split = next((s for s, official in _FILES.items() if name == official), path.stem)
        return [(split, path)]
    if not path.is_dir():
        raise DataError("no such file or folder", file=path, remedy="give the folder of the release")
    found: dict[str, list[Path]] = {split: [] for split in _FILES}
    for depth in range(_DEEPEST + 1):
        for file in sorted(path.glob("/".join(["*"] * depth + ["*.[tT][xX][tT]"]))):
            for split, name in _FILES.items():
                if file.name.upper() == name:
                    found[split].append(file)
    for split, files in found.items():
        if len(files) != 1:
            many = "is missing" if not files else f"stands there {len(files)} times"
            raise DataError(f"{_FILES[split]} {many}", file=path, remedy="give the folder of one unpacked release")
    return [(split, files[0]) for split, files in found.items()]


def _read(path: Path | str) -> tuple[_Reader, list[str]]:
    reader, splits = _Reader(), []
    for split, file in _sources(path):
        reader.read(file, split)
        splits.append(split)
    return reader, splits


def read_semeval2010(path: Path | str) -> list[Semeval2010Row]:
    """Every labelled sentence of a release folder (training, then test with its full key) or of one file of blocks.

    The folder is searched three levels deep for `TRAIN_FILE.TXT` and `TEST_FILE_FULL.TXT`. DataError names file and
    line of the first fault.
    """
    reader, _ = _read(path)
    if reader.faults:
        first = reader.faults[0]
        raise DataError(first["message"], file=first["file"], line=first["line"], remedy=_REMEDY)
    return reader.rows


def check_semeval2010(path: Path | str) -> dict[str, Any]:
    """Read everything and collect every fault: {"rows": {split: sound rows}, "faults": [{"file", "line", "message"}]}.

    DataError only if a file is missing or can't be read.
    """
    reader, splits = _read(path)
    rows = {split: sum(row.split == split for row in reader.rows) for split in splits}
    return {"rows": rows, "faults": reader.faults}
