"""Text cut into pieces that a template can colour: marked arguments, and the lines of a diff."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Piece", "clipped", "diff_lines", "pieces"]

_TAG = re.compile(r"<(/?)(e1|e2|think|answer)>")
_LONGEST = 4000


class Piece(NamedTuple):
    """A stretch of text; `style` is `e1`, `e2`, `think`, `answer`, `tag`, or empty for plain text."""

    text: str
    style: str


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, or its beginning and a note of how much is left out."""
    return text if len(text) <= longest else f"{text[:longest]} … [{len(text) - longest} more characters]"


def pieces(text: str, keep_tags: bool = False) -> list[Piece]:
    """`text` with what stands inside `<e1>`, `<e2>`, `<think>` and `<answer>` styled; linear in its length.

    The innermost open tag decides. Tags are dropped, or with `keep_tags` kept as pieces styled `tag`. Whatever is
    opened and never closed is styled to the end: a model may stop anywhere.
    """
    out: list[Piece] = []
    open_tags: list[str] = []
    at = 0
    for found in _TAG.finditer(text):
        if found.start() > at:
            out.append(Piece(text[at : found.start()], open_tags[-1] if open_tags else ""))
        if keep_tags:
            out.append(Piece(found[0], "tag"))
        if not found[1]:
            # A model that repeats tags without end must not make a stack without end.
            open_tags = [*open_tags[-3:], found[2]]
        elif found[2] in open_tags:
            while open_tags.pop() != found[2]:
                pass
        at = found.end()
    if at < len(text):
        out.append(Piece(text[at:], open_tags[-1] if open_tags else ""))
    return out


def diff_lines(diff: str) -> list[Piece]:
    """The lines of a unified diff without its file headers, styled `added`, `removed`, `hunk` or not at all."""
    styles = {"+": "added", "-": "removed", "@": "hunk"}
    return [
        Piece(line, styles.get(line[:1], ""))
        for line in diff.splitlines()
        if not line.startswith(("--- ", "+++ ")) and line.rstrip() not in ("---", "+++")
    ]
