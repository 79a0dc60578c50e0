"""An answer of joint extraction, `<answer>{"ner": […], "rel": […]}</answer>`, read from a completion.

Deviations, by code; a tag is one of the declared set. Those of the first two groups make a completion not well formed,
those of the second group are items that are left out. The codes about tags that are not listed are in `tags.py`. What
is said of an item begins with its key and its number, from 0: `rel[3]: …`.

missing_tag          one of the tags does not occur
duplicate_tag        one of the tags occurs more than once
tag_order            the tags stand in another order than that of the set
unparseable_answer   what stands where the answer is due has no list of a key that is asked for
repaired_json        the answer is no JSON; its items were read one by one, broken ones after a repair where possible
text_in_answer       something else than the JSON stands in the answer
missing_key          a key that is asked for does not occur, or its value is no list
repeated_key         a key occurs more than once; the items of all its lists are read
unknown_key          a key that is not asked for; its value is not read

malformed_item       an item is no list of two (three) strings
unfinished_item      the text breaks off in an item
too_many_items       a list has more than `MAX_EXTRACTED` items; the rest is left out
empty_mention        an entity, a head or a tail without text
unknown_type         an entity type that the guideline does not declare
unknown_relation     a relation that the guideline does not declare
stated_negative      an item with the no-relation label

type_signature       a relation between types that it does not take; it is kept, since released gold has such ones
duplicate_item       the same item again; it is kept as the model wrote it, and pays once wherever sets are compared
invisible_character  a character without width in a mention
code_fence           the JSON stands in a code fence
bare_answer          the JSON stands outside of any answer block (always beside missing_tag)
unclosed_answer      the answer block is never closed (always beside missing_tag)
foreign_tag          a tag of a set that is not the declared one
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from bythebook.parsing.blocks import TAG_FAULTS, Blocks, note, read_blocks, stripped
from bythebook.parsing.json_items import Item, ItemList, numbered, read_lists
from bythebook.parsing.tag_sets import TAG_SETS, TagSet
from bythebook.schema import ExtractionSchema, MentionOrder
from bythebook.types import (
    Deviation,
    ExtractedEntity,
    ExtractedRelation,
    Extraction,
    ParsedExtraction,
    Span,
    SubTask,
)

__all__ = ["DROPPED_ITEMS", "FORM_FAULTS", "MAX_EXTRACTED", "parse_extraction"]

MAX_EXTRACTED = 1_024
"""How many items are read of one list."""
DROPPED_ITEMS = frozenset(
    {
        "malformed_item",
        "unfinished_item",
        "too_many_items",
        "empty_mention",
        "unknown_type",
        "unknown_relation",
        "stated_negative",
    }
)
"""Codes of items that are left out."""
FORM_FAULTS = TAG_FAULTS | {
    "unparseable_answer",
    "repaired_json",
    "text_in_answer",
    "missing_key",
    "repeated_key",
    "unknown_key",
    *DROPPED_ITEMS,
}
"""Codes that make a completion not well formed."""

_ARITY = {"ner": 2, "rel": 3}
_FENCE_BEFORE = re.compile(r"```\w{0,12}\Z")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HALF = re.compile("[\ud800-\udfff]")


def parse_extraction(
    text: str,
    schema: ExtractionSchema,
    sub_task: SubTask,
    *,
    source: str | None = None,
    tags: TagSet = TAG_SETS["think"],
    prefilled: bool = False,
    given: Extraction | None = None,
) -> ParsedExtraction:
    """Read a completion of joint extraction; time is linear in `len(text)`, and no text makes it raise.

    `source` is the text to annotate: it gives symmetric relations their canonical order (`ExtractionSchema.canonical`).
    `tags` is the tag set that the recipe declares; the thinking is the block before the answer. `prefilled` says that
    the chat template has opened the first block in the prompt. `given` is what the prompt told beside the source.

    Head and tail of a relation get the type of the answer's own entities of that text, or of those given if the
    sub-task asks for none, where these have one type only.

    The answer is the only answer block; one that breaks off at the end of the text is read, too; without any answer
    tag, the JSON after the thinking is. Where it is unclear which answer is meant, none is taken. ValueError for the
    sub-task `label`.
    """
    keys = schema.keys(sub_task)
    blocks = read_blocks(text, tags, prefilled=prefilled)
    foreign = tags.foreign and tags.foreign.search(blocks.text, 0, blocks.end)
    if foreign:
        note(blocks.deviations, "foreign_tag", f"{foreign[0]!r} is of another tag set", foreign.span())
    found = _located(blocks, {key: _ARITY[key] for key in keys})
    answer = _Answer(schema, blocks.deviations)
    if found is not None:
        _check_keys(found.lists, keys, blocks.deviations)
        answer.read(found.lists, MentionOrder(source), given if "ner" not in keys else None)
    thinking, thinking_span = blocks.thinking()
    codes = {d.code for d in blocks.deviations}
    return ParsedExtraction(
        thinking=thinking,
        thinking_span=thinking_span,
        extraction=None if found is None else answer.extraction,
        answer_span=None if found is None else found.place,
        well_formed=found is not None and not codes & FORM_FAULTS,
        anchored=blocks.anchored,
        repaired="repaired_json" in codes,
        dropped=answer.dropped,
        deviations=tuple(blocks.deviations),
    )


# ------------------------------------------------------------------------------------------------- where the JSON is


class _Found(NamedTuple):
    lists: list[ItemList]
    place: Span


def _located(blocks: Blocks, arity: dict[str, int]) -> _Found | None:
    """The lists of the answer; None, with the reason noted, where there is none."""
    place = _place(blocks)
    if place is None:
        return None
    text, deviations = blocks.text, blocks.deviations
    area = stripped(text, *place)
    start = _json_start(text, area, bare_list=len(arity) == 1)
    found = None if start is None else read_lists(text, start, _fence_start(text, start, area.end), arity)
    if start is None or found is None or not any(part.items is not None for part in found[0]):
        note(deviations, "unparseable_answer", "the answer has no list of items", place)
        return None
    lists, end, repaired = found
    before, after = text[area.start : start].rstrip(), text[end : area.end].strip()
    fence = _FENCE_BEFORE.search(before)
    if fence or after.startswith("```"):
        note(deviations, "code_fence", "the JSON stands in a code fence", (area.start, area.end))
        before, after = before[: fence.start()] if fence else before, after.removeprefix("```")
    if before.strip() or after.strip():
        note(deviations, "text_in_answer", "text beside the JSON", (area.start, area.end))
    if repaired:
        note(deviations, "repaired_json", "no JSON: read item by item", (start, end))
    return _Found(lists, Span(start=start, end=end))


def _place(blocks: Blocks) -> tuple[int, int] | None:
    """Where the JSON is looked for."""
    if len(blocks.answers) == 1:
        return blocks.answers[0] if blocks.is_read() else None
    if blocks.answers:
        note(blocks.deviations, "unread_answer", "the answer is not read: there are several", blocks.answers[0])
        return None
    aside = blocks.opened is not None and (blocks.thought or 0) > blocks.opened
    if blocks.opened is not None and not aside and not blocks.count("</answer>"):
        note(blocks.deviations, "unclosed_answer", "the answer is never closed", (blocks.opened, blocks.end))
        return blocks.opened, blocks.end
    if blocks.count("<answer>") or blocks.count("</answer>") > 1 or blocks.thought is None:
        return None
    closing = blocks.place("</answer>")
    place = blocks.thought, blocks.end if closing is None else closing
    if place[0] > place[1] or "{" not in blocks.text[slice(*place)]:
        return None
    note(blocks.deviations, "bare_answer", "an answer without its tags", place)
    return place


def _json_start(text: str, area: Span, *, bare_list: bool) -> int | None:
    at = text.find("{", area.start, area.end)
    if bare_list:
        bracket = text.find("[", area.start, area.end)
        at = bracket if bracket >= 0 and (at < 0 or bracket < at) else at
    return None if at < 0 else at


def _fence_start(text: str, start: int, end: int) -> int:
    """`end`, or where the closing fence begins that stands there."""
    return end - 3 if text.endswith("```", start, end) else end


def _check_keys(lists: list[ItemList], keys: tuple[str, ...], deviations: list[Deviation]) -> None:
    seen: set[str] = set()
    unknown = False
    for part in lists:
        place = (part.start, part.end)
        if part.key not in keys:
            if not unknown:
                note(deviations, "unknown_key", "a key that is not asked for", place)
            unknown = True
        elif part.items is None:
            continue
        elif part.key in seen:
            if not any(d.code == "repeated_key" for d in deviations):
                note(deviations, "repeated_key", f"{part.key!r} more than once", place)
        else:
            seen.add(part.key)
    for key in keys:
        if key not in seen:
            note(deviations, "missing_key", f"no list {key!r}")


# ------------------------------------------------------------------------------------------------- what the items say


class _Answer:
    """Collects what can be read, and notes what can't."""

    def __init__(self, schema: ExtractionSchema, deviations: list[Deviation]) -> None:
        self.schema = schema
        self.deviations = deviations
        self.dropped = 0
        self.extraction = Extraction()
        self._noted_once: set[str] = set()
        self._seen: set[tuple[str, ...]] = set()

    def read(self, lists: list[ItemList], order: MentionOrder, given: Extraction | None) -> None:
        """Entities first, since they tell the types of heads and tails."""
        entities: list[ExtractedEntity] = []
        for item in self._items(lists, "ner"):
            if item.fields is not None:
                entity = ExtractedEntity(text=item.fields[0], type=item.fields[1])
                if self._kept(self.schema.entity_fault(entity), item):
                    entities.append(entity)
                    self._note_repetition(("ner", *item.fields), item)
        kept = tuple(entities)
        types = _types_by_text(kept if given is None else _mentions(given))
        relations: list[ExtractedRelation] = []
        for item in self._items(lists, "rel"):
            if item.fields is not None:
                head, kind, tail = item.fields
                relation = ExtractedRelation(
                    head=ExtractedEntity(text=head, type=types.get(head)),
                    type=kind,
                    tail=ExtractedEntity(text=tail, type=types.get(tail)),
                )
                if self._kept(self.schema.relation_fault(relation), item):
                    relation = self.schema.canonical_relation(relation, order)
                    relations.append(relation)
                    self._note_repetition(("rel", relation.head.text, kind, relation.tail.text), item)
        self.extraction = Extraction(entities=kept, relations=tuple(relations))

    def _items(self, lists: list[ItemList], key: str) -> Iterable[Item]:
        """The items of a key with fields that can be stored; the others are noted and counted."""
        items = numbered(lists, key)
        for item in items[:MAX_EXTRACTED]:
            if item.fields is None:
                code = "malformed_item" if item.finished else "unfinished_item"
                message = "an item of another form" if item.finished else "the text breaks off in an item"
                self._drop(code, message, item)
            else:
                yield item._replace(fields=tuple(self._clean(field, item) for field in item.fields))
        rest = items[MAX_EXTRACTED:]
        if rest:
            self._drop("too_many_items", f"{len(items)} items, {MAX_EXTRACTED} read", rest[0], many=len(rest))

    def _clean(self, field: str, item: Item) -> str:
        """A field without halves of surrogate pairs, which an escape may have brought in."""
        if _INVISIBLE.search(field):
            self._note_once("invisible_character", "a character without width", item)
        if _HALF.search(field):
            self._note_once("lone_surrogate", "half of a surrogate pair", item)
            field = _HALF.sub("\ufffd", field)
        return field

    def _kept(self, fault: Deviation | None, item: Item) -> bool:
        if fault is None:
            return True
        if fault.code in DROPPED_ITEMS:
            self._drop(fault.code, fault.message, item)
            return False
        self._note(fault.code, fault.message, item)
        return True

    def _drop(self, code: str, message: str, item: Item, many: int = 1) -> None:
        self.dropped += many
        self._note(code, message, item)

    def _note(self, code: str, message: str, item: Item) -> None:
        note(self.deviations, code, f"{item.name}: {message}", (item.start, item.end))

    def _note_once(self, code: str, message: str, item: Item) -> None:
        if code not in self._noted_once:
            self._noted_once.add(code)
            self._note(code, message, item)

    def _note_repetition(self, key: tuple[str, ...], item: Item) -> None:
        if key in self._seen:
            self._note("duplicate_item", "the same item again", item)
        self._seen.add(key)


def _mentions(given: Extraction) -> tuple[ExtractedEntity, ...]:
    return given.entities + tuple(mention for r in given.relations for mention in (r.head, r.tail))


def _types_by_text(entities: Iterable[ExtractedEntity]) -> dict[str, str]:
    """The type of every text whose entities have one type only."""
    types: dict[str, set[str]] = {}
    for entity in entities:
        if entity.type is not None:
            types.setdefault(entity.text, set()).add(entity.type)
    return {text: next(iter(found)) for text, found in types.items() if len(found) == 1}
