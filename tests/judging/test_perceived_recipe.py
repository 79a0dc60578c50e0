"""`reward.name: perceived`: programs and models as judges of descriptions, and what corrupted ones pay for."""

from __future__ import annotations

from typing import Any

import pytest

from bythebook.errors import RecipeError
from bythebook.judging import perceived_recipe
from bythebook.judging.perceived_recipe import PERCEIVED, perceived_reward
from bythebook.judging.perception import CONTRARY, STATED
from bythebook.judging.stand_ins import ASSURANCE, STAND_INS
from bythebook.rewards import reward
from bythebook.rewards.judgements import Case
from bythebook.rewards.perception_r1 import PerceptionR1
from bythebook.schema.answers import AnswerGold

GOLD = AnswerGold(
    question="what colour is the circle ?", reference="red", annotations=("the circle is at b2", "the circle is red")
).to_json()
TEXTS = {
    "seen": "<think>b2 is a red circle</think><answer>red</answer>",
    "wrong": "<think>b2 is a blue circle</think><answer>red</answer>",
    "all": "<think>the circle is at b1 b2 b3 . the circle is red blue</think><answer>red</answer>",
    "boast": f"<think>all is seen {ASSURANCE}</think><answer>red</answer>",
    "empty": "<think></think><answer>red</answer>",
}


def perception(judge: str, **options: Any) -> dict[str, float]:
    """What the perception parts of each text come to."""
    made = perceived_reward({"judge": judge, **options})
    found = made.verdicts(list(TEXTS.values()), [GOLD] * len(TEXTS))
    return {
        name: round(v.parts["perception"].value + v.parts["contradiction"].value, 3)
        for name, v in zip(TEXTS, found, strict=True)
    }


def test_the_rule_as_a_judge_pays_what_the_rule_alone_pays() -> None:
    golds, texts = [GOLD] * len(TEXTS), list(TEXTS.values())
    made = perceived_reward({"judge": "rule", "window": 8, "perception": 0.5})
    assert made([""] * 5, texts, golds) == reward("perception_r1", window=8, perception=0.5)([""] * 5, texts, golds)
    assert made.__name__ == made.name == PERCEIVED


def test_presence_alone_pays_for_mentioning_everything_and_the_contradiction_term_does_not() -> None:
    assert perception("rule", contradiction=0.0)["all"] == 0.7
    assert perception("rule")["all"] == -0.7
    assert perception("rule")["seen"] == perception("rule", contradiction=0.0)["seen"] == 0.7


def test_a_judge_that_says_yes_pays_for_anything_unless_it_is_asked_about_the_contrary() -> None:
    assert perception("yes", contradiction=0.0) == {**dict.fromkeys(TEXTS, 0.7), "empty": 0.0}
    assert perception("yes") == {**dict.fromkeys(TEXTS, -0.7), "empty": 0.0}


def test_a_judge_that_a_word_takes_in_pays_for_the_word() -> None:
    found = perception("word", contradiction=0.0)
    assert found["boast"] == 0.7
    assert {name: value for name, value in found.items() if name != "boast"} == {
        name: value for name, value in perception("rule", contradiction=0.0).items() if name != "boast"
    }
    assert perception("rule", contradiction=0.0)["boast"] == 0.0


def test_the_rule_has_no_verdict_on_what_is_no_fact_and_on_other_questions() -> None:
    cases = [
        Case(question=question, reference=fact, answer="b2 is red")
        for question, fact in ((STATED, "hello"), ("Is it nice?", "b2 is red"), (CONTRARY, "b2 is blue"))
    ]
    found = STAND_INS["rule"](cases)
    assert [one.case for one in found] == cases
    assert [one.verdict for one in found] == [None, None, True]
    assert [one.failure for one in found] == ["neither", "neither", None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"judge": "best"}, "is no program"),
        ({"judge": ["rule"]}, "is no program"),
        ({"judge": "rule", "model": "m"}, "stands beside options of a model"),
        ({"judge": "rule", "gamma": 1}, "no option gamma"),
        ({"judge": "rule", "rule": "exact"}, "no option rule"),
        ({"judge": "rule", "window": 0}, "window"),
        ({}, "either a model or a rule"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        perceived_reward(options)


def test_a_model_is_asked_by_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(perceived_recipe, "perception_judge", lambda options: asked.append(options) or STAND_INS["yes"])
    made = perceived_reward({"model": "somewhere", "attempts": 2, "perception": 0.4}, prefilled=True)
    assert asked == [{"model": "somewhere", "attempts": 2}]
    assert made.prefilled
    assert made.reward == PerceptionR1(perception=0.4)
