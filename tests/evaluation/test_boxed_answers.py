r"""An answer in `\boxed{…}` inside the answer block: evaluation, monitoring and reward read the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bythebook.evaluation.judged import judged
from bythebook.parsing.free_answer import read_free_answer
from bythebook.rewards import reward
from bythebook.rewards.answers import Monitor
from bythebook.rewards.perception_r1 import PerceptionR1
from bythebook.schema.answers import AnswerGold
from bythebook.tasks import task_named
from bythebook.types import Completion

GOLD = AnswerGold(question="what colour is the circle ?", reference="red", annotations=("the circle is red",))
MANDATED = "<think>\nb2 is a red circle\n</think>\n<answer>\n\\boxed{%s}\n</answer>"
"""The form that Perception-R1 asks for."""
_PIECES = ("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "}", "red", "blue", "\n", " ")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (MANDATED % "red", "red"),
        ("<answer>so it is \\boxed{red}, as seen.\nThat is all.</answer>", "red"),
        ("<answer>\\boxed{blue} or \\boxed{red}</answer>", "red"),
        ("<answer>\\boxed{}</answer>", ""),
        ("<answer>\\boxed{red</answer>", "\\boxed{red"),
        ("<think>\\boxed{red}</think><answer>blue</answer>", "blue"),
        # Outside an answer block it is a text like others: judges see the last line as it is.
        ("Therefore, the answer is \\boxed{red}", "Therefore, the answer is \\boxed{red}"),
    ],
)
def test_what_is_read(text: str, answer: str) -> None:
    assert read_free_answer(text).text == answer


@pytest.mark.parametrize(("said", "right"), [("red", True), ("blue", False)])
def test_a_record_has_it_as_the_reward_pays_it(said: str, right: bool) -> None:
    (example,) = task_named("world_scenes").read(None, id=1, kinds=["colour"])["id"]
    reference = str(example.reference)
    text = MANDATED % (reference if right else f"not {reference}")
    judge = reward("free_answer")
    record = judged(
        example, example.guideline, 0, Completion(text=text, finish_reason="stop", tokens=9), judge, keep_text=True
    )
    assert record.correct is right
    assert (record.answer == reference) is right
    monitored = Monitor()(MANDATED % said, GOLD)
    assert monitored.correct is right
    assert (PerceptionR1().judge(MANDATED % said, GOLD).status == "ok") is right


@given(st.lists(st.sampled_from(_PIECES), max_size=24).map("".join))
def test_reward_and_evaluation_never_disagree(text: str) -> None:
    paid = PerceptionR1().judge(text, GOLD)
    assert (paid.status == "ok") == Monitor()(text, GOLD).correct
    assert (paid.parts["answer"].value > 0) == (paid.status == "ok")
