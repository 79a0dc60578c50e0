"""A completion → the Verilog that it answers with: the last fence ```` ```verilog ```` of its answer block.

CodeV-R1 (arXiv 2505.24183) looks for the last fence anywhere in the completion, so that code of the thinking counts
where the answer has none; `anywhere` keeps that.
"""

from __future__ import annotations

from collections.abc import Iterator

from bythebook.parsing.blocks import note, read_blocks
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.types import Deviation, Noun, Span

__all__ = ["VerilogAnswer", "read_verilog_answer"]

_FENCE = "```"
_LANGUAGES = ("verilog", "systemverilog", "sv", "v")


class VerilogAnswer(Noun):
    """A completion as read."""

    code: str | None
    """None where there is no fence that can be read."""
    span: Span | None
    """Of the code in the completion."""
    well_formed: bool
    """Whether each of the four tags stands there exactly once and in order."""
    deviations: tuple[Deviation, ...] = ()


def read_verilog_answer(text: str, *, anywhere: bool = False, prefilled: bool = False) -> VerilogAnswer:
    """The code of a completion; total, in linear time. `prefilled`: it begins inside the thinking.

    Deviations are those of tags (`parsing.tags`), `no_fence`, `open_fence` (the last one never ends), `several_fences`.
    """
    blocks = read_blocks(text, TAG_SETS["think"], prefilled=prefilled)
    start, end = 0, len(text)
    if not anywhere:
        readable = len(blocks.answers) == 1 and blocks.is_read()
        start, end = blocks.answers[0] if readable else (0, 0)
    fences = list(_fences(blocks.text, start, end))
    code: str | None = None
    span: Span | None = None
    if not fences:
        note(blocks.deviations, "no_fence", "there is no fence of Verilog in the answer")
    elif fences[-1][1] is None:
        note(blocks.deviations, "open_fence", "the last fence is never closed", (fences[-1][0], end))
    else:
        span = Span(start=fences[-1][0], end=fences[-1][1])
        code = span.of(blocks.text)
    if len(fences) > 1:
        note(blocks.deviations, "several_fences", f"{len(fences)} fences of Verilog, the last one is read")
    blocks.thinking()
    return VerilogAnswer(code=code, span=span, well_formed=not blocks.broken, deviations=tuple(blocks.deviations))


def _fences(text: str, start: int, end: int) -> Iterator[tuple[int, int | None]]:
    """Begin and end of the code of each fence of Verilog; the end is None where it is never closed."""
    at = text.find(_FENCE, start, end)
    while at >= 0:
        line = text.find("\n", at, end)
        if line < 0:
            return
        language = text[at + len(_FENCE) : line].strip().lower()
        close = text.find(_FENCE, line, end)
        if language in _LANGUAGES:
            yield line + 1, close if close >= 0 else None
        if close < 0:
            return
        at = text.find(_FENCE, close + len(_FENCE), end)
