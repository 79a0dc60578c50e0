"""The shared matcher, and scores over pairs of labels."""

from __future__ import annotations

import random

import pytest

from bythebook.metrics.labels import Pair, accuracy, confusion, label_report, same_label
from bythebook.types import Label

A12, A21 = Label(name="A", direction="(e1,e2)"), Label(name="A", direction="(e2,e1)")
B12, OTHER = Label(name="B", direction="(e1,e2)"), Label(name="Other")

# gold, answer: worked by hand below.
PAIRS: list[Pair] = [(A12, A12), (A12, A21), (A12, A12), (A21, A12), (B12, None), (OTHER, OTHER), (OTHER, A12)]


def test_right_means_the_same_relation_and_direction() -> None:
    labels = (A12, A21, B12, OTHER)
    assert [[same_label(a, g) for a in labels] for g in labels] == [[a is g for a in labels] for g in labels]
    assert not any(same_label(None, g) for g in labels)
    assert same_label(Label(name="A", direction="(e1,e2)"), A12)


def test_scores_worked_by_hand() -> None:
    report = label_report(PAIRS)
    assert report.accuracy == accuracy(PAIRS) == pytest.approx(3 / 7)
    a12 = report.per_label["A(e1,e2)"]
    assert (a12.right, a12.answered, a12.gold) == (2, 4, 3)
    assert (a12.precision, a12.recall, a12.f1) == (0.5, pytest.approx(2 / 3), pytest.approx(4 / 7))
    assert (report.per_label["A(e2,e1)"].precision, report.per_label["A(e2,e1)"].f1) == (0.0, 0.0)
    assert report.macro_f1 == pytest.approx((4 / 7 + 0 + 0) / 3)
    assert (report.micro.right, report.micro.answered, report.micro.gold) == (2, 5, 5)
    assert report.micro.f1 == pytest.approx(0.4)
    assert (
        report.confusion
        == confusion(PAIRS)
        == {
            "A(e1,e2)": {"A(e1,e2)": 2, "A(e2,e1)": 1},
            "A(e2,e1)": {"A(e1,e2)": 1},
            "B(e1,e2)": {"": 1},
            "Other": {"A(e1,e2)": 1, "Other": 1},
        }
    )


def test_what_has_no_denominator_is_none() -> None:
    b12 = label_report(PAIRS).per_label["B(e1,e2)"]
    assert (b12.precision, b12.recall, b12.f1) == (None, 0.0, 0.0)
    only_answered = label_report([(OTHER, A12)]).per_label["A(e1,e2)"]
    assert (only_answered.precision, only_answered.recall) == (0.0, None)
    empty = label_report([])
    assert (empty.accuracy, empty.macro_f1, empty.micro.precision, empty.per_label) == (None, None, None, {})
    assert label_report([(OTHER, OTHER)]).macro_f1 is None


def test_against_counting_one_label_at_a_time() -> None:
    rng = random.Random(0)
    labels = [Label(name=n, direction=d) for n in "ABC" for d in ("(e1,e2)", "(e2,e1)")] + [OTHER]
    pairs: list[Pair] = [(rng.choice(labels), rng.choice([*labels, None])) for _ in range(400)]
    report = label_report(pairs)
    for label in labels:
        hits = sum(g == label and a == label for g, a in pairs)
        precision = hits / sum(a == label for _, a in pairs)
        recall = hits / sum(g == label for g, _ in pairs)
        score = report.per_label[label.text]
        assert (score.precision, score.recall) == (pytest.approx(precision), pytest.approx(recall))
        assert score.f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert sum(sum(row.values()) for row in report.confusion.values()) == 400
