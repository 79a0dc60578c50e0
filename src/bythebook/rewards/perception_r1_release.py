"""The reward of Perception-R1 as it was released, with its faults: for comparison with published figures.

arXiv 2506.07218; published code, a fork of EasyR1. r = 0.1·form + 0.9·answer + 0.7·perception + repetition, by the
values of the script; the configuration's default is γ = 0.5. Its faults, kept:

1. The pattern for the answer block does not cross line breaks, and the form asked for has them: the answer is sought in
   the whole response, where a number in the thinking will do.
2. The perception reward divides by the number of facts that the judge replied to, not by that of those asked about.
3. (not kept) A failed call of the judge ended the run; here the completion is `unscored`.
4. Only the presence of a fact counts, anywhere in the response: whoever mentions everything is paid in full.

The original has the answer compared by `math_verify`. Here a stand-in finds it: the last `\\boxed{…}`, else the last
number, else the last line that is no tag; and the gold's own matcher compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import Field, FiniteFloat

from bythebook.parsing.boxed import last_boxed
from bythebook.parsing.last_line import last_line
from bythebook.rewards.perception_r1 import Noticed, PerceptionR1
from bythebook.types import Part

__all__ = ["PerceptionR1Release", "read_by_release", "shaped_for_release"]

_HEAD, _MIDDLE, _TAIL = "<think>\n", "\n</think>\n<answer>\n", "\n</answer>"
_BOX = "\\boxed{"
_TAG = re.compile(r"</?(?:think|answer)>")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def shaped_for_release(text: str) -> bool:
    r"""Whether all of a text has the form `<think>\n…\n</think>\n<answer>\n…\boxed{…}…\n</answer>`.

    What the pattern finds whose every `…` may be anything, in linear time: the first place for each piece is the best.
    """
    if not text.startswith(_HEAD) or not text.endswith(_TAIL):
        return False
    at, end = len(_HEAD), len(text) - len(_TAIL)
    for piece in (_MIDDLE, _BOX, "}"):
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def read_by_release(text: str) -> str:
    """The answer as the original finds it: in the first answer block on a single line, which the form asked for never
    has, else in the whole response."""
    block = _one_line_block(text)
    sought = text if block is None else block
    boxed = last_boxed(sought)
    if boxed is not None:
        return boxed
    numbers = _NUMBER.findall(sought)
    return numbers[-1] if numbers else last_line(_TAG.sub("\n", sought))


def _one_line_block(text: str) -> str | None:
    """What stands between the first `<answer>` and a `</answer>` on the same line; None if there is no such line."""
    for line in text.split("\n"):
        start = line.find("<answer>")
        end = line.find("</answer>", start + 8) if start >= 0 else -1
        if end >= 0:
            return line[start + 8 : end]
    return None


class PerceptionR1Release(PerceptionR1):
    """The only changes from `PerceptionR1` are the faults above: how form and answer are read, where facts are sought,
    what divides, and that no contradiction costs anything."""

    contradiction: FiniteFloat = Field(default=0.0, ge=0.0, le=0.0)
    """Costs nothing, and is not asked about."""

    def description(self, text: str) -> str:
        return text

    def shaped(self, text: str) -> bool:
        return shaped_for_release(text)

    def said(self, text: str) -> str:
        return read_by_release(text)

    def seen(self, noticed: Sequence[Noticed]) -> dict[str, Part]:
        """Presence alone, divided by the number of replies."""
        replies = [one.stated for one in noticed if one.stated is not None]
        share = sum(replies) / len(replies) if replies else 0.0
        reason = f"{sum(replies)} of {len(replies)} facts judged" if replies else "no annotations"
        return {"perception": Part(value=self.perception * share, weight=self.perception, reason=reason)}
