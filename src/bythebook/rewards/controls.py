"""Rewards that never look at the gold answer: what training gains from them is not gained from being right.

Their verdicts are never `ok` or `wrong`, since correctness was not judged: a completion of good form is `unscored`,
with the value it was paid.
"""

from __future__ import annotations

import hashlib
import os
from typing import ClassVar, Self

from pydantic import Field, FiniteFloat, PrivateAttr, model_validator

from bythebook.rewards.extraction_form import extraction_status
from bythebook.rewards.forms import BOTH, Form
from bythebook.rewards.r1_re import codes_of, form_status
from bythebook.schema import ExtractionGold, Gold
from bythebook.types import FinishReason, Noun, Parsed, ParsedExtraction, Part, Verdict

__all__ = ["FormatOnly", "RandomReward"]


class FormatOnly(Noun):
    """Pays for the form alone, that of R1-RE or that of joint extraction, whatever the answer says."""

    reads: ClassVar[tuple[Form, ...]] = BOTH

    bad_format: FiniteFloat = -3.0
    good_format: FiniteFloat = 3.0
    anchored: bool = False

    @model_validator(mode="after")
    def _good_pays_best(self) -> Self:
        if not self.bad_format < self.good_format:
            raise ValueError("bad_format < good_format must hold")
        return self

    def judge(
        self,
        parsed: Parsed | ParsedExtraction,
        gold: Gold | ExtractionGold | None,
        finish_reason: FinishReason = "stop",
    ) -> Verdict:
        """The verdict; `gold` is ignored."""
        errors = codes_of(parsed)
        if finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        if parsed.well_formed and (parsed.anchored or not self.anchored):
            part = Part(value=self.good_format, reason="good form")
            return Verdict(value=self.good_format, status="unscored", parts={"format": part}, errors=errors)
        part = Part(value=self.bad_format, gate=True, reason=", ".join(errors))
        if isinstance(parsed, Parsed):
            status = form_status(parsed, finish_reason)
        else:
            status = extraction_status(parsed, finish_reason)
        return Verdict(value=self.bad_format, status=status, parts={"format": part}, errors=errors)


class RandomReward(Noun):
    """A coin: `right` with probability `p`, else `wrong`, blind to prompt, completion and gold.

    The n-th verdict of an object hangs on (`seed`, rank of the process, n) alone, so that a run can be repeated while
    the rollouts of a group stay independent; the rank is the environment's `RANK`, 0 if unset. A pickled copy goes on
    counting where the original stood.
    """

    reads: ClassVar[tuple[Form, ...]] = BOTH

    seed: int = 0
    right: FiniteFloat = 3.0
    wrong: FiniteFloat = -0.5
    p: float = Field(default=0.5, ge=0.0, le=1.0)

    _drawn: int = PrivateAttr(default=0)

    def judge(
        self,
        parsed: Parsed | ParsedExtraction,
        gold: Gold | ExtractionGold | None,
        finish_reason: FinishReason = "stop",
    ) -> Verdict:
        """The next draw; the arguments are ignored, except that the parse's deviations are passed on."""
        key = f"{self.seed}:{os.environ.get('RANK', '0')}:{self._drawn}".encode()
        self._drawn += 1
        uniform = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) / 2**64
        value = self.right if uniform < self.p else self.wrong
        part = Part(value=value, reason="drawn at random")
        return Verdict(value=value, status="unscored", parts={"random": part}, errors=codes_of(parsed))
