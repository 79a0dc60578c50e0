"""Values under keys beside their gold: flattened to pairs of path and leaf, and counted.

Efficient Medical VIE (arXiv 2506.13363): S_p and S_g are the pairs of the answer and of the gold, n those of both,
precision n/|S_p|, recall n/|S_g|. A leaf matches if its text is the same, runs of white space counting as one space.

    lists    `index`: an item is compared with the one at its place, as paths such as `items[0].price` have it
             `align`: with the one that the best assignment gives it, so that the order of a list is free
    empties  `drop`: leaves without text are left out of both sides (the only reading that fits the paper's Table 5)
             `count`: they are pairs like others

A path is no string: a key that is written `items[0].price` is another one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import JsonValue

from bythebook.metrics.extraction import Counts
from bythebook.metrics.list_alignment import best_total
from bythebook.schema.key_values import leaf_text

__all__ = ["Empties", "Lists", "Path", "compared_values", "flatten", "path_text", "pruned"]

Lists = Literal["align", "index"]
Empties = Literal["drop", "count"]
Path = tuple[str | int, ...]
"""Keys, and places in lists from 0."""


def flatten(values: JsonValue, empties: Empties = "drop") -> dict[Path, str]:
    """{path: text of the leaf}. An object or a list without anything in it is an empty leaf."""
    return {path: text for path, text in _leaves(values, ()) if text or empties == "count"}


def path_text(path: Path) -> str:
    """As the paper writes it: `Indicators[0].Result`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def compared_values(
    answer: Mapping[str, JsonValue],
    gold: Mapping[str, JsonValue],
    *,
    lists: Lists = "align",
    empties: Empties = "drop",
) -> Counts:
    """The pairs that both have, those of the answer alone and those of the gold alone."""
    said, wanted = flatten(dict(answer), empties), flatten(dict(gold), empties)
    if lists == "index":
        both = sum(wanted.get(path) == text for path, text in said.items())
    else:
        both = _matched(dict(answer), dict(gold), empties)
    return Counts(tp=both, fp=len(said) - both, fn=len(wanted) - both)


def pruned(value: JsonValue) -> JsonValue:
    """Without empty leaves and what holds nothing else; None where nothing is left. Leaves are texts."""
    if isinstance(value, dict):
        kept: dict[str, JsonValue] = {}
        for key, item in value.items():
            inner = pruned(item)
            if inner is not None:
                kept[key] = inner
        return kept or None
    if isinstance(value, list):
        return [inner for item in value if (inner := pruned(item)) is not None] or None
    return leaf_text(value) or None


def _leaves(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, place))
    else:
        yield path, "" if isinstance(value, (dict, list)) else leaf_text(value)


def _matched(answer: JsonValue, gold: JsonValue, empties: Empties) -> int:
    """How many pairs match under the best assignment of all lists."""
    if isinstance(answer, dict) and isinstance(gold, dict) and answer and gold:
        return sum(_matched(value, gold[key], empties) for key, value in answer.items() if key in gold)
    if isinstance(answer, list) and isinstance(gold, list) and answer and gold:
        return _matched_lists(answer, gold, empties)
    if _holds(answer) or _holds(gold):
        return 0
    text = "" if isinstance(answer, (dict, list)) else leaf_text(answer)
    other = "" if isinstance(gold, (dict, list)) else leaf_text(gold)
    return int(text == other and bool(text or empties == "count"))


def _holds(value: JsonValue) -> bool:
    return isinstance(value, (dict, list)) and bool(value)


def _matched_lists(answer: Sequence[JsonValue], gold: Sequence[JsonValue], empties: Empties) -> int:
    # Equal items first: no assignment is better than one that gives each its equal, since matching pairs obey the
    # triangle inequality. What is left is small in honest answers.
    mine, theirs = _by_content(answer), _by_content(gold)
    equal = Counter({key: min(len(items), len(theirs[key])) for key, items in mine.items() if key in theirs})
    total = sum(len(flatten(mine[key][0], empties)) * times for key, times in equal.items())
    rest = [item for key, items in mine.items() for item in items[equal[key] :]]
    others = [item for key, items in theirs.items() for item in items[equal[key] :]]
    return total + best_total([[_matched(item, other, empties) for other in others] for item in rest])


def _by_content(items: Sequence[JsonValue]) -> dict[str, list[JsonValue]]:
    """Items by what they say; lists inside them are told apart by their order, which costs speed alone."""
    found: dict[str, list[JsonValue]] = defaultdict(list)
    for item in items:
        pairs = sorted(flatten(item, "count").items(), key=repr)
        found[json.dumps(pairs)].append(item)
    return found
