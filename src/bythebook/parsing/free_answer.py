"""A completion → its final answer in free words: what a judge is shown, and what is compared with the reference.

The last line that is not empty, as "Crossing the Reward Bridge" (arXiv 2503.23829) has it. Beyond the paper: of
thinking between tags only what stands after it is looked at, and of a single answer block only what is inside; there
the last `\\boxed{…}`, where there is one, is the answer.
"""

from __future__ import annotations

from bythebook.parsing.boxed import last_boxed
from bythebook.parsing.last_line import last_line
from bythebook.types import Deviation, Noun

__all__ = ["FreeAnswer", "read_free_answer"]

_THINKING, _THOUGHT, _OPEN, _CLOSED = "<think>", "</think>", "<answer>", "</answer>"


class FreeAnswer(Noun):
    """A completion as read; `text` is empty where there is no answer."""

    text: str
    deviations: tuple[Deviation, ...] = ()

    @property
    def well_formed(self) -> bool:
        return bool(self.text)


def read_free_answer(text: str, *, prefilled: bool = False) -> FreeAnswer:
    """The final answer of a completion; `prefilled`: it starts inside the thinking. Total, in linear time.

    Deviations: `open_thinking` (it never ends, so there is no answer), `no_answer`, `answer_tags` (other than one
    opening and one closing one; then they are words like others).
    """
    _, closed, after = text.rpartition(_THOUGHT)
    if not closed and (prefilled or _THINKING in text):
        return FreeAnswer(text="", deviations=(Deviation(code="open_thinking", message="the thinking never ends"),))
    found: list[Deviation] = []
    boxed = None
    if _OPEN in after or _CLOSED in after:
        before, _, inside = after.partition(_OPEN)
        inside, _, behind = inside.partition(_CLOSED)
        if after.count(_OPEN) == after.count(_CLOSED) == 1 and _CLOSED not in before and not behind.strip():
            after, boxed = inside, last_boxed(inside)
        else:
            found.append(Deviation(code="answer_tags", message="not one answer block at the end"))
    line = last_line(after) if boxed is None else boxed
    if not line:
        found.append(Deviation(code="no_answer", message="no line that is not empty"))
    return FreeAnswer(text=line, deviations=tuple(found))
