"""Table-R1's answer form (arXiv 2505.23621), read from a completion:

    <think>…</think> <answer> … ```json {"answer": …} ``` … </answer>

Whatever a text holds of it is read, in the published order of places: a fenced object in the first answer block, a bare
one there, a fenced one anywhere, a bare one anywhere. An object has the one key `answer`, once; numbers stay as they
are written. What is no such JSON is passed over (in the published code the first that looks like one ends the search).
At most `MAX_OBJECTS` beginnings are tried in the block and as many in the whole text, so that time is linear.

Deviations beside those of the tags (`parsing.tags`):

no_object            no object can be read anywhere
not_fenced           there is one in the answer block, but none within a fence
outside_answer       there is one after the thinking, but no answer block
only_elsewhere       there are objects, but none that is meant as the answer: they stand in the thinking, beside the
                     answer block, or in one of several
several_objects      the place that is read holds more than one object
too_many_objects     more than `MAX_OBJECTS` beginnings of objects; the rest is not looked at
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from bythebook.parsing.blocks import Blocks, note, read_blocks
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.types import Deviation, Noun, Span

__all__ = ["MAX_OBJECTS", "AnswerObject", "AnswerPart", "TableAnswer", "read_table_answer"]

MAX_OBJECTS = 32
Place = Literal["fence", "block", "fence_outside", "outside"]
"""Where an object stands: fenced in the answer block, bare in it, fenced elsewhere, bare elsewhere."""
IN_BLOCK: tuple[Place, ...] = ("fence", "block")

_TAGS = TAG_SETS["think"]
_OPENING, _CLOSING = _TAGS.tags[0], _TAGS.tags[-1]
_TURN = re.compile(r"</think>\s*+<answer>")
_FENCE = "```"
_BEGIN = re.compile(r'(```json\s*+)?(\{\s*+"answer"\s*+:)')
_PAIR = re.compile(r'"answer"\s*+:\s*+()')
_SPACE = re.compile(r"\s*+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class AnswerPart(Noun):
    """One value: a string, a number as it is written, or something that can be no answer (`other`, as JSON)."""

    text: str
    kind: Literal["text", "number", "other"]


class AnswerObject(Noun):
    """The value under `answer`: its parts, one where it is no list."""

    place: Place
    span: Span
    """Of the object in the completion."""
    listed: bool
    """Whether the value is a list."""
    null: bool = False
    parts: tuple[AnswerPart, ...]

    @property
    def alone(self) -> AnswerPart | None:
        """The value where it is no list."""
        return None if self.listed else self.parts[0]

    @property
    def written(self) -> str:
        """The value as JSON, where every part is a text: equal answers are equal strings."""
        texts = [part.text for part in self.parts]
        return json.dumps(texts, ensure_ascii=False) if self.listed else texts[0]

    @property
    def joined(self) -> str:
        """The value as one text: the parts of a list with a space between them."""
        return " ".join(part.text.strip() for part in self.parts).strip()


class TableAnswer(Noun):
    """A completion as read. Parsing is total: whatever the text, there is one."""

    objects: tuple[AnswerObject, ...]
    """In the published order of places, in each in the order of the text."""
    given: tuple[AnswerObject, ...] = ()
    """Those that are meant as the answer: of the answer block, if there is one and it is clear which; without one, what
    stands after the thinking. A draft in the thinking is no answer, though the published code reads it."""
    pairs: tuple[AnswerObject, ...] = ()
    """Values after `"answer":` without the braces of an object, which only the published evaluation reads."""
    fence: bool
    """Whether the answer block holds a closed json fence that begins as it should, whatever else is in it."""
    pattern: bool
    """Whether the text is, from the first to the last character, thinking between its tags, white space, and what
    begins and ends as an answer block does; tags may be repeated inside."""
    tags_once: bool
    """Whether each of the four tags occurs exactly once, in order."""
    anchored: bool
    """Whether nothing but white space stands outside the tags."""
    whole: str
    """The completion without white space around it."""
    deviations: tuple[Deviation, ...] = ()

    @property
    def place(self) -> Place | None:
        """Where the answer is read; None where there is none."""
        return self.given[0].place if self.given else None

    @property
    def found(self) -> tuple[AnswerObject, ...]:
        """The objects of that place: more than one is ambiguous."""
        return tuple(one for one in self.given if one.place == self.place)

    @property
    def loosely(self) -> tuple[AnswerObject, ...]:
        """Objects and pairs in the order in which the published evaluation looks for them."""
        inside = [[one for one in found if one.place in IN_BLOCK] for found in (self.objects, self.pairs)]
        around = [[one for one in found if one.place not in IN_BLOCK] for found in (self.objects, self.pairs)]
        return tuple(one for found in (*inside, *around) for one in found)

    @property
    def well_formed(self) -> bool:
        """Whether tags and fence are right and there is one object: which values may stand in it depends on the task,
        and white space around the whole is no fault."""
        return self.tags_once and self.anchored and self.place == "fence" and len(self.found) == 1


def read_table_answer(text: str, *, prefilled: bool = False) -> TableAnswer:
    """Read a completion; `prefilled`: the prompt ends with `<think>`. Total, in linear time."""
    blocks = read_blocks(text, _TAGS, prefilled=prefilled)
    text, deviations = blocks.text, blocks.deviations
    block = blocks.answers[0] if blocks.answers else None
    objects = _objects(text, block, deviations)
    given = _given(objects, blocks)
    pairs = _bare_pairs(text, block, {one.span.start for one in objects})
    blocks.thinking()  # notes what stands around the blocks
    _note_place(objects, given, deviations)
    return TableAnswer(
        objects=tuple(objects),
        given=tuple(given),
        pairs=tuple(pairs),
        fence=block is not None and _has_fence(text[slice(*block)]),
        pattern=_has_pattern(text if not prefilled or text.startswith(_OPENING) else _OPENING + text),
        tags_once=not blocks.broken,
        anchored=blocks.anchored,
        whole=text.strip(),
        deviations=tuple(deviations),
    )


def _has_pattern(text: str) -> bool:
    """`^<think>.*?</think>\\s*<answer>.*?</answer>$` as a full match, dots matching line breaks."""
    if not text.startswith(_OPENING) or not text.endswith(_CLOSING):
        return False
    turn = _TURN.search(text, len(_OPENING))
    return turn is not None and turn.end() <= len(text) - len(_CLOSING)


def _has_fence(inside: str) -> bool:
    return any(begin[1] and inside.find(_FENCE, begin.end()) >= 0 for begin in islice(_BEGIN.finditer(inside), 1))


def _given(objects: Sequence[AnswerObject], blocks: Blocks) -> list[AnswerObject]:
    if blocks.answers:
        return [one for one in objects if one.place in IN_BLOCK] if blocks.is_read() else []
    return [] if blocks.thought is None else [one for one in objects if one.span.start >= blocks.thought]


def _note_place(objects: Sequence[AnswerObject], given: Sequence[AnswerObject], deviations: list[Deviation]) -> None:
    if not objects:
        note(deviations, "no_object", 'no JSON object with the one key "answer"')
    if not given:
        if objects:
            note(deviations, "only_elsewhere", "no object is meant as the answer", _ends(objects[0].span))
        return
    place, span = given[0].place, _ends(given[0].span)
    if place == "block":
        note(deviations, "not_fenced", "the object stands in no json fence", span)
    elif place != "fence":
        note(deviations, "outside_answer", "there is no answer block around the object", span)
    same = [one for one in given if one.place == place]
    if len(same) > 1:
        note(deviations, "several_objects", f"{len(same)} objects where one is due", _ends(same[1].span))


def _ends(span: Span) -> tuple[int, int]:
    return span.start, span.end


# --------------------------------------------------------------------------------------------------------- the objects


def _objects(text: str, block: tuple[int, int] | None, deviations: list[Deviation]) -> list[AnswerObject]:
    """Those of the block, then those of the rest; of each the fenced ones first."""
    inside = _Found([], []) if block is None else _read(text, *block, deviations)
    around = _read(text, 0, len(text), deviations)
    known = {start for start, _, _ in (*inside.fenced, *inside.bare)}
    places: tuple[tuple[Place, list[_Object]], ...] = (
        ("fence", inside.fenced),
        ("block", inside.bare),
        ("fence_outside", [one for one in around.fenced if one.start not in known]),
        ("outside", [one for one in around.bare if one.start not in known]),
    )
    return [_noun(place, one) for place, found in places for one in found]


class _Object(NamedTuple):
    start: int
    end: int
    value: Any


class _Found(NamedTuple):
    fenced: list[_Object]
    bare: list[_Object]


def _read(text: str, start: int, end: int, deviations: list[Deviation]) -> _Found:
    found, tried, behind = _Found([], []), 0, start
    inside = text[:end]
    for begin in _BEGIN.finditer(inside, start):
        if begin.start(2) < behind:
            continue  # part of an object that has been read
        tried += 1
        if tried > MAX_OBJECTS:
            if not any(d.code == "too_many_objects" for d in deviations):
                note(deviations, "too_many_objects", f"{MAX_OBJECTS} objects were tried", begin.span(2))
            break
        value, at = _decoded(inside, begin.start(2))
        if at is None:
            continue
        behind = at
        space = _SPACE.match(inside, at)
        fenced = begin[1] is not None and inside.startswith(_FENCE, at if space is None else space.end())
        (found.fenced if fenced else found.bare).append(_Object(begin.start(2), at, value))
    return found


def _bare_pairs(text: str, block: tuple[int, int] | None, known: Container[int]) -> list[AnswerObject]:
    """Those of the block, then those of the rest; what begins within braces that were read is none."""
    found: dict[int, AnswerObject] = {}
    regions: list[tuple[Place, int, int]] = [] if block is None else [("block", *block)]
    for place, start, end in (*regions, ("outside", 0, len(text))):
        inside = text[:end]
        for begin in islice(_PAIR.finditer(inside, start), MAX_OBJECTS):
            brace = inside.rfind("{", 0, begin.start())
            if begin.start() in found or (brace in known and not inside[brace + 1 : begin.start()].strip()):
                continue
            try:
                value, at = _DECODER.raw_decode(inside, begin.end())
            except (ValueError, RecursionError):
                continue
            found[begin.start()] = _noun(place, _Object(begin.start(), at, value))
    return list(found.values())


class _Number(str):
    """A number as it is written; of a million digits, too."""

    __slots__ = ()


class _OtherObject:
    """A JSON object within the value."""


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> Any:
    """The outermost object has the one key; others can be no answer."""
    return pairs[0] if len(pairs) == 1 and pairs[0][0] == "answer" else _OtherObject()


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_Number, parse_float=_Number, parse_constant=_refused)


def _decoded(text: str, start: int) -> tuple[Any, int | None]:
    """(value under `answer`, where the object ends); (None, None) where there is no such object."""
    try:
        pair, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, None
    return (pair[1], end) if isinstance(pair, tuple) else (None, None)


def _noun(place: Place, one: _Object) -> AnswerObject:
    listed = isinstance(one.value, list)
    return AnswerObject(
        place=place,
        span=Span(start=one.start, end=one.end),
        listed=listed,
        null=one.value is None,
        parts=tuple(_part(value) for value in (one.value if listed else [one.value])),
    )


def _part(value: Any) -> AnswerPart:
    if isinstance(value, _Number):
        return AnswerPart(text=str(value), kind="number")
    if isinstance(value, str):
        # JSON may escape half of a surrogate pair, which no UTF-8 file can hold.
        return AnswerPart(text=_SURROGATE.sub("\ufffd", value), kind="text")
    if value is None or isinstance(value, bool):
        return AnswerPart(text=json.dumps(value), kind="other")
    return AnswerPart(text="[]" if isinstance(value, list) else "{}", kind="other")
