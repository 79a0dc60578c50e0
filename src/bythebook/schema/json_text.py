"""A JSON object out of a hostile text, with leaves as they are written: total, in linear time, never executed.

A number is the text of its digits, so that `9.00` stays what it is and one of a million digits costs nothing; `true`,
`false` and `null` are those words and nothing. Python's own reader would take `NaN` and let the last of two equal keys
win in silence: here the one is no JSON, the other is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import JsonValue

__all__ = ["MAX_DEPTH", "MAX_NODES", "JsonObject", "clean", "depth_and_nodes", "read_object"]

MAX_DEPTH = 12
"""Objects and lists inside each other, the outermost included."""
MAX_NODES = 2_048
"""Leaves, objects and lists, keys included where they hold one: more than any form has, and few enough to match."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonObject(NamedTuple):
    """An object as read."""

    values: dict[str, JsonValue]
    """Leaves are texts or None. Of equal keys in one object the last is kept."""
    end: int
    """Where it ends in the text."""
    repeated: int
    """How many keys stood in their object before."""


def read_object(text: str, start: int, end: int) -> JsonObject | None:
    """The object that begins at `start`; None where there is no JSON object before `end`, or one nested so deeply that
    it can't be read. Its size is not bounded: see `depth_and_nodes`."""
    repeated = 0

    def joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = {clean(key): value for key, value in pairs}
        repeated += len(pairs) - len(found)
        return found

    decoder = json.JSONDecoder(
        object_pairs_hook=joined, parse_int=str, parse_float=str, parse_constant=_refused, strict=False
    )
    if text[start : start + 1] != "{":
        return None
    try:
        values, stop = decoder.raw_decode(text[:end], start)
    except (ValueError, RecursionError):
        return None
    return JsonObject(values, stop, repeated)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def clean(text: str) -> str:
    """Without halves of surrogate pairs, which no file can hold; they are replaced one for one."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def depth_and_nodes(values: JsonValue) -> tuple[int, int]:
    """How deep a tree is (a leaf 0, an empty object 1) and how many nodes it has. No recursion: any depth will do."""
    depth = nodes = 0
    level = [values]
    while level:
        nodes += len(level)
        inner = [value for value in level if isinstance(value, (dict, list))]
        depth += bool(inner)
        level = [child for value in inner for child in _children(value)]
    return depth, nodes


def _children(value: Mapping[str, JsonValue] | list[JsonValue]) -> Iterator[JsonValue]:
    yield from value.values() if isinstance(value, Mapping) else value
