"""The reward of Efficient Medical VIE (arXiv 2506.13363): precision and recall of values under keys, balanced.

    r = r_format + r_match,   r_match = α·n/|S_p| + (1−α)·n/|S_g|,   0 where S_p is empty

S_p and S_g are the pairs of path and leaf of answer and gold, n those of both (`metrics.key_values`). α = 1 pays one
right pair as much as all of them; α = 0 pays whatever is listed beside the right ones. The paper states no α.

`MedicalVIEPaper` pays by that formula: tags alone earn 1, lists are compared place by place, and of equal keys the last
counts. `MedicalVIE` mends it: the form is a gate that pays nothing by itself, the order of lists is free, an object
that has a key twice is malformed, and to a document that states nothing `{}` is the right answer.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, FiniteFloat

from bythebook.metrics.extraction import Counts
from bythebook.metrics.key_values import Empties, Lists, compared_values
from bythebook.parsing.blocks import UNREAD_ANSWER
from bythebook.parsing.key_values import ParsedKeyValues
from bythebook.rewards.forms import KEY_VALUES, Form
from bythebook.schema.key_values import KeyValueGold
from bythebook.types import FinishReason, Noun, Part, Status, Verdict

__all__ = ["MedicalVIE", "MedicalVIEPaper", "key_value_counts", "match_parts"]


def key_value_counts(
    parsed: ParsedKeyValues, gold: KeyValueGold, lists: Lists = "align", empties: Empties = "drop"
) -> Counts:
    """The pairs of an answer beside those of its gold; without an answer all of the gold is missed."""
    return compared_values(parsed.values or {}, gold.values, lists=lists, empties=empties)


def match_parts(counts: Counts, alpha: float) -> dict[str, Part]:
    """The two terms of r_match; both 0 where nothing is right."""
    precision = counts.tp / counts.predicted if counts.tp else 0.0
    recall = counts.tp / counts.gold if counts.tp else 0.0
    said = f"{counts.tp:.0f} of {counts.predicted:.0f} pairs are right"
    found = f"{counts.tp:.0f} of {counts.gold:.0f} pairs are found"
    return {
        "precision": Part(value=alpha * precision, weight=alpha, reason=said),
        "recall": Part(value=(1.0 - alpha) * recall, weight=1.0 - alpha, reason=found),
    }


class MedicalVIE(Noun):
    """r = r_match where the form is right, else 0; in [0, 1]. With an empty gold 1 for an answer that states nothing,
    0 for others.

    The form: think and answer once each and in order, nothing outside of them, and in the answer one JSON object
    without repeated keys, of bounded depth and size.
    """

    reads: ClassVar[tuple[Form, ...]] = KEY_VALUES

    alpha: FiniteFloat = Field(default=0.5, ge=0.0, le=1.0)
    """The weight of precision."""
    lists: Lists = "align"
    empties: Empties = "drop"
    anchored: bool = True

    def judge(self, parsed: ParsedKeyValues, gold: KeyValueGold, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` where the generation failed."""
        errors = tuple(d.code for d in parsed.deviations)
        if finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        outside = self.anchored and not parsed.anchored
        if outside or not parsed.well_formed:
            reason = "text outside the tags" if outside else ", ".join(errors)
            gate = Part(value=0.0, gate=True, reason=reason)
            return Verdict(value=0.0, status=_status(parsed, finish_reason), parts={"format": gate}, errors=errors)
        counts = key_value_counts(parsed, gold, self.lists, self.empties)
        if not counts.gold and not counts.predicted:
            parts = {"nothing": Part(value=1.0, reason="nothing to find, and nothing is said")}
            return Verdict(value=1.0, status="ok", parts=parts, errors=errors)
        parts = match_parts(counts, self.alpha)
        value = sum(part.value for part in parts.values())
        return Verdict(value=value, status=_right_or_not(counts), parts=parts, errors=errors)


class MedicalVIEPaper(Noun):
    """r = r_format + r_match as published, in [0, 2]; what the paper leaves open is taken as its tables suggest."""

    reads: ClassVar[tuple[Form, ...]] = KEY_VALUES

    alpha: FiniteFloat = Field(default=0.5, ge=0.0, le=1.0)
    lists: Lists = "index"
    empties: Empties = "drop"

    def judge(self, parsed: ParsedKeyValues, gold: KeyValueGold, finish_reason: FinishReason = "stop") -> Verdict:
        """The verdict; `unscored` where the generation failed."""
        errors = tuple(d.code for d in parsed.deviations)
        if finish_reason == "error":
            return Verdict(value=None, status="unscored", errors=errors)
        counts = key_value_counts(parsed, gold, self.lists, self.empties)
        parts = {"format": Part(value=float(parsed.tags_right)), **match_parts(counts, self.alpha)}
        read = parsed.tags_right and parsed.values is not None
        status = _right_or_not(counts) if read else _status(parsed, finish_reason)
        return Verdict(value=sum(part.value for part in parts.values()), status=status, parts=parts, errors=errors)


def _right_or_not(counts: Counts) -> Status:
    if counts.fp == counts.fn == 0:
        return "ok"
    return "wrong" if counts.predicted else "no_answer"


def _status(parsed: ParsedKeyValues, finish_reason: FinishReason) -> Status:
    """What to call a completion whose answer does not count: cut off, without any answer, or malformed."""
    if finish_reason == "length":
        return "truncated"
    written = any(d.code in (UNREAD_ANSWER, "unparseable_answer") for d in parsed.deviations)
    return "malformed" if written or parsed.answer_span is not None else "no_answer"
