"""Table-R1's reward (arXiv 2505.23621) with its faults mended; as it was published: `rewards.table_r1_release`.

    R = w · format + share · accuracy

`format` is 0 or 1 and weighs little (the original pays as much for it as for the answer, so that a wrong answer in good
form earns half of everything). `accuracy` is, by what is asked: equal lists as multisets, the label, or
(BLEU / 100 + ROUGE-L) / 2. `share` is 1 where the form is right; where it is not, what can still be read earns
`fallback` of its accuracy: with 0 the form is a gate. Otherwise as follows.

| completion                                                     | original         | here                            |
|----------------------------------------------------------------|------------------|---------------------------------|
| white space around the whole                                   | loses the form   | no fault                        |
| numbers in the list, `[3]`                                     | lose the form    | no fault, unless `numbers=False`|
| two objects in the place that is read                          | the first counts | ambiguous, earns nothing        |
| an object in the thinking, or in one of several answer blocks  | an answer        | no answer, earns nothing        |
| a free answer without any object                               | all of the text  | no answer, earns nothing        |
| matcher                                                        | of training      | of evaluation, or `protocol`    |
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bythebook.metrics.table_answers import PROTOCOLS, Protocol
from bythebook.parsing.table_answer import TableAnswer
from bythebook.rewards.forms import TABLE
from bythebook.rewards.forms import Form as GoldForm
from bythebook.rewards.table_answers import Form, Score, answer_in, format_share, score, status_of, type_rule
from bythebook.schema.table_answers import TableGold
from bythebook.types import FinishReason, Noun, Part, Verdict

__all__ = ["TableR1"]


class TableR1(Noun):
    """The reward of a question about a table. A free answer is `ok` only where it is a reference word for word; what
    it earns otherwise is in the parts.

    ValidationError for a negative weight, or unless 0 ≤ `fallback` < 1: what had to be looked for never earns all.
    """

    reads: ClassVar[tuple[GoldForm, ...]] = TABLE

    format_weight: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Our choice; 1 in the original, 0 in the ablation."""
    fallback: float = Field(default=0.5, ge=0, lt=1)
    numbers: bool = True
    protocol: Protocol = "evaluation"
    form: Form = "instruct"

    def judge(self, parsed: TableAnswer, gold: TableGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` without a gold or where the generation failed. The part of the answer says where it
        was read. MissingExtraError for a free answer without the libraries that score it."""
        errors = tuple(dict.fromkeys(d.code for d in parsed.deviations))
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        kind, match = gold.table_task, PROTOCOLS[self.protocol]
        one = parsed.found[0] if len(parsed.found) == 1 else None
        answer = None if one is None else answer_in(one, kind, ignore_case=match.ignore_case)
        typed = one is not None and type_rule(one, kind, numbers=self.numbers)
        formed = answer is not None and typed and parsed.well_formed
        fenced = one if typed and parsed.place == "fence" else None
        share = format_share(parsed, fenced, formed, self.form)
        if answer is None:
            found, reason = Score({"accuracy": 0.0}, False), self._why(parsed)
        else:
            found, reason = score(answer, gold, match), f"read from {parsed.place}"
        format_part = Part(value=self.format_weight * share, weight=self.format_weight, gate=not self.fallback)
        parts = {"format": format_part, **found.parts(1.0 if formed else self.fallback, reason)}
        status = status_of(bool(parsed.objects), formed, found.right, finish_reason)
        return Verdict(value=sum(part.value for part in parts.values()), status=status, parts=parts, errors=errors)

    def _why(self, parsed: TableAnswer) -> str:
        if not parsed.given:
            return "no answer can be read"
        return "several answers" if len(parsed.found) > 1 else "no value of the kind that is asked for"
