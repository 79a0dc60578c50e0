"""Answers about tables beside their gold: the matcher that Table-R1's reward (arXiv 2505.23621) and its evaluation
share. What the two do differently in the published code (`reward_score/tqa.py` and `tqa_eval.py`) are options of one
matcher, under two names: `TRAINING` and `EVALUATION`.

Lists match as multisets. Numbers a, b match where |a - b| < 0.01; of numbers on both sides every way to pair them is
considered, where the published code takes the first that fits and so refuses some lists that match: sorted, they match
in order or not at all. Texts match where they are equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from bythebook.types import Noun

__all__ = [
    "EVALUATION",
    "MOST_ITEMS",
    "PROTOCOLS",
    "TRAINING",
    "Protocol",
    "TableMatch",
    "number_of",
    "same_items",
    "same_verdict",
]

MOST_ITEMS = 100
"""A longer list is no answer (published code)."""
TOLERANCE = 1e-2
_LONGEST_NUMBER = 400
"""Characters; float() takes more than linear time for a number of very many digits."""

_NUMBER = re.compile(r"[+-]?(?:(?:\d{1,3}(?:,\d{3})*+|\d++)(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_LOOSE_NUMBER = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)

Protocol = Literal["training", "evaluation"]


class TableMatch(Noun):
    """How answers are compared."""

    ignore_case: bool
    percent: bool
    """Whether `50%` is the number 0.5."""
    loose_numbers: bool
    """Whether commas stand anywhere in a number and white space around it; otherwise commas separate groups of three,
    and nothing stands around."""
    all_references: bool
    """Whether every reference of a free answer is compared with and the best counts; otherwise only the first."""


TRAINING = TableMatch(ignore_case=False, percent=False, loose_numbers=False, all_references=False)
EVALUATION = TableMatch(ignore_case=True, percent=True, loose_numbers=True, all_references=True)
PROTOCOLS: dict[Protocol, TableMatch] = {"training": TRAINING, "evaluation": EVALUATION}


def number_of(text: str, match: TableMatch) -> float | None:
    """The number that a text is, finite; None where it is none. Digits are those of ASCII."""
    if len(text) > _LONGEST_NUMBER:
        return None
    share = 1.0
    if match.loose_numbers:
        text = text.replace(",", "").strip()
    if match.percent and text.endswith("%"):
        text, share = text[:-1].rstrip(), 100.0
    if not (_LOOSE_NUMBER if match.loose_numbers else _NUMBER).fullmatch(text):
        return None
    value = float(text.replace(",", "")) / share
    return value if math.isfinite(value) else None


def same_items(answer: Sequence[str], gold: Sequence[str], match: TableMatch) -> bool:
    """Whether two lists are equal as multisets; never where one of them is empty or `answer` has more than
    `MOST_ITEMS`."""
    if not 0 < len(answer) <= MOST_ITEMS or len(answer) != len(gold):
        return False
    ours, theirs = _split(answer, match), _split(gold, match)
    pairs = zip(ours[0], theirs[0], strict=False)
    return len(ours[0]) == len(theirs[0]) and all(abs(a - b) < TOLERANCE for a, b in pairs) and ours[1] == theirs[1]


def same_verdict(answer: str, gold: str, match: TableMatch) -> bool:
    """Whether a label is the gold one."""
    return (answer.strip().lower() if match.ignore_case else answer) == gold


def _split(items: Sequence[str], match: TableMatch) -> tuple[list[float], list[str]]:
    """The numbers and the texts of a list, each sorted."""
    numbers, texts = list[float](), list[str]()
    for item in items:
        number = number_of(item, match)
        if number is None:
            texts.append(item.lower() if match.ignore_case else item)
        else:
            numbers.append(number)
    return sorted(numbers), sorted(texts)
