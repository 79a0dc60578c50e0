"""Text cut into pieces that a template can colour: marked arguments, and the lines of a diff."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Piece", "argument_pieces", "clipped", "diff_lines", "form_pieces"]

_ARGUMENT = re.compile(r"<(/?)(e1|e2)>")
_FORM = re.compile(r"<(/?)(think|answer)>")
_LONGEST = 4000
_LONGEST_ARGUMENT = 400


class Piece(NamedTuple):
    """A stretch of text and its style; the empty style is plain text."""

    text: str
    style: str


def clipped(text: str, longest: int = _LONGEST) -> str:
    """`text`, or its beginning and a note of how much is left out."""
    return text if len(text) <= longest else f"{text[:longest]} … [{len(text) - longest} more characters]"


def argument_pieces(text: str) -> list[Piece]:
    """`text` without its `<e1>…</e1>` and `<e2>…</e2>`, what stood inside styled `e1` or `e2`.

    A tag without its partner nearby stays as text: instructions mention tags, too. Linear in the length of `text`.
    """
    out: list[Piece] = []
    open_tags: list[str] = []
    at = 0
    for found in _ARGUMENT.finditer(text):
        closing, name = found.groups()
        paired = name in open_tags if closing else _closes(text, found.end(), name) and name not in open_tags
        if not paired:
            continue
        out.append(Piece(text[at : found.start()], open_tags[-1] if open_tags else ""))
        if closing:
            open_tags.remove(name)
        else:
            open_tags.append(name)
        at = found.end()
    out.append(Piece(text[at:], open_tags[-1] if open_tags else ""))
    return [piece for piece in out if piece.text]


def _closes(text: str, start: int, name: str) -> bool:
    return text.find(f"</{name}>", start, start + _LONGEST_ARGUMENT) >= 0


def form_pieces(text: str) -> list[Piece]:
    """A completion with its tags styled `tag` and what stands inside them `think` or `answer`; linear in its length.

    Every opening tag starts its style, every closing tag ends whatever is open, and what is never closed is styled to
    the end: a model may stop anywhere.
    """
    out: list[Piece] = []
    style, at = "", 0
    for found in _FORM.finditer(text):
        out += [Piece(text[at : found.start()], style), Piece(found[0], "tag")]
        style, at = "" if found[1] else found[2], found.end()
    out.append(Piece(text[at:], style))
    return [piece for piece in out if piece.text]


def diff_lines(diff: str) -> list[Piece]:
    """The lines of a unified diff without its file headers, styled `added`, `removed`, `hunk` or not at all."""
    styles = {"+": "added", "-": "removed", "@": "hunk"}
    return [
        Piece(line, styles.get(line[:1], ""))
        for line in diff.splitlines()
        if not line.startswith(("--- ", "+++ ")) and line.rstrip() not in ("---", "+++")
    ]
