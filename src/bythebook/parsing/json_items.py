"""The lists of items in a JSON answer, each item with its place; read strictly, or item by item where that fails.

An item that can't be read never changes what is read of the others. Strictly, an item ends where its JSON value ends.
Where the whole is no JSON, an item begins at a bracket that follows `]`, or that follows a comma and is followed by a
quotation mark: neither a quotation mark too few nor a missing bracket then reaches into the next item. Only such an
item is given to json-repair, and only if it is short and flat. Time is linear; no text makes it raise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["MAX_REPAIRS", "Item", "ItemList", "numbered", "read_lists"]

MAX_REPAIRS = 64
"""How many items of an answer are given to json-repair."""
_LONGEST_REPAIR = 300
"""Characters; json-repair takes more than quadratic time for some texts."""

_SPACE = "[\\s\u200b-\u200d\u2060\ufeff]*+"
_QUOTE = "[\"'“”‘’«»]"
_KEY = re.compile(rf"[{{,\]]{_SPACE}{_QUOTE}?(\w{{1,40}}){_QUOTE}?{_SPACE}:{_SPACE}(\[)")
_ITEM = re.compile(rf"(?:\A{_SPACE}|\]{_SPACE}(?:,{_SPACE})?|,{_SPACE}(?=\[{_SPACE}{_QUOTE}))(\[)")
_BETWEEN = " \t\r\n,]}`\u200b\u200c\u200d\u2060\ufeff"
# What can't stand in an item: brackets after the first, and the constants that json-repair would make strings of.
_NO_ITEM = re.compile(r"[\[\]{}]|[\[,]\s*+-?(?:NaN|Infinity)\s*+(?=[,\]])")


class Item(NamedTuple):
    """One element of a list and its place in the text."""

    fields: tuple[str, ...] | None
    """None where it is no list of as many strings as the key asks for."""
    start: int
    end: int
    finished: bool = True
    """Whether the text goes on after it, so that nothing of it can be missing."""
    name: str = ""
    """Which one it is, by key and number from 0: `ner[2]`."""


class ItemList(NamedTuple):
    """The value of one key, in the order of the text."""

    key: str
    items: list[Item] | None
    """None where the value is no list."""
    start: int
    end: int


def numbered(lists: list[ItemList], key: str) -> list[Item]:
    """The items of a key, each with its name; of a key that occurs more than once, those of all its lists."""
    items = [item for part in lists if part.key == key for item in part.items or ()]
    return [item._replace(name=f"{key}[{number}]") for number, item in enumerate(items)]


def read_lists(text: str, start: int, end: int, arity: Mapping[str, int]) -> tuple[list[ItemList], int, bool] | None:
    """Every key's list of the JSON object that begins at `start`: the lists, where the object ends, and whether it
    could be read only item by item. `arity`: how many strings an item of each key has; of other keys no items are
    read. A bare list is taken for that of the only key. None where nothing is found.
    """
    whole = text[:end]
    if whole[start : start + 1] == "{":
        try:
            lists, at = _object(whole, start, arity)
        except (ValueError, RecursionError):
            pass
        else:
            return lists, at, False
    lists = _recovered(whole, start, arity)
    return (lists, end, True) if lists else None


# ---------------------------------------------------------------------------------------------------------- strictly


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


# No answer holds numbers, so none is converted: a number of a million digits costs nothing.
_DECODER = json.JSONDecoder(parse_constant=_refused, parse_int=len, parse_float=len)
_BLANK = re.compile(r"[ \t\n\r]*+")


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise ValueError(f"no {character}")
    return _skip(text, at + 1)


def _value(text: str, at: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(text, at)
    return value, end


def _object(text: str, start: int, arity: Mapping[str, int]) -> tuple[list[ItemList], int]:
    """The lists of the object at `start` and where it ends. ValueError or RecursionError if it is no JSON."""
    lists: list[ItemList] = []
    at = _expect(text, start, "{")
    if text[at : at + 1] == "}":
        return lists, at + 1
    while True:
        if text[at : at + 1] != '"':
            raise ValueError("no key")
        key, at = _value(text, at)
        begin = at = _expect(text, _skip(text, at), ":")
        if key in arity and text[at : at + 1] == "[":
            items, at = _array(text, at, arity[key])
            lists.append(ItemList(key, items, begin, at))
        else:
            _, at = _value(text, at)
            lists.append(ItemList(key, None, begin, at))
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return lists, at + 1
        at = _expect(text, at, ",")


def _array(text: str, start: int, arity: int) -> tuple[list[Item], int]:
    items: list[Item] = []
    at = _expect(text, start, "[")
    if text[at : at + 1] == "]":
        return items, at + 1
    while True:
        value, end = _value(text, at)
        items.append(Item(_fields(value, arity), at, end))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return items, at + 1
        at = _expect(text, at, ",")


def _fields(value: Any, arity: int) -> tuple[str, ...] | None:
    flat = isinstance(value, list) and len(value) == arity and all(isinstance(v, str) for v in value)
    return tuple(value) if flat else None


# ------------------------------------------------------------------------------------------------------ item by item


def _recovered(text: str, start: int, arity: Mapping[str, int]) -> list[ItemList]:
    keys = [(m[1], m.start(2) + 1, m.start()) for m in _KEY.finditer(text, start)]
    if not keys and len(arity) == 1 and text[start : start + 1] == "[":
        keys = [(next(iter(arity)), start + 1, start)]
    ends = [*(begin for _, _, begin in keys), len(text)][1:]
    repairs = iter(range(MAX_REPAIRS))
    lists = []
    for (key, begin, _), end in zip(keys, ends, strict=True):
        known = list(_chunks(text, begin, end, arity[key], repairs)) if key in arity else None
        lists.append(ItemList(key, known, begin, end))
    return lists


def _chunks(text: str, start: int, end: int, arity: int, repairs: Iterator[int]) -> Iterator[Item]:
    """The items of `text[start:end]`, the inside of a list that may lack its closing bracket."""
    inside = text[start:end]
    begins = [m.start(1) for m in _ITEM.finditer(inside)]
    head = inside[: begins[0] if begins else len(inside)]
    if head.strip(_BETWEEN):
        yield Item(None, start, start + len(head))
    for at, stop in zip(begins, [*begins, len(inside)][1:], strict=True):
        yield from _chunk(inside[at:stop], start + at, arity, repairs, last=start + stop == len(text))


def _chunk(chunk: str, start: int, arity: int, repairs: Iterator[int], last: bool) -> Iterator[Item]:
    """One item, and what stands after it that is none."""
    try:
        value, end = _value(chunk, 0)
    except (ValueError, RecursionError):
        kept = chunk.rstrip(_BETWEEN)
        # Where the text breaks off nobody knows how the item would have gone on.
        broken_off = last and "]" not in chunk
        value = None if broken_off else _repaired(kept + "]", repairs)
        yield Item(_fields(value, arity), start, start + len(kept), finished=not broken_off)
        return
    yield Item(_fields(value, arity), start, start + end)
    rest = chunk[end:].strip(_BETWEEN)
    if rest:
        at = chunk.index(rest, end)
        yield Item(None, start + at, start + at + len(rest))


def _repaired(item: str, repairs: Iterator[int]) -> Any:
    if len(item) > _LONGEST_REPAIR or _NO_ITEM.search(item[:-1] + ",", 1) or next(repairs, None) is None:
        return None
    from json_repair import repair_json  # loaded when first needed

    try:
        return repair_json(item, return_objects=True, skip_json_loads=True)
    except Exception:  # whatever a library does with a hostile text, the other items stay readable
        return None
