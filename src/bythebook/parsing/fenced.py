"""A completion whose answer is made of fenced blocks: programs, their inputs and outputs, a message.

    <think>…</think><answer>
    ```python
    def f(a): …
    ```
    ```input
    "a", 1
    ```
    </answer>

The form of Absolute Zero (arXiv 2505.03335): the tags from the start, nothing outside them. A fence is a line of its
own that begins with three backticks; the word behind the opening one says what the block is. Nothing is executed here.
"""

from __future__ import annotations

from bythebook.parsing.blocks import note, read_blocks
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.types import Deviation, Noun

__all__ = ["MAX_FENCED", "FencedAnswer", "FencedBlock", "read_fenced"]

MAX_FENCED = 64
"""How many blocks are read at most."""
_FENCE = "```"


class FencedBlock(Noun):
    """One block: the word behind its fence, in lower case, and what is inside."""

    word: str
    text: str


class FencedAnswer(Noun):
    """A completion as read. Parsing is total: whatever the text, there is one."""

    blocks: tuple[FencedBlock, ...]
    """Those of the answer, in order; none where it is unclear which answer is meant."""
    well_formed: bool
    """Whether the tags are right, nothing stands outside them, and every fence of the answer is closed."""
    deviations: tuple[Deviation, ...] = ()

    def all(self, word: str) -> tuple[str, ...]:
        """What is inside the blocks of that word."""
        return tuple(block.text for block in self.blocks if block.word == word)

    def one(self, word: str) -> str | None:
        """What is inside the block of that word; None where there is none or more than one."""
        found = self.all(word)
        return found[0] if len(found) == 1 else None


def read_fenced(text: str, *, prefilled: bool = True) -> FencedAnswer:
    """Read a completion, in linear time. `prefilled`: the prompt has opened `<think>`, as Absolute Zero's does.

    Deviations are those of the tags, and `text_outside`, `open_fence`, `too_many_blocks`.
    """
    cut = read_blocks(text, TAG_SETS["think"], prefilled=prefilled)
    readable = len(cut.answers) == 1 and cut.is_read()
    blocks: list[FencedBlock] = []
    closed = True
    if readable:
        start, end = cut.answers[0]
        blocks, closed = _blocks(cut.text[start:end])
        if not closed:
            note(cut.deviations, "open_fence", "a fence is never closed", (start, end))
        if len(blocks) > MAX_FENCED:
            note(cut.deviations, "too_many_blocks", f"{len(blocks)} blocks, {MAX_FENCED} read", (start, end))
    cut.thinking()  # notes what is wrong around the blocks
    whole = readable and closed and not cut.broken and cut.anchored and len(blocks) <= MAX_FENCED
    return FencedAnswer(blocks=tuple(blocks[:MAX_FENCED]), well_formed=whole, deviations=tuple(cut.deviations))


def _blocks(answer: str) -> tuple[list[FencedBlock], bool]:
    """The closed blocks of an answer, and whether all are."""
    found: list[FencedBlock] = []
    inside: list[str] | None = None
    word = ""
    for line in answer.split("\n"):
        mark = line.strip()
        if inside is None:
            if mark.startswith(_FENCE):
                inside, word = [], mark[len(_FENCE) :].strip().lower()
        elif mark == _FENCE:
            found.append(FencedBlock(word=word[:40], text="\n".join(inside)))
            inside = None
        else:
            inside.append(line)
    return found, inside is None
