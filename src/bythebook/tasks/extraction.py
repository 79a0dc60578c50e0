"""Joint extraction as questions: a text with what is known of it becomes one example for each sub-task asked.

    ner       the text; gold: its entities with their types
    re        the text and the related pairs, without types; gold: their relations
    re_plus   the text and its typed entities; gold: the relations between them
    end2end   the text; gold: entities and relations

Which of a given pair is the head is part of the answer: pairs are given in the order of the text. A text is left out
of `re` where no two mentions are related, and of `re_plus` where it has fewer than two entities: there is nothing to
ask. What nobody has annotated has no gold. (The sub-tasks are those of MimicSFT, arXiv 2505.22068; there a given pair
has the order of the gold.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.readers.documents import Document
from bythebook.schema import ExtractionSchema
from bythebook.types import (
    Example,
    ExtractedEntity,
    ExtractedRelation,
    Extraction,
    Guideline,
    SubTask,
)

__all__ = [
    "JOINT",
    "Passage",
    "add_counts",
    "asked_sub_tasks",
    "counts",
    "passage_of",
    "questions",
    "signature_notes",
]

JOINT: tuple[SubTask, ...] = ("ner", "re", "re_plus", "end2end")
_TYPED: tuple[SubTask, ...] = ("ner", "re_plus", "end2end")


@dataclass(frozen=True)
class Passage:
    """A text with what its annotators found in it, as any reader gives it."""

    id: str
    text: str
    entities: tuple[ExtractedEntity, ...] | None
    """None: nobody has looked for them."""
    relations: tuple[ExtractedRelation, ...] | None
    """None: nobody has looked for them."""
    domain: str
    meta: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None
    """Line in its file."""

    @property
    def gold(self) -> Extraction | None:
        """Everything that was found; None where somebody has not looked."""
        if self.entities is None or self.relations is None:
            return None
        return Extraction(entities=self.entities, relations=self.relations)


def asked_sub_tasks(
    sub_task: str | None, sub_tasks: str | Sequence[str] | None, default: SubTask = "end2end"
) -> tuple[SubTask, ...]:
    """The options `sub_task` and `sub_tasks` of a task as sub-tasks to ask: one, or several at once (`ner re re_plus`,
    as one string or a list). DataError for both, for another name, and for `label` beside others."""
    if sub_task is not None and sub_tasks is not None:
        raise DataError("both sub_task and sub_tasks are given", remedy="give one of them")
    names = [sub_task or default] if sub_tasks is None else sub_tasks
    names = list(dict.fromkeys(names.split() if isinstance(names, str) else names))
    known: tuple[SubTask, ...] = JOINT if default != "label" else ("label", *JOINT)
    for name in names:
        if name not in known:
            raise DataError(f"no sub-task {name!r}", remedy=f"sub-tasks are: {', '.join(known)}")
    if not names:
        raise DataError("no sub-task asked for", remedy=f"sub-tasks are: {', '.join(known)}")
    if "label" in names and len(names) > 1:
        raise DataError("the sub-task 'label' stands alone", remedy="ask for it in an entry of `data.also`")
    return tuple(s for n in names for s in known if s == n)


def passage_of(document: Document, guideline: Guideline, *, name: str, domain: str, of: str | None = None) -> Passage:
    """A document as a passage: mentions by text and span in the order of the text, relations in the order of the file.

    `of` is the id of the document whose part this is; it stands in `meta`, since texts of one document go together
    where significance is tested. Relations with the guideline's no-relation label are left out: a pair that is not
    named has none.
    """
    order = sorted(document.entities, key=lambda e: (e.span.start, e.span.end))
    mentions = {e.id: ExtractedEntity(text=e.span.of(document.text), type=e.type, span=e.span) for e in order}
    relations = None
    if document.relations is not None:
        relations = tuple(
            ExtractedRelation(head=mentions[r.head], type=r.type, tail=mentions[r.tail])
            for r in document.relations
            if r.type != guideline.no_relation
        )
    return Passage(
        id=name,
        text=document.text,
        entities=None if document.raw else tuple(mentions.values()),
        relations=relations,
        domain=domain,
        meta={"document": of or document.id},
        line=document.line,
    )


def questions(
    passages: Iterable[Passage],
    guideline: Guideline,
    sub_tasks: Sequence[SubTask],
    *,
    split: str,
    file: Path | str | None = None,
) -> list[Example]:
    """The examples of all passages. The id of one is its passage's, with `#<sub-task>` added for all but `end2end`.

    DataError, which names `file` and line, for a sub-task that needs entity types where the guideline declares none or
    a mention has none.
    """
    typed = next((s for s in sub_tasks if s in _TYPED), None)
    if typed and not guideline.entity_types:
        remedy = "declare them ('## Entity type: …' and what belongs to it), or ask for the sub-task re"
        raise DataError(f"the sub-task {typed} asks for entity types, the guideline declares none", remedy=remedy)
    out = []
    for passage in passages:
        untyped = next((e for e in passage.entities or () if e.type is None), None)
        if typed and untyped:
            message = f"the entity {untyped.text[:60]!r} of {passage.id} has no type, which the sub-task {typed} needs"
            raise DataError(message, file=file, line=passage.line, remedy="give its 'type', or ask for the sub-task re")
        out += [example for s in sub_tasks if (example := _question(passage, guideline, s, split))]
    return out


def _question(passage: Passage, guideline: Guideline, sub_task: SubTask, split: str) -> Example | None:
    entities, relations = passage.entities, passage.relations
    given = gold = None
    if sub_task == "re":
        pairs = tuple(_pairs(passage))
        if not pairs:
            return None
        given = Extraction(relations=pairs)
    elif sub_task == "re_plus":
        if len(entities or ()) < 2:
            return None
        given = Extraction(entities=entities or ())
    if sub_task == "ner":
        gold = None if entities is None else Extraction(entities=entities)
    elif sub_task == "end2end":
        gold = passage.gold
    elif relations is not None:
        gold = Extraction(relations=relations)
    return Example(
        id=passage.id if sub_task == "end2end" else f"{passage.id}#{sub_task}",
        text=passage.text,
        guideline=guideline,
        domain=passage.domain,
        split=split,
        meta=dict(passage.meta),
        sub_task=sub_task,
        extraction=gold,
        given=given,
    )


def _pairs(passage: Passage) -> Iterator[ExtractedRelation]:
    """Every related pair once, without types, the mention first that stands first in the text."""
    seen: set[frozenset[ExtractedEntity]] = set()
    for relation in passage.relations or ():
        head, tail = (e.model_copy(update={"type": None}) for e in (relation.head, relation.tail))
        if frozenset((head, tail)) in seen:
            continue
        seen.add(frozenset((head, tail)))
        first, second = sorted((head, tail), key=lambda e: _place(e, passage.text))
        yield ExtractedRelation(head=first, type="", tail=second)


def _place(entity: ExtractedEntity, text: str) -> tuple[int, int]:
    if entity.span is not None:
        return entity.span.start, entity.span.end
    start = text.find(entity.text)
    return start, start + len(entity.text)


def counts(passages: Iterable[Passage]) -> dict[str, int]:
    """What `data check` says of a split beside its rows: documents, entities, relations, texts without relation."""
    found = list(passages)
    return {
        "documents": len({p.meta.get("document", p.id) for p in found}),
        "entities": sum(len(p.entities or ()) for p in found),
        "relations": sum(len(p.relations or ()) for p in found),
        "without relation": sum(p.relations == () for p in found),
    }


def signature_notes(passages: Mapping[str, Iterable[Passage]], guideline: Guideline) -> list[str]:
    """One note for each relation type of which some instances join other entity types than the guideline says; the
    keys name where a passage stands: a file or a split."""
    schema = ExtractionSchema.of(guideline)
    total, broken, first = Counter[str](), Counter[str](), dict[str, str]()
    for place, rows in passages.items():
        for passage in rows:
            for relation in passage.relations or ():
                total[relation.type] += 1
                fault = schema.relation_fault(relation)
                if fault is not None and fault.code == "type_signature":
                    broken[relation.type] += 1
                    joined = f"{relation.head.type} with {relation.tail.type}"
                    first.setdefault(relation.type, f"{place}, line {passage.line}: {joined}")
    return [
        f"{broken[name]} of {total[name]} relations {name} join other entity types than the guideline says "
        f"(the first: {first[name]})"
        for name in schema.relation_names
        if broken[name]
    ]


def add_counts(
    found: dict[str, Any], passages: Mapping[str, Sequence[Passage]], guideline: Guideline
) -> dict[str, Any]:
    """What a reader's check found, with `counts` by split, and notes on type signatures that the data breaks."""
    notes = [*found.get("notes", []), *signature_notes(passages, guideline)]
    return {**found, "counts": {name: counts(rows) for name, rows in passages.items()}} | (
        {"notes": notes} if notes else {}
    )
