"""CoNLL columns: one token a line, its tag in one of the columns, an empty line between sentences.

    -DOCSTART- -X- -X- O

    Clara NNP B-NP B-PER
    Munk NNP I-NP I-PER
    sings VBZ B-VP O

Columns are separated by tabs or by spaces; token and tag are the first and the last one unless said otherwise. Above a
sentence may stand comments, `# key = value`; `# id = x` (also `# sent_id = x`, `# id x`) names it. Tags are `O`, or a
prefix, `-` and the entity type, in one of three schemes (E. Tjong Kim Sang, J. Veenstra, EACL 1999, and the pages of
CoNLL-2002 and -2003):

    iob1    I-X in a mention; B-X only where one begins right after another of its type
    iob2    (BIO) B-X where a mention begins, I-X after it
    iobes   B-X, I-X, E-X; S-X for a mention of one token; L-X and U-X (BILOU) mean E-X and S-X

Relations have no place in these columns: a document says that nobody has annotated any (`relations=None`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from bythebook.errors import DataError
from bythebook.readers.documents import Document
from bythebook.readers.faults import Faults
from bythebook.readers.paths import files_of
from bythebook.readers.tokens import TokenText
from bythebook.types import Entity

__all__ = ["SCHEMES", "Scheme", "check_conll", "read_conll", "read_conll_file"]

Scheme = Literal["auto", "iob1", "iob2", "iobes"]
SCHEMES = get_args(Scheme)
REMEDY = "a line is a token and its tag in columns, or empty between sentences"
_SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".iobes", ".txt", ".tsv", ".testa", ".testb", ".train", ".dev", ".test")
_TAG = re.compile(r"([BIESLU])-(\S{1,80})")
_NAME = re.compile(r"# ?(?:sent_)?id[ =]\s{0,9}=?\s{0,9}(\S{1,200})(?:\s.*)?")
_START = "-DOCSTART-"
_SAME = {"L": "E", "U": "S"}


class _Token(NamedTuple):
    text: str
    prefix: str
    """One of B I E S, or O."""
    type: str
    line: int


class _Sentence(NamedTuple):
    name: str | None
    tokens: list[_Token]


def read_conll_file(
    path: Path, faults: Faults, *, scheme: Scheme = "auto", token: int = 0, tag: int = -1
) -> list[Document]:
    """Every sentence of a file as a document, `<file stem>-<line of its first token>` unless it has a name; what is
    wrong is added to `faults`.

    `token` and `tag` are columns, from 0, or from -1 at the end. With `auto` the file's own tags tell the scheme: E or
    S is `iobes`; else B where no mention of its type has just ended is `iob2`; else `iob1`. DataError if the file can't
    be read or there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise DataError(f"no scheme {scheme!r}", remedy=f"schemes are: {', '.join(SCHEMES)}")
    before = len(faults.rows)
    sentences = list(_sentences(path, faults, token, tag))
    found = _scheme_of(sentences) if scheme == "auto" else scheme
    out, lines = list[Document](), dict[str, int]()
    for sentence in sentences:
        line = sentence.tokens[0].line
        name = sentence.name or f"{path.stem}-{line}"
        wrong = list(_misplaced(sentence.tokens, found))
        if name in lines:
            wrong.insert(0, (line, f"the id {name!r} stands in line {lines[name]} already"))
        lines.setdefault(name, line)
        for number, message in wrong:
            faults.add(path, number, message)
        if not wrong:
            out.append(_document(name, sentence.tokens))
    if not out and len(faults.rows) == before:
        faults.add(path, 1, "the file holds no sentence")
    return out


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", file=path) from None
    yield from enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1)


def _sentences(path: Path, faults: Faults, token: int, tag: int) -> Iterator[_Sentence]:
    """The sentences of a file; one with a line that can't be read is left out, and the line is a fault."""
    name, tokens, sound = None, list[_Token](), True
    for number, raw in _lines(path):
        try:
            line = raw.decode("utf-8").rstrip("\r")
        except UnicodeDecodeError:
            faults.add(path, number, "not UTF-8")
            sound = False
            continue
        if not line.strip() or line.startswith(_START):
            if tokens and sound:
                yield _Sentence(name, tokens)
            if tokens or not sound:
                name, tokens, sound = None, [], True
            continue
        if not tokens and line.startswith("#") and ((named := _NAME.fullmatch(line)) or " = " in line):
            name = named[1] if named else name
            continue
        read = _token(line, number, token, tag)
        if isinstance(read, str):
            faults.add(path, number, read)
            sound = False
        else:
            tokens.append(read)
    if tokens and sound:
        yield _Sentence(name, tokens)


