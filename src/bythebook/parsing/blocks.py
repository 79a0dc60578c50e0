"""The blocks of a completion, `<think>…</think><answer>…</answer>` or those of another tag set: what every parser of
tagged answers shares. One pass over the tags; time is linear in the length of the text, and no text makes it raise.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bythebook.parsing.tag_sets import TagSet
from bythebook.types import Deviation, Span

__all__ = ["TAG_FAULTS", "UNREAD_ANSWER", "Blocks", "note", "read_blocks", "stripped"]

TAG_FAULTS = frozenset({"missing_tag", "duplicate_tag", "tag_order"})
"""Codes that say: not each of the declared tags exactly once and in order."""
UNREAD_ANSWER = "unread_answer"

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
    """Whether the first block stands between the tags of a block of thinking."""
    opened: int | None
    """Where an answer block begins that is never closed."""
    outside: tuple[int, int] | None
    """The first stretch outside all blocks that holds more than white space."""
    thought: int | None
    """Where the last block of thinking ends; None while one is open."""
    nested: _Tag | None


class Blocks:
    """A completion cut at its tags. What departs from the tag set is in `deviations`, to which a parser adds its own
    between the two steps: `read_blocks`, then `thinking`."""

    def __init__(self, text: str, tags: list[_Tag], walk: _Walk, end: int, deviations: list[Deviation]) -> None:
        self.text = text
        """Without lone surrogates; offsets are those of the completion."""
        self.end = end
        """Where the content ends: what follows are special tokens and white space."""
        self.deviations = deviations
        self._tags, self._walk = tags, walk

    @property
    def answers(self) -> list[tuple[int, int]]:
        """The insides of all complete answer blocks."""
        return self._walk.blocks

    @property
    def opened(self) -> int | None:
        """Where the one answer block begins that is opened and never closed."""
        return self._walk.opened if self.count("<answer>") == 1 and not self.answers else None

    @property
    def thought(self) -> int | None:
        """Where the last block of thinking ends, 0 if there is none; None where one is never closed."""
        return self._walk.thought

    @property
    def broken(self) -> bool:
        """Whether not each of the declared tags occurs exactly once and in order."""
        return any(d.code in TAG_FAULTS for d in self.deviations)

    @property
    def anchored(self) -> bool:
        """Whether nothing but white space stands outside the blocks."""
        return self._walk.outside is None

    def count(self, tag: str) -> int:
        """How often a tag occurs."""
        return sum(t.name == tag for t in self._tags)

    def place(self, tag: str) -> int | None:
        """Where a tag stands first."""
        return next((t.start for t in self._tags if t.name == tag), None)

    def is_read(self) -> bool:
        """Whether the only complete answer block is the answer: no answer tag is repeated, and the block is no aside
        in the thinking. If not, that is noted."""
        repeated = self.count("<answer>") + self.count("</answer>") > 2
        if not repeated and not self._walk.in_thinking:
            return True
        why = "an answer tag is repeated" if repeated else "it stands inside the thinking"
        note(self.deviations, UNREAD_ANSWER, f"the answer is not read: {why}", self.answers[0])
        return False

    def thinking(self) -> tuple[str | None, Span | None]:
        """The thinking and its place, after noting what is wrong about and around it."""
        walk, text = self._walk, self.text
        if walk.nested is not None:
            note(self.deviations, "nested_tag", f"{walk.nested.name} inside another block", walk.nested[1:])
        if walk.outside is not None:
            note(self.deviations, "text_outside", "text outside the tags", walk.outside)
        if walk.thinking is None:
            return None, None
        thinking = text[walk.thinking[0] : walk.thinking[1]].strip()
        if thinking == "":
            note(self.deviations, "empty_thinking", "there is no thinking between the tags", walk.thinking)
        return thinking, stripped(text, *walk.thinking)


def read_blocks(text: str, tags: TagSet, *, prefilled: bool = False) -> Blocks:
    """Cut a completion at the tags of a set.

    `prefilled` says that the chat template has opened the first block of thinking in the prompt, so that the completion
    begins inside it; repeating that tag at the beginning is tolerated.
    """
    deviations: list[Deviation] = []
    prefilled = prefilled and bool(tags.thinking)
    text = _without_surrogates(text, deviations)
    end = _end_of_content(text, deviations)
    found, start = _find_tags(text, end, tags, prefilled, deviations)
    _check_tags(found, tags.tags, prefilled, deviations)
    return Blocks(text, found, _walk(text, found, tags, start, end, prefilled), end, deviations)


def note(deviations: list[Deviation], code: str, message: str, place: tuple[int, int] | None = None) -> None:
    """Add a deviation."""
    span = None if place is None else Span(start=place[0], end=place[1])
    deviations.append(Deviation(code=code, message=message, span=span))


def stripped(text: str, start: int, end: int) -> Span:
    """`[start, end)` without the white space at both ends."""
    inner = text[start:end]
    left = len(inner) - len(inner.lstrip())
    return Span(start=start + left, end=start + left + len(inner.strip()))


def _without_surrogates(text: str, deviations: list[Deviation]) -> str:
    """`text` with lone surrogates replaced one for one, so that offsets stay and the result can be stored."""
    found = _SURROGATE.search(text)
    if found is None:
        return text
    note(deviations, "lone_surrogate", "half of a surrogate pair", found.span())
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
        note(deviations, "special_token", "special tokens at the end", (first, len(text)))
    return end


def _find_tags(
    text: str, end: int, tags: TagSet, prefilled: bool, deviations: list[Deviation]
) -> tuple[list[_Tag], int]:
    """All tags of `text[:end]`, and where the content begins (after a tag that the prompt had already)."""
    found: list[_Tag] = []
    near: tuple[int, int] | None = None
    for like in tags.tag_like.finditer(text, 0, end):
        if like[0] in tags.tags:
            found.append(_Tag(like[0], like.start(), like.end()))
        elif near is None:
            near = like.span()
    if near is not None:
        note(deviations, "near_tag", f"{text[near[0] : near[1]]!r} is not a tag", near)
    opening = tags.tags[0]
    if prefilled and found and found[0].name == opening and not text[: found[0].start].strip():
        note(deviations, "repeated_think", f"{opening} repeats what the prompt ends with", found[0][1:])
        return found[1:], found[0].end
    return found, 0


def _check_tags(found: list[_Tag], due: tuple[str, ...], prefilled: bool, deviations: list[Deviation]) -> None:
    """Record whether every tag that is due occurs exactly once and in order."""
    expected = due[1:] if prefilled else due
    first: dict[str, _Tag] = {}
    second: dict[str, _Tag] = {}
    for tag in found:
        if tag.name not in first:
            first[tag.name] = tag
        elif tag.name not in second:
            second[tag.name] = tag
    if prefilled and due[0] in first:
        second.setdefault(due[0], first.pop(due[0]))
    for name in due:
        if name in second:
            note(deviations, "duplicate_tag", f"{name} more than once", second[name][1:])
        elif name in expected and name not in first:
            note(deviations, "missing_tag", f"{name} is missing")
    in_order = list(first)  # in the order of the first occurrences
    for name, wanted in zip(in_order, [t for t in expected if t in first], strict=True):
        if name != wanted:
            note(deviations, "tag_order", f"{name} where {wanted} is due", first[name][1:])
            return


def _walk(text: str, found: list[_Tag], tags: TagSet, start: int, end: int, prefilled: bool) -> _Walk:
    """One pass over the tags with what is open at each of them."""
    inside = tags.tags[0] if prefilled else None
    begun: dict[str, int] = {tags.tags[0]: start} if prefilled else {}
    thoughts: dict[str, tuple[int, int]] = {}
    outside = nested = None
    blocks: list[tuple[int, int]] = []
    # Thinking that is never closed can't enclose an answer: what an answer-only model writes stays readable.
    last_end = {t.name: t.start for t in found}
    openings = tags.tags[::2]
    answer, end_answer = tags.tags[-2:]
    in_thinking = answer_in_thinking = False
    thought, previous = 0, start
    for tag in (*found, _Tag("", end, end)):
        if inside is None and outside is None and text[previous : tag.start].strip():
            outside = (previous, tag.start)
        opens = tag.name in openings
        if inside is not None and nested is None and opens:
            nested = tag
        if tag.name == answer:
            answer_in_thinking = any(last_end.get(_closing(t), -1) > tag.start for t in begun if t != answer)
            inside, begun[answer] = answer, tag.end
        elif opens:
            inside = tag.name
            begun.setdefault(tag.name, tag.end)
        elif tag.name == end_answer:
            if answer in begun:
                in_thinking = answer_in_thinking if not blocks else in_thinking
                blocks.append((begun.pop(answer), tag.start))
            inside = None
        elif tag.name:
            opening = f"<{tag.name[2:]}"
            if opening in begun:
                thoughts.setdefault(opening, (begun.pop(opening), tag.start))
            inside, thought = None, tag.end
        previous = tag.end
    thinking = thoughts.get(f"<{tags.thinking[-1]}>") if tags.thinking else None
    closed = not any(t != answer for t in begun)
    return _Walk(thinking, blocks, in_thinking, begun.get(answer), outside, thought if closed else None, nested)


def _closing(opening: str) -> str:
    return f"</{opening[1:]}"
