"""The reward of CodeV-R1 (arXiv 2505.24183): 1 where the form is right and the Verilog does what a reference does.

| completion                                                                     | total |
|--------------------------------------------------------------------------------|-------|
| not `<think>…</think><answer>…</answer>`, each tag once and in order            | 0     |
| no fence of Verilog in the answer                                               | 0     |
| code that differs, does not compile, has other ports, is refused, or takes long | 0     |
| code that a test bench can't tell from one of the references                    | 1     |

Where no reference can be checked against, nothing is scored. The test bench is `hardware.equivalence`, the same that
evaluation calls. The penalty for long completions is `rewards.overlong`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field, FiniteFloat

from bythebook.hardware import Limits, Outcome, Plan, check_pairs
from bythebook.parsing.verilog_answer import VerilogAnswer, read_verilog_answer
from bythebook.rewards.forms import CIRCUIT, Form
from bythebook.schema.answers import AnswerGold
from bythebook.types import FinishReason, Noun, Part, Status, Verdict

__all__ = ["CodeVR1"]


class CodeVR1(Noun):
    """CodeV-R1's reward. The gold is a reference module; other right ones may stand in `accepted`: the best counts.

    Completions of a batch that have one gold are simulated together, and none twice (`hardware.checked`). InputError
    where Icarus Verilog is not installed.
    """

    reads: ClassVar[tuple[Form, ...]] = CIRCUIT

    right: FiniteFloat = 1.0
    wrong: FiniteFloat = 0.0
    fence: Literal["answer", "anywhere"] = "answer"
    """Where the code has to stand; `anywhere` is the original's."""
    plan: Plan = Field(default_factory=Plan)
    limits: Limits = Field(default_factory=Limits)

    def read(self, text: str) -> VerilogAnswer:
        """A completion as read."""
        return read_verilog_answer(text, anywhere=self.fence == "anywhere")

    def judge(self, parsed: VerilogAnswer, gold: AnswerGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict on one completion."""
        return self.judge_read([parsed], [gold], [finish_reason])[0]

    def judge_batch(
        self, texts: Sequence[str], golds: Sequence[AnswerGold | None], finish_reasons: Sequence[FinishReason]
    ) -> list[Verdict]:
        """The verdicts on completions as they were written."""
        return self.judge_read([self.read(text) for text in texts], golds, finish_reasons)

    def judge_read(
        self, read: Sequence[VerilogAnswer], golds: Sequence[AnswerGold | None], reasons: Sequence[FinishReason]
    ) -> list[Verdict]:
        """The verdicts on completions as read; `unscored`, with value None, without a gold, where the generation
        failed, and where no reference can be checked against."""
        found: dict[int, Verdict] = {}
        golds_of: dict[int, AnswerGold] = {}
        codes: dict[int, str] = {}
        for place, (parsed, gold, reason) in enumerate(zip(read, golds, reasons, strict=True)):
            errors = tuple(d.code for d in parsed.deviations)
            if gold is None or reason == "error":
                found[place] = Verdict(value=None, status="unscored", errors=errors)
            elif not parsed.well_formed or parsed.code is None:
                found[place] = self._unread(parsed, reason, errors)
            else:
                golds_of[place], codes[place] = gold, parsed.code
        for place, outcomes in self._checked(golds_of, codes).items():
            found[place] = self._told(outcomes, tuple(d.code for d in read[place].deviations))
        return [found[place] for place in range(len(read))]

    def _unread(self, parsed: VerilogAnswer, reason: FinishReason, errors: tuple[str, ...]) -> Verdict:
        """The form is bad."""
        formed = parsed.well_formed
        why = "no fence of Verilog that can be read" if formed else "not each of the four tags once and in order"
        status: Status = "truncated" if reason == "length" else "no_answer" if formed else "malformed"
        part = Part(value=self.wrong, gate=True, reason=why)
        return Verdict(value=self.wrong, status=status, parts={"format": part}, errors=errors)

    def _checked(self, golds: Mapping[int, AnswerGold], codes: Mapping[int, str]) -> dict[int, list[Outcome]]:
        """The outcomes of every code beside the references of its gold, in turn until one is equivalent."""
        outcomes: dict[int, list[Outcome]] = {place: [] for place in codes}
        for turn in range(max((1 + len(gold.accepted) for gold in golds.values()), default=0)):
            open_: dict[int, tuple[str, str]] = {}
            for place, known in outcomes.items():
                references = (golds[place].reference, *golds[place].accepted)
                if turn < len(references) and not any(o.kind == "equivalent" for o in known):
                    open_[place] = references[turn], codes[place]
            checked = check_pairs(list(open_.values()), plan=self.plan, limits=self.limits)
            for place, outcome in zip(open_, checked, strict=True):
                outcomes[place].append(outcome)
        return outcomes

    def _told(self, outcomes: Sequence[Outcome], errors: tuple[str, ...]) -> Verdict:
        """The verdict that outcomes beside several references make: the best of them."""
        said = [o for o in outcomes if not o.about_reference]
        best = next((o for o in said if o.kind == "equivalent"), said[0] if said else outcomes[0])
        reason = ": ".join(part for part in (best.kind, best.reason, best.message.partition("\n")[0]) if part)
        if best.about_reference:
            part = Part(value=0.0, gate=True, reason=f"the reference is {reason}")
            return Verdict(value=None, status="unscored", parts={"equivalence": part}, errors=(*errors, "reference"))
        if best.kind == "equivalent":
            part = Part(value=self.right, reason=f"{reason} after {best.compared} comparisons")
            return Verdict(value=self.right, status="ok", parts={"equivalence": part}, errors=errors)
        status: Status = "truncated" if best.kind == "timed_out" else "wrong"
        part = Part(value=self.wrong, reason=reason)
        return Verdict(value=self.wrong, status=status, parts={"equivalence": part}, errors=(*errors, best.kind))
