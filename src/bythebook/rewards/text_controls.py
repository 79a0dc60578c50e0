"""Controls that look at the text of a completion alone: a word, a repetition, a box."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from pydantic import Field, FiniteFloat

from bythebook.parsing.boxed import boxed_spans
from bythebook.rewards.control_reward import Control, Rollout
from bythebook.rewards.text_reward import TextReward
from bythebook.types import Part, Verdict

__all__ = ["Boxed", "ContainsWord", "NoRepetition", "has_boxed", "repeats"]


class _TextControl(Control):
    """Pays `right` or `wrong` for what a text is, whatever it answers."""

    right: FiniteFloat = 1.0
    wrong: FiniteFloat = 0.0

    def _judged(self, rows: Sequence[Rollout], reader: TextReward) -> list[Verdict]:
        return [self._paid(*self._found(row.text)) for row in rows]

    def _paid(self, good: bool, reason: str) -> Verdict:
        value = self.right if good else self.wrong
        return Verdict(value=value, status="unscored", parts={"control": Part(value=value, reason=reason)})

    @abstractmethod
    def _found(self, text: str) -> tuple[bool, str]:
        """(whether it is paid for, why)"""


class ContainsWord(_TextControl):
    """`contain_python_wo_backticks`: a word anywhere in the text, in any letter case."""

    word: str = Field(default="python", min_length=1)

    def _found(self, text: str) -> tuple[bool, str]:
        found = self.word.lower() in text.lower()
        return found, f"{self.word!r} {'occurs' if found else 'does not occur'}"


class NoRepetition(_TextControl):
    """`no_repetition`: no string of `shortest` to `longest` characters that stands `times` times in a row."""

    shortest: int = Field(default=10, ge=1)
    longest: int = Field(default=256, ge=1, le=1024)
    times: int = Field(default=10, ge=2)

    def _found(self, text: str) -> tuple[bool, str]:
        repeated = repeats(text, self.shortest, self.longest, self.times)
        return not repeated, f"a string stands {self.times} times in a row" if repeated else "no string repeats"


class Boxed(_TextControl):
    r"""`box_only_format`: at least one `\boxed{…}` that is not empty."""

    def _found(self, text: str) -> tuple[bool, str]:
        found = has_boxed(text)
        return found, "a boxed answer" if found else "no boxed answer"


def repeats(text: str, shortest: int = 10, longest: int = 256, times: int = 10) -> bool:
    """Whether some string of `shortest` to `longest` characters stands `times` times in a row. Linear in the text.

    A string of p characters does if (times − 1) · p characters in a row equal those p places further on.
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    for p in range(shortest, min(longest, codes.size // times) + 1):
        equal = codes[:-p] == codes[p:]
        run = (times - 1) * p
        # So long a run has one of every `run`-th places.
        if not equal[run - 1 :: run].any():
            continue
        ends = np.flatnonzero(np.concatenate(([False], equal, [False])) == 0)
        if int(np.diff(ends).max()) > run:
            return True
    return False


def has_boxed(text: str) -> bool:
    r"""Whether there is a `\boxed{…}` with more than white space between its braces, which match. Linear in the text:
    what holds a brace is not white space, so the stretches that are looked at don't overlap."""
    return any(start < end and not text[start:end].isspace() for start, end in boxed_spans(text))
