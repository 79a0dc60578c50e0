"""The answer form of R1-RE, `<think>…</think><answer>Relation(e1,e2)</answer>`, read from a completion.

Deviations, by code. The first four groups make a completion not well formed, the others are only recorded.

missing_tag          one of the four tags does not occur
duplicate_tag        one of the four tags occurs more than once
tag_order            the tags stand in another order than `<think> </think> <answer> </answer>`
unparseable_answer   the single answer is neither `Relation(e1,e2)`, `Relation(e2,e1)` nor the no-relation label

nested_tag           a block opens before the one around it is closed (always beside one of the three tag faults)
unread_answer        there is one answer block, but it is not read: an answer tag is repeated, or the block stands
                     inside the thinking (always beside one of the three tag faults)
unknown_label        the single answer has the right form, but the guideline does not declare its relation
text_outside         something other than white space stands outside the blocks
empty_thinking       the thinking holds nothing but white space
repeated_think       the prompt had opened `<think>` already and the completion opens it again at its beginning
near_tag             something like a tag that is none: `<Answer>`, `</ think>`
special_token        end-of-sequence tokens written out at the end (`<|im_end|>`, `</s>`, …); they are ignored
too_many_answers     more than `MAX_ITEMS` answer blocks; the rest is not recorded
lone_surrogate       half of a surrogate pair, which no UTF-8 file can hold; read as U+FFFD

A code occurs once for each tag it concerns, with its first place, however often the text commits it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bythebook.schema import Grammar
from bythebook.types import AnswerItem, Deviation, Parsed, Span

__all__ = ["MAX_ITEMS", "TAG_FAULTS", "UNREAD_ANSWER", "parse_tagged_answer"]

MAX_ITEMS = 64
"""How many answer blocks are recorded at most."""
TAG_FAULTS = frozenset({"missing_tag", "duplicate_tag", "tag_order"})
"""Codes that say: not each of the four tags exactly once and in order."""
UNREAD_ANSWER = "unread_answer"

_THINK, _END_THINK, _ANSWER, _END_ANSWER = _TAGS = ("<think>", "</think>", "<answer>", "</answer>")
# Tags and what resembles them in one pass: a match holds one `<`, so no match can swallow part of another tag.
_TAG_LIKE = re.compile(r"<\s{0,4}/?\s{0,4}(?:think|answer)\s{0,4}>", re.IGNORECASE)
_SPECIAL_TOKENS = (
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<eos>",
    "</s>",
    "<pad>",
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Tag(NamedTuple):
    name: str
    start: int
    end: int


class _Walk(NamedTuple):
    """What one pass over the tags finds. Places are (start, end) in the text."""

    thinking: tuple[int, int] | None
    blocks: list[tuple[int, int]]
    """The insides of all complete answer blocks."""
    in_thinking: bool
    """Whether the first block stands between `<think>` and `</think>`."""
    outside: tuple[int, int] | None
    """The first stretch outside all blocks that holds more than white space."""
    nested: _Tag | None


def parse_tagged_answer(text: str, grammar: Grammar, *, prefilled: bool = False) -> Parsed:
    """Read a completion of R1-RE's form; time is linear in `len(text)`, and no text makes it raise.

    Well formed means each of the four tags exactly once and in order, and an answer of the form `Relation(e1,e2)` or
    the grammar's bare no-relation label (R1-RE's format rule). `prefilled` says that the chat template has opened
    `<think>` in the prompt, so that the completion begins inside the thinking; repeating `<think>` there is tolerated.

    `Parsed.items` holds every complete answer block, also of a completion that is not well formed: an answer without
    thinking counts in accuracy. Where it is unclear which answer is meant (an answer tag is repeated) or the only one
    is an aside in the thinking, none is taken.
    """
    deviations: list[Deviation] = []
    text = _without_surrogates(text, deviations)
    end = _end_of_content(text, deviations)
    tags, start = _find_tags(text, end, prefilled, deviations)
    _check_tags(tags, prefilled, deviations)
    broken = any(d.code in TAG_FAULTS for d in deviations)
    walk = _walk(text, tags, start, end, prefilled)
    items = _items(text, tags, walk, grammar, deviations)
    if walk.nested is not None:
        _note(deviations, "nested_tag", f"{walk.nested.name} inside another block", walk.nested[1:])
    if walk.outside is not None:
        _note(deviations, "text_outside", "text outside the tags", walk.outside)
    thinking = None if walk.thinking is None else text[walk.thinking[0] : walk.thinking[1]].strip()
    if thinking == "":
        _note(deviations, "empty_thinking", "there is no thinking between the tags", walk.thinking)
    return Parsed(
        thinking=thinking,
        thinking_span=None if walk.thinking is None else _stripped(text, *walk.thinking),
        items=tuple(items),
        well_formed=not broken and len(items) == 1 and items[0].label is not None,
        anchored=walk.outside is None,
        deviations=tuple(deviations),
    )


def _note(deviations: list[Deviation], code: str, message: str, place: tuple[int, int] | None = None) -> None:
    span = None if place is None else Span(start=place[0], end=place[1])
    deviations.append(Deviation(code=code, message=message, span=span))


def _without_surrogates(text: str, deviations: list[Deviation]) -> str:
    """`text` with lone surrogates replaced one for one, so that offsets stay and the result can be stored."""
    found = _SURROGATE.search(text)
    if found is None:
        return text
    _note(deviations, "lone_surrogate", "half of a surrogate pair", found.span())
    return _SURROGATE.sub("\ufffd", text)


def _end_of_content(text: str, deviations: list[Deviation]) -> int:
    """Where the content ends when special tokens at the end are left out."""
    end = first = len(text)
    while True:
        # Moving an index keeps this linear; cutting the string for every token would not be.
        while end > 0 and text[end - 1].isspace():
            end -= 1
        token = next((t for t in _SPECIAL_TOKENS if text.endswith(t, 0, end)), None)
        if token is None:
            break
        end = first = end - len(token)
    if first < len(text):
        _note(deviations, "special_token", "special tokens at the end", (first, len(text)))
    return end


def _find_tags(text: str, end: int, prefilled: bool, deviations: list[Deviation]) -> tuple[list[_Tag], int]:
    """All tags of `text[:end]`, and where the content begins (after a `<think>` that the prompt had already)."""
    tags: list[_Tag] = []
    near: tuple[int, int] | None = None
    for found in _TAG_LIKE.finditer(text, 0, end):
        if found[0] in _TAGS:
            tags.append(_Tag(found[0], found.start(), found.end()))
        elif near is None:
            near = found.span()
    if near is not None:
        _note(deviations, "near_tag", f"{text[near[0] : near[1]]!r} is not a tag", near)
    if prefilled and tags and tags[0].name == _THINK and not text[: tags[0].start].strip():
        _note(deviations, "repeated_think", "<think> repeats what the prompt ends with", tags[0][1:])
        return tags[1:], tags[0].end
    return tags, 0


def _check_tags(tags: list[_Tag], prefilled: bool, deviations: list[Deviation]) -> None:
    """Record whether every tag occurs exactly once and in order."""
    expected = _TAGS[1:] if prefilled else _TAGS
    first: dict[str, _Tag] = {}
    second: dict[str, _Tag] = {}
    for tag in tags:
        if tag.name not in first:
            first[tag.name] = tag
        elif tag.name not in second:
            second[tag.name] = tag
    if prefilled and _THINK in first:
        second.setdefault(_THINK, first.pop(_THINK))
    for name in _TAGS:
        if name in second:
            _note(deviations, "duplicate_tag", f"{name} more than once", second[name][1:])
        elif name in expected and name not in first:
            _note(deviations, "missing_tag", f"{name} is missing")
    found = list(first)  # in the order of the first occurrences
    for name, wanted in zip(found, [t for t in expected if t in first], strict=True):
        if name != wanted:
            _note(deviations, "tag_order", f"{name} where {wanted} is due", first[name][1:])
            return


def _walk(text: str, tags: list[_Tag], start: int, end: int, prefilled: bool) -> _Walk:
    """One pass over the tags with what is open at each of them."""
    inside: str | None = "think" if prefilled else None
    think_start: int | None = start if prefilled else None
    answer_start: int | None = None
    thinking = outside = nested = None
    blocks: list[tuple[int, int]] = []
    # Thinking that is never closed can't enclose an answer: what an answer-only model writes stays readable.
    last_end_think = max((t.start for t in tags if t.name == _END_THINK), default=-1)
    in_thinking = answer_in_thinking = False
    previous = start
    for tag in (*tags, _Tag("", end, end)):
        if inside is None and outside is None and text[previous : tag.start].strip():
            outside = (previous, tag.start)
        if inside is not None and nested is None and tag.name in (_THINK, _ANSWER):
            nested = tag
        if tag.name == _THINK:
            inside, think_start = "think", tag.end if think_start is None else think_start
        elif tag.name == _ANSWER:
            answer_in_thinking = think_start is not None and last_end_think > tag.start
            inside, answer_start = "answer", tag.end
        elif tag.name == _END_THINK:
            if think_start is not None and thinking is None:
                thinking = (think_start, tag.start)
            inside, think_start = None, None
        elif tag.name == _END_ANSWER:
            if answer_start is not None:
                in_thinking = answer_in_thinking if not blocks else in_thinking
                blocks.append((answer_start, tag.start))
            inside, answer_start = None, None
        previous = tag.end
    return _Walk(thinking, blocks, in_thinking, outside, nested)


def _items(text: str, tags: list[_Tag], walk: _Walk, grammar: Grammar, deviations: list[Deviation]) -> list[AnswerItem]:
    """The answers that can be read."""
    if len(walk.blocks) == 1:
        repeated = sum(t.name in (_ANSWER, _END_ANSWER) for t in tags) > 2
        if repeated or walk.in_thinking:
            why = "an answer tag is repeated" if repeated else "it stands inside the thinking"
            _note(deviations, UNREAD_ANSWER, f"the answer is not read: {why}", walk.blocks[0])
            return []
    if len(walk.blocks) > MAX_ITEMS:
        _note(deviations, "too_many_answers", f"{len(walk.blocks)} answers, {MAX_ITEMS} recorded")
    items = [_item(text, _stripped(text, *block), grammar) for block in walk.blocks[:MAX_ITEMS]]
    if len(items) == 1:
        if items[0].label is None:
            _note(deviations, "unparseable_answer", "the answer has not the form of one", walk.blocks[0])
        elif not items[0].known:
            _note(deviations, "unknown_label", "the guideline does not declare this relation", walk.blocks[0])
    return items


def _item(text: str, span: Span, grammar: Grammar) -> AnswerItem:
    written = span.of(text)
    label = grammar.read(written)
    return AnswerItem(text=written, span=span, label=label, known=label is not None and grammar.knows(label))


def _stripped(text: str, start: int, end: int) -> Span:
    """`[start, end)` without the white space at both ends."""
    inner = text[start:end]
    left = len(inner) - len(inner.lstrip())
    return Span(start=start + left, end=start + left + len(inner.strip()))
