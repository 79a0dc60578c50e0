"""The gold in a row of a file of completions, in every form that is accepted."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from bythebook.errors import first_fault
from bythebook.schema import ExtractionGold, ExtractionSchema, Gold, Grammar, RelationSignature
from bythebook.schema.key_values import KeyValueGold
from bythebook.schema.table_answers import TableGold
from bythebook.types import ExtractedEntity, ExtractedRelation, Extraction

__all__ = ["BadGoldError", "gold_of_row"]

_REMEDY = (
    'write "gold": {"ner": [["text", "type"], …], "rel": [["head", "relation", "tail"], …]} beside "text" and "labels"'
)

_TABLES = 'write "gold": {"table_task": "items", "table_answers": ["…"]}; a task is items, verdict or text'
_UNSEEN = {"question": "", "reference": ""}
"""Of a question about a table, what no reward looks at."""


class BadGoldError(Exception):
    """A gold answer that can't be used; the reader of the file adds where it stands."""

    def __init__(self, message: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


def gold_of_row(row: dict[str, Any]) -> Gold | ExtractionGold | KeyValueGold | TableGold | None:
    """The gold under `gold`; None where there is none.

    It is a Gold, an ExtractionGold, a KeyValueGold or a TableGold, as an object or as its JSON text; or a label beside
    its `labels`, or a letter beside its `options`; or an extraction `{"ner", "rel"}` beside `text` and `labels`; or an
    answer about a table, `{"table_task", "table_answers"}`. BadGoldError, or pydantic's ValidationError, for another.
    """
    written = row.get("gold")
    if written is None:
        return None
    if isinstance(written, str) and not written.lstrip().startswith("{"):
        return _checked(_from_label(written, row))
    if isinstance(written, str):
        if '"key_schema"' in written:
            return KeyValueGold.from_json(written)
        if '"table_task"' in written:
            return _about_a_table(written)
        extraction = '"extraction_schema"' in written
        return ExtractionGold.from_json(written) if extraction else _checked(Gold.from_json(written))
    if not isinstance(written, dict):
        raise BadGoldError("neither an object nor a text")
    if "key_schema" in written:
        return KeyValueGold.from_json(json.dumps(written))
    if "table_task" in written:
        return _about_a_table(json.dumps({**_UNSEEN, **written}))
    if "extraction_schema" in written:
        # As JSON, since lists are no tuples to a strict reader of Python objects.
        return ExtractionGold.from_json(json.dumps(written))
    if "ner" in written or "rel" in written:
        return _from_items(written, row)
    return _checked(Gold.model_validate(written))


def _checked(gold: Gold) -> Gold:
    # A gold answer outside its own grammar could never be given, or only by an answer that breaks the guideline.
    if not gold.grammar.knows(gold.label):
        raise BadGoldError(f"{gold.label} is not among its own labels")
    return gold


def _from_label(text: str, row: dict[str, Any]) -> Gold:
    if "options" in row:
        return _from_letter(text, row["options"])
    if "labels" not in row:
        raise BadGoldError(
            f"{text!r} stands without its label set", remedy='add "labels": ["Cause-Effect", …], the relation names'
        )
    grammar = Grammar(relations=row["labels"], symmetric=row.get("symmetric") or (), no_relation=row.get("no_relation"))
    label = grammar.read(text)
    if label is None:
        raise BadGoldError(
            f"{text!r} is no answer", remedy="write Relation(e1,e2), Relation(e2,e1) or the no_relation label"
        )
    return Gold(label=label, grammar=grammar)


def _from_letter(text: str, options: Any) -> Gold:
    """One of the letters of a multiple-choice question."""
    if not isinstance(options, list):
        raise BadGoldError("the options are no list of letters", remedy='add "options": ["A", "B", "C", "D"]')
    grammar = Grammar.model_validate({"relations": options, "options": options})
    label = grammar.read(text)
    if label is None:
        raise BadGoldError(f"{text!r} is none of the options {', '.join(grammar.options)}")
    return Gold(label=label, grammar=grammar)


def _about_a_table(written: str) -> TableGold:
    try:
        return TableGold.from_json(written)
    except ValidationError as error:
        where, what = first_fault(error)
        raise BadGoldError(f"{where}: {what}" if where else what.removeprefix("Value error, "), _TABLES) from None


def _from_items(written: dict[str, Any], row: dict[str, Any]) -> ExtractionGold:
    """An extraction in the form of an answer; its keys say what was asked for."""
    if not isinstance(row.get("text"), str) or "labels" not in row:
        raise BadGoldError("an extraction stands without its text or its label set", remedy=_REMEDY)
    labels, symmetric = row["labels"], row.get("symmetric") or ()
    if not isinstance(labels, list) or not all(isinstance(name, str) for name in (*labels, *symmetric)):
        raise BadGoldError("the labels are no list of names", remedy=_REMEDY)
    entities = tuple(ExtractedEntity(text=t, type=kind) for t, kind in _items(written, "ner", 2))
    relations = tuple(
        ExtractedRelation(head=ExtractedEntity(text=head), type=kind, tail=ExtractedEntity(text=tail))
        for head, kind, tail in _items(written, "rel", 3)
    )
    schema = ExtractionSchema(
        entity_types=row.get("entity_types") or (),
        relations=tuple(RelationSignature(name=name, symmetric=name in symmetric) for name in labels),
        no_relation=row.get("no_relation"),
    )
    gold = ExtractionGold(
        text=row["text"],
        sub_task="end2end" if {"ner", "rel"} <= set(written) else "ner" if "ner" in written else "re_plus",
        extraction=schema.canonical(Extraction(entities=entities, relations=relations), row["text"]),
        extraction_schema=schema,
    )
    for fault in schema.admits(gold.extraction):
        raise BadGoldError(fault.message)
    return gold


def _items(written: dict[str, Any], key: str, length: int) -> list[list[str]]:
    items = written.get(key, [])
    if not isinstance(items, list) or not all(
        isinstance(item, list) and len(item) == length and all(isinstance(part, str) for part in item) for item in items
    ):
        raise BadGoldError(f"{key!r} is no list of items of {length} texts each", remedy=_REMEDY)
    return items
