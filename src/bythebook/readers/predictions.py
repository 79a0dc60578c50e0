"""Predictions of joint extraction that anyone made: JSONL, one answer to one text a line, in one of two forms.

As bythebook writes them, with character offsets (end exclusive), relations by entity ids or by mentions in place:

    {"id": "test-1", "entities": [{"id": "t1", "start": 0, "end": 4, "type": "Method", "text": "BERT"}, …],
     "relations": [{"head": "t1", "tail": "t2", "type": "Used-For"}]}

Plain, as a model answers or as SciER is released; `rel_plus` may stand beside `rel` or in its place:

    {"id": "test-1", "ner": [["BERT", "Method"], …], "rel": [["BERT", "Used-For", "parsing"]]}
    {"doc_id": "7", "sentence": "…", "ner": […], "rel": […], "rel_plus": [["BERT:Method", "Used-For", "parsing:Task"]]}

Records of `bythebook evaluate` hold the plain form as the JSON text of `answer`; null is an empty answer.

Lines with one id are samples of one text, in their order or in that of `sample`; greedy lines (sample −1) beside
samples are left out. A line without `id` belongs to the text with its `doc_id` and `sentence`; where several texts of
the gold have the same ones, such lines are dealt to them in turns. Further keys are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from bythebook.errors import DataError, said
from bythebook.records import loads, read_jsonl
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Span

__all__ = ["AnswerRow", "Answers", "Asked", "assign", "read_answer_rows"]

_REMEDY = "a line has entities and relations with offsets, or ner [[text, type], …] and rel [[head, type, tail], …]"
_ID_REMEDY = "give every line the id of its gold row, or its doc_id and sentence"
_SHOWN = 60
_FORMS = {"ner", "rel", "rel_plus", "entities", "relations"}
GREEDY = -1


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One line of a file."""

    line: int
    id: str | None
    document: str | None
    text: str | None
    sample: int | None
    extraction: Extraction
    entities: bool
    """Whether the line says anything of entities, be it that there is none."""
    relations: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What there is to answer: a text of the gold."""

    id: str
    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Answers:
    """The samples of every text."""

    samples: dict[str, tuple[Extraction, ...]]
    """By id; of a text that nobody answered, empty extractions."""
    number: int
    """Samples of each text."""
    missing: tuple[str, ...]
    """Ids that nobody answered."""
    greedy: int
    """Greedy lines beside samples, left out."""
    entities: bool
    """Whether any line says anything of entities."""
    relations: bool


class _Mention(BaseModel):
    model_config = ConfigDict(strict=True)
    id: str | int | None = None
    start: int | None = Field(None, ge=0)
    end: int | None = Field(None, ge=0)
    type: str | None = None
    text: str | None = None


class _Relation(BaseModel):
    model_config = ConfigDict(strict=True)
    head: str | int | _Mention
    tail: str | int | _Mention
    type: str


class _Row(BaseModel):
    # Not strict: JSON has lists where these are tuples.
    id: StrictStr | int | None = None
    doc_id: StrictStr | int | None = None
    sentence: StrictStr | None = None
    text: StrictStr | None = None
    sample: int | None = None
    entities: list[_Mention] | None = None
    relations: list[_Relation] | None = None
    ner: list[tuple[StrictStr, StrictStr]] | None = None
    rel: list[tuple[StrictStr, StrictStr, StrictStr]] | None = None
    rel_plus: list[tuple[StrictStr, StrictStr, StrictStr]] | None = None
    answer: Any = None


class _BrokenError(Exception):
    """What is wrong with a line."""


def read_answer_rows(path: Path | str) -> list[AnswerRow]:
    """Every line of a file. DataError names the first that is in neither form, and a file without any."""
    out = []
    for line, row in read_jsonl(path, strict=True):
        try:
            out.append(_answer(_unpacked(_Row.model_validate(row)), line))
        except ValidationError as error:
            raise DataError(said(error), file=path, line=line, remedy=_REMEDY) from None
        except _BrokenError as error:
            raise DataError(str(error), file=path, line=line, remedy=_REMEDY) from None
    if not out:
        raise DataError("the file holds no row", file=path, line=1, remedy=_REMEDY)
    return out


def _unpacked(row: _Row) -> _Row:
    """A record with the plain form that its `answer` holds; another row as it is."""
    if "answer" not in row.model_fields_set or row.model_fields_set & _FORMS:
        return row
    if row.answer is None:
        return row.model_copy(update={"ner": [], "rel": []})
    if not isinstance(row.answer, str):
        raise _BrokenError("answer is no text")
    if row.answer.startswith("sha256:"):
        raise _BrokenError("the record holds a digest of its answer: of licensed data no text is kept")
    try:
        found = loads(row.answer, strict=True)
    except ValueError as error:
        raise _BrokenError(f"answer: {error}") from None
    if not isinstance(found, dict):
        raise _BrokenError("answer: no JSON object")
    read = _Row.model_validate({key: found[key] for key in ("ner", "rel") if key in found})
    return row.model_copy(update={"ner": read.ner, "rel": read.rel})


def _answer(row: _Row, line: int) -> AnswerRow:
    text = row.sentence if row.text is None else row.text
    plain = row.ner is not None or row.rel is not None or row.rel_plus is not None
    offsets = row.entities is not None or row.relations is not None
    if plain == offsets:
        raise _BrokenError("the row has both forms of an answer" if plain else "the row has no answer")
    return AnswerRow(
        line=line,
        id=None if row.id is None else str(row.id),
        document=None if row.doc_id is None else str(row.doc_id),
        text=text,
        sample=row.sample,
        extraction=_plain(row) if plain else _with_offsets(row, text),
        entities=(row.ner if plain else row.entities) is not None,
        relations=row.rel is not None or row.rel_plus is not None or row.relations is not None,
    )


# --------------------------------------------------------------------------------------------------------- two forms


def _plain(row: _Row) -> Extraction:
    typed = [_typed(*r) for r in row.rel_plus or ()]
    if row.rel_plus is not None and row.rel is not None:
        bare = [(r.head.text, r.type, r.tail.text) for r in typed]
        if bare != row.rel:
            raise _BrokenError("rel and rel_plus do not name the same relations in the same order")
    if row.rel_plus is None:
        typed = [
            ExtractedRelation(head=ExtractedEntity(text=h), type=r, tail=ExtractedEntity(text=t))
            for h, r, t in row.rel or ()
        ]
    entities = tuple(ExtractedEntity(text=text, type=kind) for text, kind in row.ner or ())
    return Extraction(entities=entities, relations=tuple(typed))


def _typed(head: str, kind: str, tail: str) -> ExtractedRelation:
    (first, colon, first_type), (second, other, second_type) = head.rpartition(":"), tail.rpartition(":")
    if not (colon and other):
        raise _BrokenError(f"rel_plus has 'text:Type' as head and tail, not {_shown(tail if colon else head)}")
    return ExtractedRelation(
        head=ExtractedEntity(text=first, type=first_type),
        type=kind,
        tail=ExtractedEntity(text=second, type=second_type),
    )


def _with_offsets(row: _Row, text: str | None) -> Extraction:
    known: dict[str, ExtractedEntity] = {}
    entities = []
    for mention in row.entities or ():
        entity = _entity(mention, text)
        entities.append(entity)
        if mention.id is not None:
            if str(mention.id) in known:
                raise _BrokenError(f"two entities have the id {_shown(str(mention.id))}")
            known[str(mention.id)] = entity

    def argument(given: str | int | _Mention) -> ExtractedEntity:
        if isinstance(given, _Mention):
            return _entity(given, text)
        if str(given) not in known:
            raise _BrokenError(f"a relation names {_shown(str(given))}, which is the id of no entity")
        return known[str(given)]

    relations = (
        ExtractedRelation(head=argument(r.head), type=r.type, tail=argument(r.tail)) for r in row.relations or ()
    )
    return Extraction(entities=tuple(entities), relations=tuple(relations))


def _entity(mention: _Mention, text: str | None) -> ExtractedEntity:
    start, end, written = mention.start, mention.end, mention.text
    if (start is None) != (end is None):
        raise _BrokenError("a mention has one of start and end")
    span = None
    if start is not None and end is not None:
        if start >= end or (text is not None and end > len(text)):
            raise _BrokenError(f"a mention is [{start}, {end}), which is no part of the text")
        span = Span(start=start, end=end)
        written = text[start:end] if written is None and text is not None else written
    if written is None:
        raise _BrokenError("a mention has neither its text nor offsets into a text of the row")
    return ExtractedEntity(text=written, type=mention.type, span=span)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


# ------------------------------------------------------------------------------------------------ to whom they belong


def assign(rows: Sequence[AnswerRow], asked: Sequence[Asked], path: Path | str) -> Answers:
    """The samples of every text that was asked; a text that nobody answered has as many empty ones, and is named.

    DataError for a line that belongs to no text, for one sample given twice, and where one text has more samples than
    another.
    """
    sampled = [r for r in rows if r.sample != GREEDY]
    kept = sampled or list(rows)
    found = _by_text(kept, asked, path)
    number = max(map(len, found.values()))
    for name, answers in found.items():
        if len(answers) != number:
            fullest = next(n for n, others in found.items() if len(others) == number)
            message = f"{_shown(name)} has {len(answers)} samples, {_shown(fullest)} has {number}"
            raise DataError(message, file=path, line=answers[-1].line, remedy="give every text as many samples")
    samples = {name: tuple(r.extraction for r in _in_order(answers, path)) for name, answers in found.items()}
    missing = tuple(a.id for a in asked if a.id not in samples)
    return Answers(
        samples=samples | {name: (Extraction(),) * number for name in missing},
        number=number,
        missing=missing,
        greedy=len(rows) - len(kept),
        entities=any(r.entities for r in kept),
        relations=any(r.relations for r in kept),
    )


def _by_text(rows: Sequence[AnswerRow], asked: Sequence[Asked], path: Path | str) -> dict[str, list[AnswerRow]]:
    ids = {a.id for a in asked}
    places: dict[Any, list[str]] = defaultdict(list)
    for a in asked:
        places[a.document, a.text].append(a.id)
    dealt: dict[Any, int] = defaultdict(int)
    found: dict[str, list[AnswerRow]] = defaultdict(list)
    for row in rows:
        found[_name(row, ids, places, dealt, path)].append(row)
    return found


def _name(
    row: AnswerRow, ids: set[str], places: Mapping[Any, list[str]], dealt: dict[Any, int], path: Path | str
) -> str:
    """The id of the text that a line belongs to."""
    if row.id is not None:
        if row.id not in ids:
            remedy = f"ids are like {_shown(next(iter(sorted(ids))))}" if ids else None
            raise DataError(f"id {_shown(row.id)} is not in the gold", file=path, line=row.line, remedy=remedy)
        return row.id
    if row.document is None or row.text is None:
        raise DataError("the row has no id", file=path, line=row.line, remedy=_ID_REMEDY)
    place = row.document, row.text
    if place not in places:
        message = f"the gold has no such sentence in document {_shown(row.document)}"
        raise DataError(message, file=path, line=row.line, remedy=_ID_REMEDY)
    turn = dealt[place]
    dealt[place] += 1
    return places[place][turn % len(places[place])]


def _in_order(rows: list[AnswerRow], path: Path | str) -> list[AnswerRow]:
    if any(r.sample is None for r in rows):
        return rows
    ordered = sorted(rows, key=lambda r: r.sample or 0)
    for a, b in pairwise(ordered):
        if a.sample == b.sample:
            message = f"sample {b.sample} of one text stands twice, in line {a.line} already"
            raise DataError(message, file=path, line=b.line, remedy="number the samples of a text")
    return ordered
