"""Perception-R1's reward, mended: its parts, its figures, and what each known fault of the original is worth here."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bythebook.errors import DataError
from bythebook.rewards import reward
from bythebook.rewards.answers import answer_of
from bythebook.rewards.perception_r1 import Noticed, PerceptionR1, noticed_by_rule
from bythebook.schema import read_gold
from bythebook.schema.answers import AnswerGold
from bythebook.types import Verdict

FACTS = ("the circle is at b2", "the circle is red", "the square is at a1", "the circle is below the square")
GOLD = AnswerGold(question="what colour is the circle ?", reference="red", annotations=FACTS)
ALL = "b2 is a red circle . a1 is a blue square . the circle is below the square"
PARTS = ("form", "answer", "perception", "contradiction", "repetition")


def said(thinking: str, answer: str = "red") -> str:
    return f"<think>{thinking}</think><answer>{answer}</answer>"


def parts(text: str, **options: object) -> dict[str, float]:
    verdict = reward("perception_r1", **options).verdict(text, GOLD.to_json())
    return {name: round(part.value, 6) for name, part in verdict.parts.items()}


def test_a_right_answer_after_a_full_description_earns_all() -> None:
    verdict = reward("perception_r1").verdict(said(ALL), GOLD.to_json())
    assert verdict.value == pytest.approx(0.1 + 0.9 + 0.7)
    assert (verdict.status, tuple(verdict.parts)) == ("ok", PARTS)
    assert verdict.parts["perception"].reason == "4 of 4 facts"


@pytest.mark.parametrize(
    ("thinking", "answer", "expected", "status"),
    [
        (ALL, "blue", (0.1, 0.0, 0.7, 0.0, 0.0), "wrong"),
        ("I look", "red", (0.1, 0.9, 0.0, 0.0, 0.0), "ok"),
        ("b2 is a circle", "red", (0.1, 0.9, 0.175, 0.0, 0.0), "ok"),
        ("b2 is a blue circle", "blue", (0.1, 0.0, 0.175, -0.175, 0.0), "wrong"),
        ("the square is below the circle", "red", (0.1, 0.9, 0.0, -0.175, 0.0), "ok"),
    ],
)
def test_parts_of_a_completion(thinking: str, answer: str, expected: tuple[float, ...], status: str) -> None:
    assert tuple(parts(said(thinking, answer)).values()) == expected
    assert reward("perception_r1").verdict(said(thinking, answer), GOLD.to_json()).status == status


def test_weights_are_those_of_the_script_and_not_of_the_configuration() -> None:
    ours = PerceptionR1()
    assert (ours.form, ours.answer, ours.perception, ours.repetition, ours.window) == (0.1, 0.9, 0.7, 2.0, 20)
    assert parts(said(ALL), perception=0.5)["perception"] == 0.5
    with pytest.raises(ValidationError):
        PerceptionR1(contradiction=-1.0)


@pytest.mark.parametrize(
    "text",
    [
        f"{ALL}\nred",
        f"<think>{ALL}</think> red",
        f"so <think>{ALL}</think><answer>red</answer>",
        f"<think>{ALL}</think><answer>red</answer><answer>red</answer>",
        f"<think>{ALL}<answer>red</answer>",
    ],
)
def test_another_form_is_not_paid_for(text: str) -> None:
    assert parts(text)["form"] == 0.0


def test_repetition_is_punished_as_published_and_can_be_left_out() -> None:
    again = said("a b c d e " * 40)
    assert parts(again)["repetition"] == pytest.approx(-2 * (1 - 7 / 181), abs=2e-2)
    assert parts("x " * 25)["repetition"] == pytest.approx(-1.6667, abs=5e-5)
    assert parts("a b c d e " * 40)["repetition"] == pytest.approx(-1.9448, abs=5e-5)
    assert parts(" ".join(map(str, range(200))))["repetition"] == 0.0
    assert parts("x " * 25, repetition=0.0)["repetition"] == 0.0


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("\nred\n", "ok"),
        ("\n\\boxed{red}\n", "ok"),
        ("\nThe colour is \\boxed{red}, as seen.\nThat is all.\n", "ok"),
        ("\n\\boxed{blue}\nred\n", "wrong"),
        ("\nno idea\n", "wrong"),
        ("", "no_answer"),
    ],
)
def test_an_answer_of_several_lines_is_read(answer: str, status: str) -> None:
    text = f"<think>\nred, red, \\boxed{{red}}\n</think>\n<answer>{answer}</answer>"
    assert reward("perception_r1").verdict(text, GOLD.to_json()).status == status


def test_a_number_in_the_thinking_is_no_answer() -> None:
    gold = AnswerGold(question="how many ?", reference="7").to_json()
    text = "<think>\nI count 7\n</think>\n<answer>\nno idea\n</answer>"
    assert reward("perception_r1").verdict(text, gold).status == "wrong"
    assert reward("perception_r1_release").verdict(text, gold).status == "ok"


def test_the_number_asked_about_divides_whatever_the_judge_replied() -> None:
    noticed = [Noticed(stated=True), *[Noticed(stated=None, contradicted=None)] * 3]
    part = PerceptionR1().weigh(said(ALL), GOLD, noticed).parts["perception"]
    assert part.value == pytest.approx(0.7 / 4)
    assert part.reason == "1 of 4 facts, 3 not judged"


def test_a_judge_that_failed_leaves_the_completion_unscored() -> None:
    failed = [Noticed(stated=None, contradicted=None)] * 4
    verdict = PerceptionR1().weigh(said(ALL), GOLD, failed)
    assert (verdict.value, verdict.status, verdict.errors) == (None, "unscored", ("judge_failed",))
    with pytest.raises(ValueError, match="3 judgements of 4"):
        PerceptionR1().weigh(said(ALL), GOLD, failed[:3])


def test_without_annotations_nothing_is_paid_for_perception() -> None:
    gold = AnswerGold(question="q", reference="red").to_json()
    verdict = reward("perception_r1").verdict(said(ALL), gold)
    assert verdict.value == pytest.approx(1.0)
    assert verdict.parts["perception"].reason == "no annotations"


def test_what_is_described_is_what_stands_in_the_thinking() -> None:
    assert parts(said("so", f"{ALL}\nred"))["perception"] == 0.0
    assert parts(f"<think>{ALL}")["perception"] == 0.0
    prefilled = reward("perception_r1", prefilled=True)
    verdict = prefilled.verdict(said(ALL).removeprefix("<think>"), GOLD.to_json())
    assert verdict.value == pytest.approx(1.7)


def test_a_fact_that_is_none_is_not_judged() -> None:
    found = noticed_by_rule("b2 is red", ["b2 is red", "all is well"])
    assert [one.stated for one in found] == [True, None]


def test_failures_and_other_golds() -> None:
    judge = reward("perception_r1")
    assert judge.verdict(said(ALL), GOLD.to_json(), "error").value is None
    assert judge.verdict(said(ALL), None) == Verdict(value=None, status="unscored")
    assert judge.verdict("<think>b2 is", GOLD.to_json(), "length").status == "truncated"
    with pytest.raises(DataError, match="judges by a gold answer"):
        judge.verdict("x", '{"label": {"name": "R1", "direction": "(e1,e2)"}, "grammar": {"relations": ["R1"]}}')


def test_an_evaluation_records_what_the_reward_pays() -> None:
    answer = answer_of(reward("perception_r1"), said(ALL), GOLD)
    assert (answer.text, answer.correct, answer.well_formed) == ("red", True, True)
    assert answer.verdict.value == pytest.approx(1.7)
    assert answer_of(reward("free_answer"), said(ALL), GOLD).verdict.value == 1.0


def test_annotations_travel_in_the_gold_column() -> None:
    assert read_gold(GOLD.to_json()) == GOLD
    plain = AnswerGold(question="q", reference="r")
    assert "annotations" not in plain.to_json()


PIECES = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "b2 is a red circle",
    " . ",
    "\\boxed{",
    "}",
    "red",
    "\n",
    "x ",
]


@pytest.mark.parametrize("name", ["perception_r1", "perception_r1_release"])
@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=14).map("".join))
def test_any_text_has_a_verdict_whose_parts_add_up(name: str, text: str) -> None:
    verdict = reward(name).verdict(text, GOLD.to_json())
    assert verdict.value is not None
    assert math.isfinite(verdict.value)
    assert -2.7 <= verdict.value <= 1.7 + 1e-9
    assert sum(part.value for part in verdict.parts.values()) == pytest.approx(verdict.value)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert reward(name)([""], [text], [GOLD.to_json()]) == [verdict.value]
