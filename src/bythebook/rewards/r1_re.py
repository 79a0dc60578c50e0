"""The reward of R1-RE (arXiv 2507.04642): a gate on the form, then one exact match of relation and direction.

| completion              | format | metric      | total |
|-------------------------|--------|-------------|-------|
| bad form                | -3     | not computed| -3    |
| good form, wrong answer | +1     | -1.5        | -0.5  |
| good form, right answer | +1     | +2          | +3    |

The totals are configurable; the paper's ablation of the scale is `R1RE(bad_format=-3, wrong=-1, right=3)`.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import FiniteFloat, model_validator

from bythebook.metrics.labels import same_label
from bythebook.parsing import TAG_FAULTS, UNREAD_ANSWER
from bythebook.rewards.forms import LABEL, Form
from bythebook.schema import Gold
from bythebook.types import FinishReason, Noun, Parsed, ParsedExtraction, Part, Status, Verdict

__all__ = ["R1RE", "R1REAnchored", "codes_of", "form_status"]

_FORMAT = 1.0
"""What a good form contributes; the rest of a total is the metric's."""


def codes_of(parsed: Parsed | ParsedExtraction) -> tuple[str, ...]:
    """The deviations' codes, each once, in order of record."""
    return tuple(dict.fromkeys(d.code for d in parsed.deviations))


def form_status(parsed: Parsed, finish_reason: FinishReason) -> Status:
    """What to call a completion whose form is bad: cut off, without any answer block, or malformed."""
    if finish_reason == "length" and not parsed.well_formed:
        return "truncated"
    if not parsed.items and not any(d.code == UNREAD_ANSWER for d in parsed.deviations):
        return "no_answer"
    return "malformed"


class R1RE(Noun):
    """R1-RE's reward. The form is good if `Parsed.well_formed`, and, where `anchored`, nothing stands outside the tags.

    `unparseable` is Logic-RL's variant: what a completion earns whose tags are right but whose answer has not the form
    `Relation(e1,e2)` (there -1); None, R1-RE's rule, makes it a bad form like any other. ValidationError unless
    `bad_format` ≤ `wrong` < `right` and `unparseable` < `right`.
    """

    reads: ClassVar[tuple[Form, ...]] = LABEL

    bad_format: FiniteFloat = -3.0
    wrong: FiniteFloat = -0.5
    right: FiniteFloat = 3.0
    anchored: bool = False
    unparseable: FiniteFloat | None = None

    @model_validator(mode="after")
    def _right_pays_best(self) -> Self:
        if not self.bad_format <= self.wrong < self.right:
            raise ValueError("bad_format <= wrong < right must hold")
        if self.unparseable is not None and self.unparseable >= self.right:
            raise ValueError("unparseable < right must hold")
        return self

    def judge(self, parsed: Parsed, gold: Gold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict. `unscored`, with value None, without a gold answer or where the generation itself failed."""
        errors = codes_of(parsed)
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        item = parsed.answer
        if self.anchored and not parsed.anchored:
            return self._bad_form("text outside the tags", form_status(parsed, finish_reason), errors)
        if not parsed.well_formed or item is None:
            status = form_status(parsed, finish_reason)
            if self.unparseable is not None and item is not None and not TAG_FAULTS.intersection(errors):
                return self._paid(self.unparseable, status, "not the form Relation(e1,e2)", errors)
            return self._bad_form(", ".join(errors), status, errors)
        if same_label(item.label, gold.grammar.canonical(gold.label)):
            return self._paid(self.right, "ok", "relation and direction match", errors)
        return self._paid(self.wrong, "wrong", "another relation or direction", errors)

    def _bad_form(self, reason: str, status: Status, errors: tuple[str, ...]) -> Verdict:
        gate = Part(value=self.bad_format, gate=True, reason=reason)
        return Verdict(value=self.bad_format, status=status, parts={"format": gate}, errors=errors)

    @staticmethod
    def _paid(total: float, status: Status, reason: str, errors: tuple[str, ...]) -> Verdict:
        parts = {"format": Part(value=_FORMAT), "metric": Part(value=total - _FORMAT, reason=reason)}
        return Verdict(value=total, status=status, parts=parts, errors=errors)


class R1REAnchored(R1RE):
    """R1-RE's reward with nothing but white space allowed outside the tags."""

    anchored: bool = True
