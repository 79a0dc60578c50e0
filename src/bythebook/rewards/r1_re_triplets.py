"""R1-RE's reward of triplet extraction (arXiv 2507.04642, appendix): first the form, then two F1s in one sum.

| completion                 | format | metric        | total        |
|----------------------------|--------|---------------|--------------|
| bad form                   | -3     | not computed  | -3           |
| good form, nothing right   | +1     | -1.5          | -0.5         |
| good form, F1s e and t     | +1     | -1.5 + 3.5·s  | -0.5 + 3.5·s |
| good form, all right       | +1     | +2            | +3           |

s = (entity weight · e + triple weight · t) / (sum of the weights), e the F1 of the entities, t that of the triples. The
paper gives a weighted sum of the two F1s, and neither its weights nor how it joins the form: equal weights, and the
scale of relation classification, which the table continues, are our choice.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, FiniteFloat, model_validator

from bythebook.rewards.extraction_form import Compared, compared, extraction_status
from bythebook.rewards.forms import EXTRACTION, Form
from bythebook.rewards.r1_re import codes_of
from bythebook.schema import ExtractionGold
from bythebook.types import FinishReason, Noun, ParsedExtraction, Part, Verdict

__all__ = ["R1RETriplets"]

_FORMAT = 1.0
Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class R1RETriplets(Noun):
    """R1-RE's reward of triplet extraction. The form is good if `ParsedExtraction.well_formed`, and, where `anchored`,
    nothing stands outside the tags. A sub-task that asks for one half only is scored by that half.

    ValidationError unless `bad_format` ≤ `wrong` < `right` and one of the weights is positive.
    """

    reads: ClassVar[tuple[Form, ...]] = EXTRACTION

    bad_format: FiniteFloat = -3.0
    wrong: FiniteFloat = -0.5
    right: FiniteFloat = 3.0
    entity_weight: Weight = 0.5
    triple_weight: Weight = 0.5
    anchored: bool = False

    @model_validator(mode="after")
    def _right_pays_best(self) -> Self:
        if not self.bad_format <= self.wrong < self.right:
            raise ValueError("bad_format <= wrong < right must hold")
        if not self.entity_weight + self.triple_weight > 0:
            raise ValueError("entity_weight or triple_weight must be positive")
        return self

    def judge(
        self, parsed: ParsedExtraction, gold: ExtractionGold | None, finish_reason: FinishReason = "stop"
    ) -> Verdict:
        """The verdict. `unscored`, with value None, without a gold answer or where the generation itself failed."""
        errors = codes_of(parsed)
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        answer = compared(parsed, gold)
        if answer is None or not parsed.well_formed or (self.anchored and not parsed.anchored):
            reason = ", ".join(errors) if answer is None or not parsed.well_formed else "text outside the tags"
            gate = Part(value=self.bad_format, gate=True, reason=reason)
            status = "malformed" if answer is not None else extraction_status(parsed, finish_reason)
            return Verdict(value=self.bad_format, status=status, parts={"format": gate}, errors=errors)
        parts = {"format": Part(value=_FORMAT), **self._metric(answer)}
        value = sum(part.value for part in parts.values())
        return Verdict(value=value, status="ok" if answer.right else "wrong", parts=parts, errors=errors)

    def _metric(self, answer: Compared) -> dict[str, Part]:
        """What a wrong answer has above the form, then what each F1 adds."""
        asked = {
            "entities": (self.entity_weight, answer.entities),
            "triples": (self.triple_weight, answer.relations),
        }
        halves = {name: (weight, half) for name, (weight, half) in asked.items() if half is not None}
        whole = sum(weight for weight, _ in halves.values())
        parts = {"wrong": Part(value=self.wrong - _FORMAT)}
        for name, (weight, half) in halves.items():
            # The one half that is asked for counts fully, whatever its weight.
            scale = (self.right - self.wrong) * (weight / whole if whole else 1.0 / len(halves))
            parts[name] = Part(value=scale * half.f1, weight=scale)
        return parts
