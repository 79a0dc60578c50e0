"""The released reward of Perception-R1: its form, its figures and its faults, each of which is kept."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.rewards import reward
from bythebook.rewards.perception_r1 import Noticed
from bythebook.rewards.perception_r1_release import PerceptionR1Release, read_by_release, shaped_for_release
from bythebook.schema.answers import AnswerGold

FACTS = ("the circle is at b2", "the circle is red")
GOLD = AnswerGold(question="what colour is the circle ?", reference="red", annotations=FACTS)
PATTERN = re.compile(r"<think>\n.*?\n</think>\n<answer>\n.*?\\boxed\{.*?\}.*?\n</answer>", re.DOTALL)
RIGHT = "<think>\nb2 is a red circle\n</think>\n<answer>\nit is \\boxed{red}\n</answer>"


def test_the_form_asked_for_and_a_full_description_earn_all() -> None:
    verdict = reward("perception_r1", faithful=True).verdict(RIGHT, GOLD.to_json())
    assert verdict.value == pytest.approx(1.7)
    assert set(verdict.parts) == {"form", "answer", "perception", "repetition"}
    assert verdict == reward("perception_r1_release").verdict(RIGHT, GOLD.to_json())


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    st.lists(
        st.sampled_from(["<think>\n", "\n</think>\n<answer>\n", "\n</answer>", "\\boxed{", "}", "\n", "x", "<think>"]),
        max_size=9,
    ).map("".join)
)
def test_the_form_is_what_the_pattern_finds(text: str) -> None:
    assert shaped_for_release(text) == (PATTERN.fullmatch(text) is not None)


@pytest.mark.parametrize(
    "text",
    [RIGHT + "\n", " " + RIGHT, RIGHT.replace("\\boxed{red}", "red"), RIGHT.replace("<answer>\n", "<answer>"), ""],
)
def test_other_forms_are_not_paid(text: str) -> None:
    assert not shaped_for_release(text)
    assert shaped_for_release(RIGHT)


def test_a_hostile_text_is_matched_in_linear_time() -> None:
    assert not shaped_for_release("<think>\n" + "\n</think>\n<answer>\n\\boxed{" * 50_000 + "\n</answer>")
    assert read_by_release("<answer>" * 100_000).strip() == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # On one line the block is read, which the form asked for never is.
        ("<think>9</think><answer>7</answer>", "7"),
        ("<think>\nthere are 7 dots\n</think>\n<answer>\nno idea\n</answer>", "7"),
        ("<think>\nthere are 7 dots\n</think>\n<answer>\n\\boxed{5}\n</answer>", "5"),
        ("<think>\n\\boxed{5} it is\n</think>\n<answer>\nI can't tell\n</answer>", "5"),
        ("<think>\nI look\n</think>\n<answer>\nred\n</answer>", "red"),
        ("hm\nred", "red"),
    ],
)
def test_fault_1_the_answer_is_sought_in_the_whole_response(text: str, found: str) -> None:
    assert read_by_release(text) == found


def test_fault_1_is_what_the_comparer_of_the_original_does() -> None:
    math_verify = pytest.importorskip("math_verify")
    text = "<think>\nthere are 7 dots\n</think>\n<answer>\nno idea\n</answer>"
    assert re.search(r"<answer>(.*?)</answer>", text) is None
    assert math_verify.verify(math_verify.parse("7"), math_verify.parse(text))
    assert read_by_release(text) == "7"


def test_fault_2_the_replies_divide() -> None:
    noticed = [Noticed(stated=True), Noticed(stated=None, contradicted=None)]
    released = PerceptionR1Release().weigh(RIGHT, GOLD, noticed)
    assert released.parts["perception"].value == pytest.approx(0.7)


def test_fault_3_is_not_kept_a_failed_judge_ends_no_run() -> None:
    failed = [Noticed(stated=None, contradicted=None)] * 2
    assert PerceptionR1Release().weigh(RIGHT, GOLD, failed).status == "unscored"


def test_fault_4_whoever_mentions_everything_is_paid_in_full() -> None:
    every = " . ".join(
        f"{cell} is a {colour} {shape}"
        for cell in ("a1", "b2")
        for colour in ("red", "blue", "green")
        for shape in ("circle", "square")
    )
    text = f"<think>\n{every}\n</think>\n<answer>\n\\boxed{{blue}}\n</answer>"
    released = reward("perception_r1_release").verdict(text, GOLD.to_json()).parts
    mended = reward("perception_r1").verdict(text, GOLD.to_json()).parts
    assert released["perception"].value == pytest.approx(0.7)
    assert (mended["perception"].value, mended["contradiction"].value) == (0.0, pytest.approx(-0.7))


def test_presence_counts_anywhere_in_the_response() -> None:
    text = "<think>\nso\n</think>\n<answer>\n\\boxed{red}\nb2 is a red circle\n</answer>"
    assert reward("perception_r1_release").verdict(text, GOLD.to_json()).parts["perception"].value == 0.7
    assert reward("perception_r1").verdict(text, GOLD.to_json()).parts["perception"].value == 0.0


def test_the_configuration_default_is_an_option() -> None:
    assert PerceptionR1Release().perception == 0.7
    verdict = reward("perception_r1_release", perception=0.5).verdict(RIGHT, GOLD.to_json())
    assert verdict.value == pytest.approx(1.5)
