"""Where the prose of a guideline names its own relations.

A label such as `Cause-Effect`, `associated_with`, `R7` or `USAGE` is no ordinary word: wherever it stands, it is the
label. `role` or `cause` is an ordinary word as well. It is the label where it has arguments, `role(e1,e2)`, where it
stands in backquotes, at the head of an overlap, `role: …`, or in a row of labels, `compare, opposite and social`. A
capitalised word such as `Feeds` is the label, too, unless a sentence starts with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

__all__ = ["is_ordinary_word", "rewrite_mentions", "words_before_colon"]

_ORDINARY = re.compile(r"[^\W\d_][^\W\d_A-Z]*(?: [^\W\d_]+)*")
_ROW = r"(?:, and |, or |, | and | or )"
_ARGUMENTS = re.compile(r"\((?:e1,[ \t]*e2|e2,[ \t]*e1)\)")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]|\n)[\s\"'“‘(-]*\Z")
_LEAD = re.compile(r"[^:.\n]{1,200}:")
_BACK = 20
"""Characters that are looked at before a word to see whether a sentence starts with it."""


def is_ordinary_word(name: str) -> bool:
    """Whether a label looks like a word of the language: letters only, at most the first of them a capital."""
    return _ORDINARY.fullmatch(name) is not None


def words_before_colon(text: str) -> list[str]:
    """What an overlap starts with: `A and B: …` gives A and B. Empty where it does not start so."""
    lead = _LEAD.match(text)
    return [w.strip("` ") for w in re.split(_ROW, lead[0][:-1].strip())] if lead else []


@lru_cache(maxsize=256)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """(one label, a row of at least two)"""
    one = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    free = rf"(?<![\w-])(?:{one})(?![\w-])"
    return re.compile(free), re.compile(rf"{free}(?:{_ROW}{free})+")


def rewrite_mentions(text: str, names: Iterable[str], new: Callable[[str], str], *, overlap: bool = False) -> str:
    """`text` with every mention of a label replaced by `new(label)`, all at once. `overlap`: the text is an item of
    that section, so a label before its colon is one."""
    known = tuple(names)
    if not known or not text:
        return text
    one, row = _patterns(known)
    rows = [m.span() for m in row.finditer(text)]
    lead = _LEAD.match(text) if overlap else None
    heads = lead.end() if lead and all(w in known or " " not in w for w in words_before_colon(text)) else 0
    out, done, at = [], 0, 0
    for found in one.finditer(text):
        start, end = found.span()
        while at < len(rows) and rows[at][1] <= start:
            at += 1
        listed = start < heads or (at < len(rows) and rows[at][0] <= start)
        if listed or _is_label(text, found[0], start, end):
            out += [text[done:start], new(found[0])]
            done = end
    return "".join([*out, text[done:]])


def _is_label(text: str, name: str, start: int, end: int) -> bool:
    if not is_ordinary_word(name) or _ARGUMENTS.match(text, end):
        return True
    if text[start - 1 : start] == "`" and text[end : end + 1] == "`":
        return True
    return name[0].isupper() and not _SENTENCE_START.search(text[max(0, start - _BACK) : start])
