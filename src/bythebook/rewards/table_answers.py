"""What a completion answers to a question about a table: the parts that Table-R1's rewards share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from bythebook.metrics.answer_text import same_text
from bythebook.metrics.generated_text import overlap
from bythebook.metrics.table_answers import EVALUATION, MOST_ITEMS, TableMatch, same_items, same_verdict
from bythebook.parsing.table_answer import AnswerObject, TableAnswer
from bythebook.schema.table_answers import TableGold
from bythebook.schema.tables import VERDICTS, TableKind
from bythebook.types import FinishReason, Part, Status

__all__ = ["Form", "Score", "answer_in", "format_share", "is_right_about", "score", "status_of", "type_rule"]

Form = Literal["instruct", "base"]
"""`instruct`: the form is right or not; `base`: step by step, 0.3 for the pattern of the tags, 0.2 for each tag once,
0.3 for the fence, 0.2 for JSON that parses (commented out in the published code, for base models)."""

_PATTERN, _TAGS, _FENCE, _PARSED = 0.3, 0.2, 0.3, 0.2


class Score(NamedTuple):
    """How good an answer is, 0 to 1 by term, and whether it is right."""

    terms: dict[str, float]
    right: bool
    """Of a free answer: it is a reference word for word."""

    @property
    def mean(self) -> float:
        """Over the terms."""
        return sum(self.terms.values()) / len(self.terms)

    def parts(self, share: float, reason: str) -> dict[str, Part]:
        """The terms as parts of a verdict that add up to `share` of their mean."""
        weight = share / len(self.terms)
        return {name: Part(value=weight * value, weight=weight, reason=reason) for name, value in self.terms.items()}


def answer_in(one: AnswerObject, kind: TableKind, *, ignore_case: bool = False) -> tuple[str, ...] | None:
    """The answer that an object holds, as texts; None where its value can be no answer of this kind."""
    if any(part.kind == "other" for part in one.parts):
        return None
    if kind == "items":
        return tuple(part.text for part in one.parts) if 0 < len(one.parts) <= MOST_ITEMS else None
    if kind == "verdict":
        label = one.alone.text if one.alone is not None and one.alone.kind == "text" else ""
        return (label,) if (label.strip().lower() if ignore_case else label) in VERDICTS else None
    return (one.joined,)


def type_rule(one: AnswerObject, kind: TableKind, *, numbers: bool) -> bool:
    """Whether a value has the type that the form asks for: `items`, a list of strings (and `numbers`, if they are
    allowed); `verdict`, a label as it is spelt; `text`, whatever is not null."""
    if kind == "text":
        return not one.null
    if kind == "verdict":
        return answer_in(one, kind) is not None
    return one.listed and all(part.kind == "text" or (numbers and part.kind == "number") for part in one.parts)


def score(answer: Sequence[str], gold: TableGold, match: TableMatch) -> Score:
    """An answer beside its gold: right or wrong, of free answers BLEU and ROUGE-L. MissingExtraError where these need
    libraries that are not installed."""
    if gold.table_task == "text":
        references = gold.table_answers if match.all_references else gold.table_answers[:1]
        found = overlap(answer[0], references)
        right = any(same_text(answer[0], reference) for reference in references)
        return Score({"bleu": found.bleu, "rouge": found.rouge}, right)
    if gold.table_task == "verdict":
        right = same_verdict(answer[0], gold.table_answers[0], match)
    else:
        right = same_items(answer, gold.table_answers, match)
    return Score({"accuracy": float(right)}, right)


def format_share(read: TableAnswer, fenced: AnswerObject | None, whole: bool, form: Form) -> float:
    """What the form is worth, 0 to 1. `fenced`: the object of the right type in a fence of the answer block, if there
    is one; `whole`: whether the completion has the form of an instruct model, which then earns all of it."""
    if form == "instruct" or whole:
        return float(whole)
    if not read.pattern:
        return 0.0
    if not read.tags_once:
        return _PATTERN
    if fenced is not None:
        return _PATTERN + _TAGS + _FENCE + _PARSED
    unread = read.fence and read.place != "fence"
    return _PATTERN + _TAGS + (_FENCE if unread else 0.0)


def status_of(answered: bool, formed: bool, right: bool, finish_reason: FinishReason) -> Status:
    """What to call a completion. A right answer of a bad form is `malformed`."""
    if formed:
        return "ok" if right else "wrong"
    if finish_reason == "length":
        return "truncated"
    return "malformed" if answered else "no_answer"


def is_right_about(read: TableAnswer, gold: TableGold) -> bool:
    """Whether the answer is right, whatever its form, by the matcher of the evaluation; never where it is ambiguous."""
    if len(read.found) != 1:
        return False
    answer = answer_in(read.found[0], gold.table_task, ignore_case=True)
    if answer is None:
        return False
    if gold.table_task == "text":
        return any(same_text(answer[0], reference) for reference in gold.table_answers)
    return score(answer, gold, EVALUATION).right
