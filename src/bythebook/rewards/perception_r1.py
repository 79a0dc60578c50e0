"""The reward of Perception-R1 (arXiv 2506.07218), mended: a description of what is seen is paid beside the answer.

r = α·form + β·answer + γ·perception − κ·contradiction − ρ·repetition, with, of m annotated facts,

form           each of `<think>…</think><answer>…</answer>` once, in order, and nothing outside
answer         what the answer block has in `\\boxed{…}`, else its last line, is the reference
perception     (facts that the description states, and says nothing to the contrary of) / m
contradiction  (facts to the contrary of which it says something) / m
repetition     share of 20-word runs, in lower case, that were there before

α = 0.1, β = 0.9 and γ = 0.7 are those of the published script (the paper's configuration has γ = 0.5), ρ = 2 that of
its code. κ is ours: whoever mentions everything states every fact, and contradicts it. It is as large as γ, so that of
two values one gains nothing by naming both, and less than nothing by guessing one. The description is the thinking;
what is said in the answer is none. `perception_r1_release` is the original with its faults.

Who finds facts in descriptions is left open: judgements come as data (`Noticed`). In the registry it is the rule of
`metrics.visual_facts`; `judging.perception` asks a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field, FiniteFloat

from bythebook.metrics.repeated_ngrams import repeated_share
from bythebook.metrics.visual_facts import facts_in
from bythebook.parsing.blocks import read_blocks
from bythebook.parsing.free_answer import read_free_answer
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.rewards.forms import ANSWER, Form
from bythebook.rewards.free_answer import is_right
from bythebook.schema.answers import AnswerGold
from bythebook.types import FinishReason, Noun, Part, Status, Verdict

__all__ = ["Noticed", "PerceptionR1", "noticed_by_rule"]


class Noticed(Noun):
    """What a judge found of one fact in a description; None where it gave no judgement."""

    stated: bool | None
    contradicted: bool | None = False


def noticed_by_rule(description: str, facts: Sequence[str]) -> list[Noticed]:
    """The findings of `metrics.visual_facts`, one a fact; no judgement on what it can't read as a fact."""
    found = facts_in(description, facts)
    return [
        Noticed(stated=None, contradicted=None)
        if one is None
        else Noticed(stated=one.stated, contradicted=one.contradicted)
        for one in found
    ]


class PerceptionR1(Noun):
    """`form` + `answer` + `perception` + `contradiction` + `repetition`, each a part of the verdict, added.

    The facts are the gold's annotations. Their number divides, however many the judge replied to: what it left out is
    not paid. Without annotations both terms are 0; where the judge replied to none of them, the completion is
    `unscored`. The status is that of the answer.
    """

    reads: ClassVar[tuple[Form, ...]] = ANSWER

    form: FiniteFloat = 0.1
    answer: FiniteFloat = 0.9
    perception: FiniteFloat = 0.7
    contradiction: FiniteFloat = Field(default=0.7, ge=0.0)
    repetition: FiniteFloat = Field(default=2.0, ge=0.0)
    """Of a text that only repeats; 0 leaves the penalty out."""
    window: int = Field(default=20, ge=1)
    """Words of a run that may not come back."""

    def judge(self, text: str, gold: AnswerGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict by the rule on a whole completion, its first tag included."""
        noticed = noticed_by_rule(self.description(text), gold.annotations) if gold else []
        return self.weigh(text, gold, noticed, finish_reason)

    def judge_batch(
        self, texts: Sequence[str], golds: Sequence[AnswerGold | None], finish_reasons: Sequence[FinishReason]
    ) -> list[Verdict]:
        """One verdict a completion, each judged alone. ValueError if the columns differ in length."""
        return [self.judge(*row) for row in zip(texts, golds, finish_reasons, strict=True)]

    def weigh(
        self, text: str, gold: AnswerGold | None, noticed: Sequence[Noticed], finish_reason: FinishReason = "stop"
    ) -> Verdict:
        """The verdict, given what a judge noticed of each annotation of the gold. ValueError if the two differ in
        number. `unscored` without a gold, where the generation failed, and where the judge failed altogether."""
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=("no_gold" if gold is None else "no_completion",))
        if len(noticed) != len(gold.annotations):
            raise ValueError(f"{len(noticed)} judgements of {len(gold.annotations)} annotations")
        if noticed and all(one.stated is None for one in noticed):
            part = Part(value=0.0, gate=True, reason=f"none of {len(noticed)} facts was judged")
            return Verdict(value=None, status="unscored", parts={"judge": part}, errors=("judge_failed",))
        said = self.said(text)
        right = is_right(said, gold)
        shaped = self.shaped(text)
        repeated = repeated_share(text, self.window)
        parts = {
            "form": _part(self.form, float(shaped), "the form asked for" if shaped else "another form"),
            "answer": _part(self.answer, float(right), "the right answer" if right else "another answer, or none"),
            **self.seen(noticed),
            "repetition": _part(-self.repetition, repeated, f"{repeated:.3f} of the runs are repeated"),
        }
        cut = finish_reason == "length"
        status: Status = "ok" if right else "truncated" if cut else "wrong" if said else "no_answer"
        return Verdict(value=sum(part.value for part in parts.values()), status=status, parts=parts)

    def description(self, text: str) -> str:
        """What is judged: the thinking; empty where none is closed."""
        return read_blocks(text, TAG_SETS["think"]).thinking()[0] or ""

    def shaped(self, text: str) -> bool:
        """Whether the form is right."""
        blocks = read_blocks(text, TAG_SETS["think"])
        return not blocks.broken and blocks.anchored and bool(self.said(text)) and len(blocks.answers) == 1

    def said(self, text: str) -> str:
        """The answer, as an evaluation reads it; empty if there is none."""
        return read_free_answer(text).text

    def seen(self, noticed: Sequence[Noticed]) -> dict[str, Part]:
        """The two terms about what is seen. The number of facts asked about divides."""
        asked = len(noticed)
        contrary = sum(one.contradicted is True for one in noticed)
        seen = sum(one.stated is True and one.contradicted is not True for one in noticed)
        silent = sum(one.stated is None for one in noticed)
        reason = f"{seen} of {asked} facts" if asked else "no annotations"
        reason += f", {silent} not judged" if silent else ""
        return {
            "perception": _part(self.perception, seen / asked if asked else 0.0, reason),
            "contradiction": _part(
                -self.contradiction, contrary / asked if asked else 0.0, f"{contrary} of {asked} facts contradicted"
            ),
        }


def _part(weight: float, share: float, reason: str) -> Part:
    # Not −0.0, which would be written as such.
    return Part(value=weight * share or 0.0, weight=weight, reason=reason)
