"""No trick on a label earns more than an honest wrong answer, by any reward that reads the gold."""

from __future__ import annotations

import pytest

from bythebook.rewards import TextReward, reward
from bythebook.schema import Gold
from bythebook.studies.attack.label_tricks import TARGETS, TRICKS, Trick, many_tags, played, say

REWARDS = {
    "r1_re": reward("r1_re"),
    "r1_re, scale of the ablation": reward("r1_re", wrong=-1.0),
    "r1_re, unparseable -1": reward("r1_re", unparseable=-1.0),
    "r1_re_anchored": reward("r1_re_anchored"),
    "r1_re_anchored, unparseable -1": reward("r1_re_anchored", unparseable=-1.0),
}


@pytest.mark.parametrize("name", REWARDS)
@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_trick_earns_no_more_than_an_honest_wrong_answer(trick: Trick, name: str) -> None:
    judge, tried, overpaid = REWARDS[name], 0, []
    for target in TARGETS:
        gold = Gold(label=target.gold, grammar=target.grammar).to_json()
        honest = judge.verdict(say(target.wrong), gold).value
        assert honest is not None
        assert honest <= -0.5
        for completion in trick(target):
            tried += 1
            verdict = judge.verdict(completion, gold)
            if verdict.value is None or verdict.value > honest or verdict.correct:
                overpaid.append((completion[:200], verdict.value))
    assert tried >= len(TARGETS)
    assert overpaid == []
    outcome = played(trick, judge)
    assert (outcome.tried, outcome.overpaid) == (tried, False)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_trick_earns_no_more_where_the_prompt_opened_the_thinking(trick: Trick) -> None:
    judge = TextReward("r1_re", reward("r1_re").judge, prefilled=True)
    for target in TARGETS:
        gold = Gold(label=target.gold, grammar=target.grammar).to_json()
        for completion in trick(target):
            value = judge.verdict(completion, gold).value
            assert value is not None
            assert value <= -0.5, completion[:200]


@pytest.mark.parametrize("name", REWARDS)
def test_the_right_answer_is_paid_where_the_tricks_fail(name: str) -> None:
    for target in TARGETS:
        verdict = REWARDS[name].verdict(say(target.right), Gold(label=target.gold, grammar=target.grammar).to_json())
        assert (verdict.value, verdict.status) == (3.0, "ok")


@pytest.mark.parametrize("name", REWARDS)
def test_a_hundred_thousand_tags_earn_nothing(name: str) -> None:
    target = TARGETS[0]
    gold = Gold(label=target.gold, grammar=target.grammar).to_json()
    assert [REWARDS[name].verdict(text, gold).value for text in many_tags(target, 100_000)] == [-3.0] * 5


def test_a_reward_that_never_looks_at_the_gold_is_overpaid() -> None:
    coin = [played(trick, reward("random")) for trick in TRICKS]
    assert sum(o.overpaid for o in coin) > len(TRICKS) / 2
