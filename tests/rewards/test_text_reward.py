"""Rewards on texts: the call an RL engine makes, and rewards by name."""

from __future__ import annotations

from typing import Any

import pytest

from bythebook.errors import DataError, ModelError, RecipeError
from bythebook.rewards import R1RE, REWARDS, completion_text, reward
from bythebook.schema import Gold, Grammar
from bythebook.types import Label

GRAMMAR = Grammar(relations=("R1", "R2"), no_relation="Other")
GOLD = Gold(label=Label(name="R1", direction="(e1,e2)"), grammar=GRAMMAR).to_json()
OTHER = Gold(label=Label(name="Other"), grammar=GRAMMAR).to_json()
RIGHT = "<think>why</think><answer>R1(e1,e2)</answer>"


def test_called_as_trl_calls_it() -> None:
    judge = reward("r1_re")
    values = judge(
        prompts=["p"] * 4,
        completions=[RIGHT, RIGHT, "", RIGHT],
        completion_ids=[[1], [2], [3], [4]],
        gold=[GOLD, OTHER, GOLD, None],
        trainer_state=object(),
        log_metric=print,
    )
    assert values == [3.0, -0.5, -3.0, None]
    assert judge.__name__ == "r1_re"


def test_completions_may_be_chat_messages() -> None:
    chat = [{"role": "assistant", "content": RIGHT}]
    parts = [
        {"role": "assistant", "content": [{"type": "text", "text": RIGHT[:9]}, {"type": "text", "text": RIGHT[9:]}]}
    ]
    empty: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    assert reward("r1_re")(["p"] * 3, [chat, parts, empty], [GOLD] * 3) == [3.0, 3.0, -3.0]


def test_a_response_parser_that_hides_the_thinking_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ModelError, match="response_template"):
        completion_text([{"role": "assistant", "content": "<answer>R1(e1,e2)</answer>", "reasoning_content": "why"}])


def test_finish_reasons_are_used_where_given() -> None:
    judge = reward("r1_re")
    assert judge(["p"] * 2, [RIGHT, RIGHT], [GOLD, GOLD], finish_reason=["error", None]) == [None, 3.0]
    assert judge.verdict("<think>", GOLD, "length").status == "truncated"


def test_columns_of_different_length_are_an_error() -> None:
    with pytest.raises(DataError, match="2 completions, 1 golds, 2 finish reasons"):
        reward("r1_re")(["p"] * 2, [RIGHT, RIGHT], [GOLD])


@pytest.mark.parametrize("gold", ["", "R1(e1,e2)", "{}", '{"label": {"name": "R1"}}'])
def test_a_gold_column_of_something_else_is_an_error_with_a_remedy(gold: str) -> None:
    with pytest.raises(DataError, match="to_json"):
        reward("r1_re").verdict(RIGHT, gold)


def test_a_prefilled_prompt_is_taken_into_account() -> None:
    rest = RIGHT.removeprefix("<think>")
    assert reward("r1_re", prefilled=True).verdict(rest, GOLD).value == 3.0
    assert reward("r1_re").verdict(rest, GOLD).value == -3.0
    assert reward("r1_re", prefilled=True).parsed(rest, GOLD).thinking == "why"


def test_options_reach_the_reward() -> None:
    assert reward("r1_re", wrong=-1.0).judge == R1RE(wrong=-1.0)
    assert reward("r1_re_anchored").verdict("So: " + RIGHT, GOLD).value == -3.0
    assert reward("r1_re_anchored", anchored=False).verdict("So: " + RIGHT, GOLD).value == 3.0


def test_an_unknown_name_lists_what_exists() -> None:
    with pytest.raises(RecipeError) as caught:
        reward("r1re")
    assert all(name in str(caught.value) for name in REWARDS)


@pytest.mark.parametrize("name", REWARDS)
def test_an_unknown_option_lists_what_exists(name: str) -> None:
    with pytest.raises(RecipeError) as caught:
        reward(name, scale=2)
    assert "scale" in str(caught.value)
    assert "prefilled" in str(caught.value)
    assert all(field in str(caught.value) for field in REWARDS[name].model_fields)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("r1_re", {"right": -9.0}),
        ("r1_re", {"right": "much"}),
        ("random", {"p": 2.0}),
        ("format_only", {"good_format": -4}),
    ],
)
def test_an_option_out_of_range_is_a_recipe_error(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=name):
        reward(name, **options)
