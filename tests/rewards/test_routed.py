"""Rewards of several domains in one batch: each completion goes to that of its own."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.rewards import TextReward, reward
from bythebook.rewards.routed import RoutedReward, pay_range, same_range
from bythebook.schema import Gold, Grammar
from bythebook.types import Label

GOLD = Gold(
    label=Label(name="R1", direction="(e1,e2)"), grammar=Grammar(relations=("R1", "R2"), no_relation="Other")
).to_json()
RIGHT, WRONG = "<think>why</think><answer>R1(e1,e2)</answer>", "<think>why</think><answer>R2(e1,e2)</answer>"
ROUTED = RoutedReward({"a": reward("r1_re", bad_format=0, wrong=1, right=3), "b": reward("med_rlvr", right=5)})


def test_each_domain_is_paid_by_its_own_reward() -> None:
    values = ROUTED(
        prompts=["p"] * 5,
        completions=[RIGHT, RIGHT, WRONG, "", ""],
        completion_ids=[[1]] * 5,
        gold=[GOLD] * 5,
        reward_of=["a", "b", "a", "b", "a"],
        trainer_state=object(),
        log_metric=print,
    )
    assert values == [3.0, 5.0, 1.0, -1.0, 0.0]


def test_a_reward_sees_the_rows_of_its_domain_with_their_columns() -> None:
    seen: dict[str, Any] = {}

    class Watching(TextReward):
        def __call__(self, *args: Any, **rows: Any) -> list[float | None]:
            seen.update(rows)
            return [float(len(text)) for text in rows["completions"]]

    state = object()
    routed = RoutedReward({"a": Watching("a", reward("r1_re").judge), "b": reward("r1_re")})
    values = routed(
        ["p", "q", "r"],
        ["1", "22", "333"],
        [GOLD] * 3,
        ["stop", "length", "stop"],
        reward_of=["a", "b", "a"],
        example_id=["x", "y", "z"],
        trainer_state=state,
    )
    assert values == [1.0, -3.0, 3.0]
    assert (seen["prompts"], seen["completions"], seen["example_id"]) == (["p", "r"], ["1", "333"], ["x", "z"])
    assert seen["finish_reason"] == ["stop", "stop"]
    assert seen["trainer_state"] is state


def test_the_order_of_a_batch_decides_nothing() -> None:
    rows = [(text, name) for text in (RIGHT, WRONG, "", "<think>") for name in ("a", "b")] * 3
    alone = [ROUTED(["p"], [text], [GOLD], reward_of=[name])[0] for text, name in rows]
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    names = [rows[i][1] for i in order]
    assert ROUTED(["p"] * len(rows), [rows[i][0] for i in order], [GOLD] * len(rows), reward_of=names) == [
        alone[i] for i in order
    ]


def test_what_was_not_scored_stays_so() -> None:
    assert ROUTED(["p"] * 2, [RIGHT] * 2, [GOLD, None], ["error", "stop"], reward_of=["a", "b"]) == [None, None]


@pytest.mark.parametrize("names", [None, ["a"], ["a", "b", "a"]])
def test_a_batch_without_a_domain_for_each_row_is_an_error(names: list[str] | None) -> None:
    with pytest.raises(DataError, match="domains in `reward_of`"):
        ROUTED(["p"] * 2, [RIGHT] * 2, [GOLD] * 2, reward_of=names)


def test_a_domain_without_a_reward_is_named() -> None:
    with pytest.raises(DataError, match=r"no reward for the domain 'c' \(there are: a, b\)"):
        ROUTED(["p"], [RIGHT], [GOLD], reward_of=["c"])


def test_the_range_of_a_reward_is_what_its_fields_say() -> None:
    assert pay_range(reward("r1_re")) == (-3.0, 3.0)
    assert pay_range(reward("r1_re", bad_format=0, wrong=1, right=3)) == (0.0, 3.0)
    assert pay_range(reward("free_answer", wrong=-2, right=2)) == (-2.0, 2.0)
    assert pay_range(reward("r2grpo")) is None


@pytest.mark.parametrize(
    ("rewards", "same"),
    [
        ([reward("r1_re"), reward("r1_re")], True),
        ([reward("r1_re"), reward("med_rlvr")], False),
        ([reward("r1_re"), reward("med_rlvr", bad_format=-3, right=3)], True),
        ([reward("r1_re"), reward("r2grpo")], False),
        ([reward("r2grpo"), reward("r2grpo")], True),
    ],
)
def test_ranges_are_the_same_where_that_is_known(rewards: list[TextReward], same: bool) -> None:
    assert same_range(rewards) is same
