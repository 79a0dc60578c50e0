"""Table-R1's two scorers as published (code at ee71138, `verl/utils/reward_score`): the reward of training and the one
of evaluation, which differ.

Training: format (0 or 1) + accuracy (0 to 1), so that form weighs as much as the answer; where no answer can be read, a
list or a label earns 0 including the form, and a free answer is then the whole response. Of several objects the first
counts. Evaluation: accuracy alone, read more loosely (a pair without braces will do) and compared by another matcher.
The paper's evaluation also has a model judge the misses, and never the hits, again, which can only raise a score: that
is left out.

Where they differ from the code: JSON that does not parse, or has other keys, is passed over instead of ending the
search, and braces within a text do not end it; a value with `true`, `false`, an object or a list in a list can never be
right; in a free answer numbers stay as they are written; lists of numbers are paired as well as they can be; the label
of an evaluation may have capitals; and the names of constants in FinQA, which is no task here, are no numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from bythebook.metrics.table_answers import EVALUATION, TRAINING
from bythebook.parsing.table_answer import AnswerObject, TableAnswer
from bythebook.rewards.forms import TABLE
from bythebook.rewards.forms import Form as GoldForm
from bythebook.rewards.table_answers import Form, Score, answer_in, format_share, score, status_of, type_rule
from bythebook.schema.table_answers import TableGold
from bythebook.schema.tables import TableKind
from bythebook.types import FinishReason, Noun, Part, Verdict

__all__ = ["TableR1Evaluation", "TableR1Release"]


class TableR1Release(Noun):
    """The reward of training, its faults kept: total 0 to 2."""

    reads: ClassVar[tuple[GoldForm, ...]] = TABLE

    form: Form = "instruct"

    def judge(self, parsed: TableAnswer, gold: TableGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` without a gold or where the generation failed."""
        errors = tuple(dict.fromkeys(d.code for d in parsed.deviations))
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        kind = gold.table_task
        one = _first(parsed.objects, kind)
        answer, place = _answer(one, parsed, kind)
        if answer is None:
            status = status_of(bool(parsed.objects), False, False, finish_reason)
            gate = Part(value=0.0, gate=True, reason="no answer can be read")
            return Verdict(value=0.0, status=status, parts={"format": gate}, errors=errors)
        fenced = _first((o for o in parsed.objects if o.place == "fence" and _strict(o, kind)), kind)
        formed = fenced is not None and type_rule(fenced, kind, numbers=False) and parsed.tags_once and parsed.pattern
        share = format_share(parsed, fenced, formed, self.form)
        found = score(answer, gold, TRAINING)
        parts = {"format": Part(value=share), **found.parts(1.0, f"read from {place}")}
        status = status_of(bool(parsed.objects), formed, found.right, finish_reason)
        return Verdict(value=sum(part.value for part in parts.values()), status=status, parts=parts, errors=errors)


class TableR1Evaluation(Noun):
    """The scorer of evaluation: accuracy, 0 to 1, whatever the form."""

    reads: ClassVar[tuple[GoldForm, ...]] = TABLE

    def judge(self, parsed: TableAnswer, gold: TableGold | None, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` without a gold or where the generation failed."""
        errors = tuple(dict.fromkeys(d.code for d in parsed.deviations))
        if gold is None or finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        # The published pattern of pairs takes nothing of a free answer but the key, so it never reads one.
        objects = parsed.objects if gold.table_task == "text" else parsed.loosely
        one = _first(objects, gold.table_task, ignore_case=True)
        answer, place = _answer(one, parsed, gold.table_task, ignore_case=True)
        found = Score({"accuracy": 0.0}, False) if answer is None else score(answer, gold, EVALUATION)
        parts = found.parts(1.0, "no answer can be read" if answer is None else f"read from {place}")
        status = status_of(bool(parsed.loosely), answer is not None, found.right, finish_reason)
        return Verdict(value=sum(part.value for part in parts.values()), status=status, parts=parts, errors=errors)


def _first(objects: Iterable[AnswerObject], kind: TableKind, *, ignore_case: bool = False) -> AnswerObject | None:
    """The first object that the published pattern of this kind matches."""
    for one in objects:
        if kind == "verdict" and answer_in(one, kind, ignore_case=ignore_case) is None:
            continue
        if kind == "items" and one.alone is not None and one.alone.kind == "other":
            continue
        if not one.null:
            return one
    return None


def _strict(one: AnswerObject, kind: TableKind) -> bool:
    """Whether the pattern of the form matches, too: of `items` only a list."""
    return kind != "items" or one.listed


def _answer(
    one: AnswerObject | None, parsed: TableAnswer, kind: TableKind, *, ignore_case: bool = False
) -> tuple[tuple[str, ...] | None, str]:
    """The answer and where it was read; of a free answer that can't be found, the whole response."""
    if one is not None:
        return answer_in(one, kind, ignore_case=ignore_case), one.place
    return ((parsed.whole,), "the whole response") if kind == "text" else (None, "")
