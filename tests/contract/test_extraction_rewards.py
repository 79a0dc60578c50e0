"""What holds for every reward on extractions."""

from __future__ import annotations

import pickle

import pytest

from bythebook.errors import DataError
from bythebook.rewards import TextReward, reward, rewards_for
from bythebook.schema import Gold, Grammar
from bythebook.studies.attack.attempts import honest, say, wrong
from bythebook.studies.attack.items import ITEMS, Item
from bythebook.types import FinishReason, Label, Verdict

GARBAGE = (
    "",
    " ",
    "\x00",
    "\ud800",
    "<think>",
    "<think>so",
    "</answer><answer>",
    "{" * 999,
    "<answer>{</answer>",
    "[]",
)
READS_GOLD = {"r2grpo", "r2grpo_release", "r1_re_triplets"}
LEAST = {"r2grpo": 0.0, "r2grpo_release": 0.0, "r1_re_triplets": -3.0, "format_only": -3.0, "random": -0.5}


@pytest.fixture(params=sorted(rewards_for("extraction")))
def judge(request: pytest.FixtureRequest) -> TextReward:
    return reward(request.param)


@pytest.fixture(params=ITEMS, ids=lambda item: item.name)
def item(request: pytest.FixtureRequest) -> Item:
    found: Item = request.param
    return found


def test_which_rewards_read_the_gold_is_stated_here() -> None:
    assert set(rewards_for("extraction")) == READS_GOLD | {"format_only", "random"}
    assert set(LEAST) == set(rewards_for("extraction"))


def test_the_gold_answer_is_right_and_earns_more_than_a_wrong_one(judge: TextReward, item: Item) -> None:
    right = judge.verdict(honest(item, True, True), item.gold_json)
    mistaken = judge.verdict(wrong(item), item.gold_json)
    assert right.value is not None
    assert mistaken.value is not None
    if judge.name in READS_GOLD:
        assert (right.correct, mistaken.correct) == (True, False)
        # The release pays for form alone where the sub-task is another than its own.
        assert right.value > mistaken.value or (judge.name, right.value) == ("r2grpo_release", 0.5)


@pytest.mark.parametrize("reason", ["stop", "length", "error"])
def test_garbage_has_a_verdict(judge: TextReward, item: Item, reason: FinishReason) -> None:
    whole = honest(item, True, True)
    for text in (*GARBAGE, *(whole[:end] for end in range(0, len(whole), 7))):
        verdict = judge.verdict(text, item.gold_json, reason)
        assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
        if reason == "error" and judge.name != "random":
            assert verdict == Verdict(value=None, status="unscored", errors=verdict.errors)
        else:
            assert verdict.value is not None
            assert verdict.value >= LEAST[judge.name]


def test_parts_add_up_to_the_value(judge: TextReward, item: Item) -> None:
    said = [honest(item, e, r) for e in (True, False) for r in (True, False)]
    for text in (*GARBAGE, *said, say(item, (), ()), say(item, item.entities[:1], item.relations[:1])):
        verdict = judge.verdict(text, item.gold_json)
        assert verdict.parts
        assert sum(part.value for part in verdict.parts.values()) == pytest.approx(verdict.value)


def test_two_runs_and_a_pickled_copy_are_equal(judge: TextReward, item: Item) -> None:
    texts = [*GARBAGE, honest(item, True, True), wrong(item), say(item, (), ())]
    golds = [item.gold_json] * len(texts)
    copy = pickle.loads(pickle.dumps(judge))  # noqa: S301 - bytes made on this line
    first = judge([""] * len(texts), texts, golds)
    assert first == reward(judge.name)([""] * len(texts), texts, golds) == copy([""] * len(texts), texts, golds)


def test_without_gold_nothing_is_scored(judge: TextReward, item: Item) -> None:
    assert judge.verdict(wrong(item), None) == Verdict(value=None, status="unscored")
    if judge.name in READS_GOLD:
        assert judge([""] * 2, [wrong(item)] * 2, [None, item.gold_json])[0] is None


def test_a_gold_of_the_other_form_is_refused_by_its_name(judge: TextReward, item: Item) -> None:
    label = Gold(label=Label(name="R1", direction="(e1,e2)"), grammar=Grammar(relations=("R1",))).to_json()
    if judge.name in READS_GOLD:
        with pytest.raises(DataError, match=rf"{judge.name} judges by a gold extraction, not by a gold label"):
            judge.verdict("x", label)
    else:
        assert judge.verdict("x", label).value is not None
    with pytest.raises(DataError, match="r1_re judges by a gold label, not by a gold extraction"):
        reward("r1_re").verdict("x", item.gold_json)
    with pytest.raises(DataError, match="parsed"):
        judge.parsed("x", item.gold_json)
