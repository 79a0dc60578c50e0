"""A free answer that means what its reference means, decided by a program.

The matcher that the gold names decides: equal texts, or in the procedural world equal meanings. It is the upper bound
of what a judge can pay there, and the yardstick of evaluation whatever is paid.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import FiniteFloat

from bythebook.metrics.answer_meaning import same_meaning
from bythebook.metrics.answer_text import same_text
from bythebook.parsing.free_answer import FreeAnswer
from bythebook.rewards.forms import ANSWER, Form
from bythebook.schema.answers import AnswerGold
from bythebook.types import FinishReason, Noun, Part, Status, Verdict

__all__ = ["FreeAnswerReward", "is_right"]


def is_right(answer: str, gold: AnswerGold) -> bool:
    """Whether an answer means its reference, by the matcher of the gold."""
    if gold.matcher == "world":
        return same_meaning(answer, gold.reference, gold.question)
    return any(same_text(answer, wording) for wording in (gold.reference, *gold.accepted))


class FreeAnswerReward(Noun):
    """`right` or `wrong`, by the program."""

    reads: ClassVar[tuple[Form, ...]] = ANSWER

    right: FiniteFloat = 1.0
    wrong: FiniteFloat = 0.0

    def judge(self, parsed: FreeAnswer, gold: AnswerGold, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` where the generation failed. A cut-off answer is judged as it stands."""
        errors = tuple(d.code for d in parsed.deviations)
        if finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        if is_right(parsed.text, gold):
            return Verdict(value=self.right, status="ok", parts={"answer": Part(value=self.right)}, errors=errors)
        cut = finish_reason == "length"
        status: Status = "truncated" if cut else "wrong" if parsed.text else "no_answer"
        part = Part(value=self.wrong, reason="another meaning than the reference, or none that can be read")
        return Verdict(value=self.wrong, status=status, parts={"answer": part}, errors=errors)
