"""Relation classification: the matcher that reward and evaluation share, and scores over pairs of labels.

A pair is (gold, answer), both canonical (`Grammar.canonical`); an answer is None where none could be read, which is
wrong and counts as predicted for no label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bythebook.types import Label, Noun

__all__ = ["LabelReport", "LabelScore", "Pair", "accuracy", "confusion", "label_report", "same_label"]

Pair = tuple[Label, Label | None]


def same_label(answer: Label | None, gold: Label) -> bool:
    """Whether the answer is right: the same relation and the same direction."""
    return answer is not None and answer == gold


class LabelScore(Noun):
    """Precision, recall and F1 (fractions) with the counts they come from; None where the denominator is 0."""

    right: int
    answered: int
    """How often the label was given as the answer."""
    gold: int
    """How often the label was the gold answer."""
    precision: float | None
    recall: float | None
    f1: float | None

    @classmethod
    def of(cls, right: int, answered: int, gold: int) -> LabelScore:
        """From counts: P = right / answered, R = right / gold, F1 = 2 · right / (answered + gold)."""
        return cls(
            right=right,
            answered=answered,
            gold=gold,
            precision=right / answered if answered else None,
            recall=right / gold if gold else None,
            f1=2 * right / (answered + gold) if answered + gold else None,
        )


class LabelReport(Noun):
    """Scores of a set of answers. Labels are directed; a no-relation label has no direction."""

    accuracy: float | None
    per_label: dict[str, LabelScore]
    """Every label that occurs as gold or as an answer, by its text, in alphabetical order."""
    macro_f1: float | None
    """Mean F1 of the directed labels that occur in the gold; the no-relation label is left out."""
    micro: LabelScore
    """Counts summed over the directed labels; the no-relation label is left out."""
    confusion: dict[str, dict[str, int]]
    """gold → answer → count; an answer that could not be read is the empty string."""


def accuracy(pairs: Iterable[Pair]) -> float | None:
    """Fraction of right answers, the no-relation label included; None if there are no pairs."""
    hits = [same_label(answer, gold) for gold, answer in pairs]
    return sum(hits) / len(hits) if hits else None


def confusion(pairs: Iterable[Pair]) -> dict[str, dict[str, int]]:
    """gold text → answer text → count; the empty string stands for an answer that could not be read."""
    table: dict[str, dict[str, int]] = {}
    for gold, answer in pairs:
        row = table.setdefault(gold.text, {})
        key = "" if answer is None else answer.text
        row[key] = row.get(key, 0) + 1
    return {g: dict(sorted(row.items())) for g, row in sorted(table.items())}


def label_report(pairs: Iterable[Pair]) -> LabelReport:
    """Precision, recall and F1 per directed label, macro and micro, with accuracy and the confusion counts."""
    pairs = list(pairs)
    right = Counter(gold for gold, answer in pairs if same_label(answer, gold))
    golds = Counter(gold for gold, _ in pairs)
    answers = Counter(answer for _, answer in pairs if answer is not None)
    labels = sorted({*golds, *answers}, key=lambda label: label.text)
    scores = {label: LabelScore.of(right[label], answers[label], golds[label]) for label in labels}
    directed = [label for label in labels if label.direction is not None]
    in_gold = [f1 for label in directed if golds[label] and (f1 := scores[label].f1) is not None]
    return LabelReport(
        accuracy=accuracy(pairs),
        per_label={label.text: score for label, score in scores.items()},
        macro_f1=sum(in_gold) / len(in_gold) if in_gold else None,
        micro=LabelScore.of(*(sum(count[label] for label in directed) for count in (right, answers, golds))),
        confusion=confusion(pairs),
    )
