"""SciER: sentences of AI papers with entities and relations by their texts, as the release gives them to generators.

Format (Q. Zhang et al., EMNLP 2024; folder `SciER/LLM` of the release): `train`, `dev`, `test` and `test_ood` `.jsonl`,
one sentence a line. `rel_plus` is `rel` with the entity types:

    {"doc_id": "7", "sentence": "Kestrel beats Heron on OrchardQA .",
     "ner": [["Kestrel", "Method"], ["Heron", "Method"], ["OrchardQA", "Dataset"]],
     "rel": [["Kestrel", "Compare-With", "Heron"]], "rel_plus": [["Kestrel:Method", "Compare-With", "Heron:Method"]]}

There are no offsets, so a sentence is no `Document`, whose entities have them: a `ScierRow` holds an `Extraction`,
whose entities have no span. An entity stands in `ner` once for each of its mentions: what stands there twice is no
slip as long as its text occurs twice. The gold is kept as published, repetitions included: whether they count is a
matter of the protocol (`metrics`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from bythebook.errors import DataError
from bythebook.guidelines import load_from_library
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction, Noun

__all__ = ["SPLITS", "ScierRow", "check_scier", "read_scier", "scan_scier"]

SPLITS = ("train", "dev", "test", "test_ood")
_SUBFOLDERS = ("LLM", "SciER/LLM")
_REMEDY = "a line is one JSON object with doc_id, sentence, ner, rel and rel_plus"
_FOLDER = "give the folder LLM of the release"
_SHOWN = 60


class ScierRow(Noun):
    """One sentence with its gold; `id` is its split and its line."""

    id: str
    document: str
    text: str
    extraction: Extraction
    line: int


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)
    doc_id: str
    sentence: str
    ner: list[tuple[str, str]]
    rel: list[tuple[str, str, str]]
    rel_plus: list[tuple[str, str, str]]


class _Names(NamedTuple):
    entity_types: frozenset[str]
    relations: frozenset[str]


@lru_cache(maxsize=1)
def _names() -> _Names:
    guideline = load_from_library("scier")
    return _Names(
        frozenset(e.name for e in guideline.entity_types), frozenset(r.name for r in guideline.relation_types)
    )


class _Reader:
    """Sentences and faults of one file after another."""

    def __init__(self) -> None:
        self.faults = Faults(remedy=_REMEDY)
        self.rows: dict[str, list[ScierRow]] = {}

    def read(self, split: str, path: Path) -> None:
        rows = self.rows[split] = []
        for line, row in json_rows(path, _Row, self.faults):
            wrong = list(_wrong(row))
            for message in wrong:
                self.faults.add(path, line, message)
            if not wrong:
                gold = self._gold(row, path, line)
                rows.append(
                    ScierRow(id=f"{split}-{line}", document=row.doc_id, text=row.sentence, extraction=gold, line=line)
                )
        if not rows and not any(fault["file"] == str(path) for fault in self.faults.rows):
            self.faults.add(path, 1, "the file holds no sentence")

    def _gold(self, row: _Row, path: Path, line: int) -> Extraction:
        """What the annotators gave, without what can't be meant as it stands: that is a slip."""
        counted = Counter(row.ner)
        entities = []
        for text, kind in row.ner:
            if text not in row.sentence:
                self.faults.slip(path, line, f"the entity {_shown(text)} does not stand in the sentence")
            else:
                entities.append(ExtractedEntity(text=text, type=kind))
        for text, number in Counter(e.text for e in entities).items():
            found = row.sentence.count(text)
            if number > found:
                message = f"the entity {_shown(text)} stands {number} times, its text {found} times in the sentence"
                self.faults.kept(path, line, message)
        there = {(e.text, e.type) for e in entities}
        relations = []
        for relation in _typed(row):
            head, tail = relation.head, relation.tail
            missing = [a for a in (head, tail) if (a.text, a.type) not in there]
            if missing:
                named = f"{_shown(missing[0].text)} ({missing[0].type})"
                message = f"a relation {relation.type} joins {named}, which is no entity of the sentence"
                self.faults.slip(path, line, message)
            else:
                relations.append(relation)
        for relation, number in Counter(relations).items():
            head, tail = relation.head, relation.tail
            mentions = counted[head.text, head.type or ""] * counted[tail.text, tail.type or ""]
            if number > mentions:
                message = (
                    f"the relation {relation.type} of {_shown(head.text)} and {_shown(tail.text)} stands {number} "
                    f"times; pairs of such mentions in the sentence: {mentions}"
                )
                self.faults.kept(path, line, message)
        return Extraction(entities=tuple(entities), relations=tuple(relations))


def _wrong(row: _Row) -> Iterator[str]:
    """What keeps a row from being read."""
    names = _names()
    if not row.sentence.strip():
        yield "the sentence is empty"
    for text, kind in row.ner:
        if not text.strip():
            yield f"an entity {kind[:_SHOWN]!r} without text"
        if kind not in names.entity_types:
            yield f"not one of the {len(names.entity_types)} entity types: {_shown(kind)}"
    for relation in row.rel:
        if relation[1] not in names.relations:
            yield f"not one of the {len(names.relations)} relations: {_shown(relation[1])}"
    bare = [(head.rpartition(":")[0], kind, tail.rpartition(":")[0]) for head, kind, tail in row.rel_plus]
    if bare != row.rel:
        yield "rel and rel_plus do not name the same relations in the same order"


def _typed(row: _Row) -> Iterator[ExtractedRelation]:
    for head, kind, tail in row.rel_plus:
        (first, _, first_type), (second, _, second_type) = head.rpartition(":"), tail.rpartition(":")
        yield ExtractedRelation(
            head=ExtractedEntity(text=first, type=first_type),
            type=kind,
            tail=ExtractedEntity(text=second, type=second_type),
        )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _sources(path: Path | str) -> list[tuple[str, Path]]:
    """(split, file) of every file of the release in the folder, or in the one of its folders that holds them."""
    path = Path(path)
    if not path.is_dir():
        raise DataError("no such folder", file=path, remedy=_FOLDER)
    for folder in (path, *(path / name for name in _SUBFOLDERS)):
        found = [(split, folder / f"{split}.jsonl") for split in SPLITS if (folder / f"{split}.jsonl").exists()]
        if found:
            return found
    raise DataError(f"none of {', '.join(f'{s}.jsonl' for s in SPLITS)}", file=path, remedy=_FOLDER)


def scan_scier(path: Path | str) -> tuple[dict[str, list[ScierRow]], Faults]:
    """Split → sound sentences, for every split that the folder holds; and every fault. DataError if a file can't be
    read."""
    reader = _Reader()
    for split, file in _sources(path):
        reader.read(split, file)
    return reader.rows, reader.faults


def read_scier(path: Path | str) -> dict[str, list[ScierRow]]:
    """Split → sentences, for every split that the folder holds: `train`, `dev`, `test`, `test_ood`.

    Slips are left out or kept, as `check_scier` says of each. DataError names file and line of the first other fault.
    """
    rows, faults = scan_scier(path)
    faults.refuse()
    return rows


def check_scier(path: Path | str) -> dict[str, Any]:
    """{"rows": {split: sentences}, "faults": [{"file", "line", "message"}]}: every fault, slips included."""
    rows, faults = scan_scier(path)
    return faults.beside(rows)