def _token(line: str, number: int, token: int, tag: int) -> _Token | str:
    """The token of a line, or what is wrong with it."""
    columns = line.split("\t") if "\t" in line else line.split()
    columns = [c.strip() for c in columns]
    if len(columns) < 2 or not all(-len(columns) <= i < len(columns) for i in (token, tag)):
        return f"{len(columns)} columns: there is no token or no tag"
    text, label = columns[token], columns[tag]
    if not text or any(c.isspace() for c in text):
        return f"the token {text[:60]!r} is empty or has a space"
    if label == "O":
        return _Token(text, "O", "", number)
    found = _TAG.fullmatch(label)
    if found is None:
        return f"the tag {label[:60]!r} is not O, or B, I, E, S, L or U with a type: B-PER"
    return _Token(text, _SAME.get(found[1], found[1]), found[2], number)


def _scheme_of(sentences: Sequence[_Sentence]) -> Scheme:
    prefixes = {t.prefix for s in sentences for t in s.tokens}
    if prefixes & {"E", "S"}:
        return "iobes"
    for sentence in sentences:
        before = ""
        for t in sentence.tokens:
            if t.prefix == "B" and t.type != before:
                return "iob2"
            before = t.type
    return "iob1"


def _misplaced(tokens: Sequence[_Token], scheme: Scheme) -> Iterator[tuple[int, str]]:
    """(line, fault) of every tag that the scheme does not allow where it stands."""
    open_type = before = ""  # of the mention that must or may go on; of the token before
    prefix = "O"
    for t in tokens:
        if scheme == "iobes":
            inside = t.prefix in ("I", "E")
            if inside and open_type != t.type:
                yield t.line, f"{t.prefix}-{t.type} goes on with no mention that B-{t.type} began"
            elif not inside and open_type:
                yield t.line, f"the mention that B-{open_type} began has no end before this line"
            open_type = t.type if t.prefix in ("B", "I") else ""
        elif t.prefix in ("E", "S"):
            yield t.line, f"{t.prefix}-{t.type} is no tag of the scheme {scheme}"
        elif scheme == "iob2" and t.prefix == "I" and before != t.type:
            yield t.line, f"I-{t.type} begins a mention, which B-{t.type} does in the scheme iob2"
        elif scheme == "iob1" and t.prefix == "B" and before != t.type:
            yield t.line, f"B-{t.type} follows no mention of its type: the scheme iob1 has I-{t.type} there"
        before, prefix = t.type, t.prefix
    if open_type and prefix in ("B", "I"):
        yield tokens[-1].line, f"the mention that B-{open_type} began has no end"


def _document(name: str, tokens: Sequence[_Token]) -> Document:
    text, mentions, begun = TokenText([t.text for t in tokens]), list[tuple[int, int, str]](), -1
    for i, t in enumerate(tokens):
        after = tokens[i + 1] if i + 1 < len(tokens) else None
        ends = t.prefix in ("E", "S") or after is None or after.prefix not in ("I", "E") or after.type != t.type
        if t.prefix == "O":
            continue
        begun = i if begun < 0 else begun
        if ends:
            mentions.append((begun, i, t.type))
            begun = -1
    entities = []
    for number, (first, last, kind) in enumerate(mentions, start=1):
        span = text.span(first, last)
        if span is not None:
            entities.append(Entity(id=str(number), span=span, type=kind))
    return Document(id=name, text=text.text, entities=tuple(entities), line=tokens[0].line)


def _read(path: Path | str, scheme: Scheme, token: int, tag: int) -> tuple[dict[str, list[Document]], Faults]:
    faults = Faults(remedy=REMEDY)
    files = files_of(
        path,
        _SUFFIXES,
        missing="no file of columns in this folder",
        remedy=f"give a file, or a folder of files named {', '.join(_SUFFIXES[:4])}, …",
    )
    return {
        file.name if len({f.stem for f in files}) < len(files) else file.stem: read_conll_file(
            file, faults, scheme=scheme, token=token, tag=tag
        )
        for file in files
    }, faults


def read_conll(path: Path | str, scheme: Scheme = "auto", token: int = 0, tag: int = -1) -> dict[str, list[Document]]:
    """File stem → sentences, of a file or of the files of a folder that are named like columns (`.conll`, `.bio`, …).

    Where two stems are equal, the whole names stand (`eng.testa`). DataError names file and line of the first fault.
    """
    found, faults = _read(path, scheme, token, tag)
    faults.refuse()
    return found


def check_conll(path: Path | str, scheme: Scheme = "auto", token: int = 0, tag: int = -1) -> dict[str, Any]:
    """{"rows": {file stem: sentences}, "faults": [{"file", "line", "message"}]}: every fault."""
    found, faults = _read(path, scheme, token, tag)
    return faults.beside(found)
