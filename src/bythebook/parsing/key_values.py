"""An answer that gives values under keys, `<answer>{"total": "9.00", …}</answer>`, read from a completion.

Deviations, by code. Those of the first group make a completion not well formed, the others are only recorded. The codes
about tags are in `tags.py`.

missing_tag          one of the tags does not occur
duplicate_tag        one of the tags occurs more than once
tag_order            the tags stand in another order than that of the set
unparseable_answer   no JSON object stands where the answer is due, or there is more than one answer
text_in_answer       something else than the JSON object stands in the answer
repeated_key         an object has a key more than once; its last value is read
too_deep             objects and lists are nested too deeply; nothing is read
too_many_values      there are more values than any form has; nothing is read

unknown_key          a key that is not asked for; its value counts as wrong
wrong_shape          a text where a list or an object is due, or the reverse
code_fence           the JSON stands in a code fence
"""

from __future__ import annotations

import re

from pydantic import JsonValue

from bythebook.parsing.blocks import TAG_FAULTS, Blocks, note, read_blocks, stripped
from bythebook.parsing.tag_sets import TAG_SETS, TagSet
from bythebook.schema.json_text import MAX_DEPTH, MAX_NODES, JsonObject, depth_and_nodes, read_object
from bythebook.schema.key_values import KeySchema
from bythebook.types import Deviation, Noun, Span

__all__ = ["KEY_FORM_FAULTS", "ParsedKeyValues", "parse_key_values"]

KEY_FORM_FAULTS = TAG_FAULTS | {"unparseable_answer", "text_in_answer", "repeated_key", "too_deep", "too_many_values"}
"""Codes that make a completion not well formed."""
_FENCE_BEFORE = re.compile(r"```\w{0,12}\Z")
_SHOWN = 80


class ParsedKeyValues(Noun):
    """A completion as read. Parsing is total: whatever the text, there is one."""

    thinking: str | None
    thinking_span: Span | None
    values: dict[str, JsonValue] | None
    """Leaves are texts or None; None where there is no answer that can be read."""
    answer_span: Span | None
    """Of the JSON in the completion."""
    well_formed: bool
    tags_right: bool
    """Whether each of the declared tags occurs once and in order, whatever stands between them."""
    anchored: bool
    """Whether nothing but white space stands outside the tags."""
    deviations: tuple[Deviation, ...] = ()


def parse_key_values(
    text: str, schema: KeySchema, *, tags: TagSet = TAG_SETS["think"], prefilled: bool = False
) -> ParsedKeyValues:
    """Read a completion; time is linear in `len(text)`, and no text makes it raise.

    The answer is the only answer block; values of an answer without thinking are read, too, and the form is wrong then.
    `prefilled` says that the chat template has opened the first block in the prompt.
    """
    blocks = read_blocks(text, tags, prefilled=prefilled)
    found, span = _located(blocks)
    if found is not None:
        _check(found, schema, blocks.deviations, span)
    thinking, thinking_span = blocks.thinking()
    codes = {d.code for d in blocks.deviations}
    read = found is not None and not codes & {"too_deep", "too_many_values"}
    return ParsedKeyValues(
        thinking=thinking,
        thinking_span=thinking_span,
        values=found.values if found is not None and read else None,
        answer_span=span,
        well_formed=read and not codes & KEY_FORM_FAULTS,
        tags_right=not blocks.broken,
        anchored=blocks.anchored,
        deviations=tuple(blocks.deviations),
    )


def _located(blocks: Blocks) -> tuple[JsonObject | None, Span | None]:
    """The object in the answer block and its place."""
    text, deviations = blocks.text, blocks.deviations
    if len(blocks.answers) != 1:
        if blocks.answers:
            note(deviations, "unparseable_answer", "there are several answers", blocks.answers[0])
        return None, None
    if not blocks.is_read():
        return None, None
    area = stripped(text, *blocks.answers[0])
    start = text.find("{", area.start, area.end)
    found = None if start < 0 else read_object(text, start, area.end)
    if found is None:
        note(deviations, "unparseable_answer", "the answer is no JSON object", (area.start, area.end))
        return None, None
    before, after = text[area.start : start].rstrip(), text[found.end : area.end].strip()
    fence = _FENCE_BEFORE.search(before)
    if fence and after.startswith("```"):
        note(deviations, "code_fence", "the JSON stands in a code fence", (area.start, area.end))
        before, after = before[: fence.start()], after.removeprefix("```")
    if before.strip() or after.strip():
        note(deviations, "text_in_answer", "text beside the JSON", (area.start, area.end))
    return found, Span(start=start, end=found.end)


def _check(found: JsonObject, schema: KeySchema, deviations: list[Deviation], span: Span | None) -> None:
    """Note what is wrong with the object."""
    place = None if span is None else (span.start, span.end)
    if found.repeated:
        note(deviations, "repeated_key", f"{found.repeated} keys stand in their object before", place)
    depth, nodes = depth_and_nodes(found.values)
    if depth > MAX_DEPTH:
        note(deviations, "too_deep", f"nested {depth} deep, {MAX_DEPTH} are read", place)
    elif nodes > MAX_NODES:
        note(deviations, "too_many_values", f"{nodes} values, {MAX_NODES} are read", place)
    else:
        first: dict[str, str] = {}
        for code, what in schema.faults(found.values):
            first.setdefault(code, what)
        for code, what in first.items():
            note(deviations, code, what[:_SHOWN], place)
