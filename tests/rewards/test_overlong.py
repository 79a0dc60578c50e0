"""A reward less the penalty for long completions, as an RL engine calls it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from bythebook.errors import DataError
from bythebook.rewards import reward
from bythebook.rewards.overlong import Overlong, Penalised
from bythebook.schema import Gold, Grammar
from bythebook.types import Label

LONG = Overlong(limit=10, buffer=4, factor=0.5)
GOLD = Gold(
    label=Label(name="R1", direction="(e1,e2)"), grammar=Grammar(relations=("R1", "R2"), no_relation="Other")
).to_json()
RIGHT = "<think>by the rule</think><answer>R1(e1,e2)</answer>"


def paid(lengths: list[int] | None, gold: str | None = GOLD, **columns: Any) -> list[float | None]:
    number = 1 if lengths is None else len(lengths)
    ids = {} if lengths is None else {"completion_ids": [[7] * n for n in lengths]}
    given = {"prompts": ["p"] * number, "completions": [RIGHT] * number, "gold": [gold] * number}
    return Penalised(reward("format_only"), LONG)(**given, **ids, **columns)


def test_what_is_earned_is_paid_less_the_penalty() -> None:
    # 0 up to L − b = 6; then a quarter of the factor with every token.
    assert paid([0, 6, 7, 8, 10, 12]) == [3.0, 3.0, 2.875, 2.75, 2.5, 2.25]


def test_what_was_earned_is_found_again() -> None:
    wrapped = Penalised(reward("format_only"), LONG)
    values = [value for value in paid([0, 6, 7, 9, 50]) if value is not None]
    assert [wrapped.earned(v, n) for v, n in zip(values, (0, 6, 7, 9, 50), strict=True)] == [3.0] * 5


def test_the_share_that_pays_is_logged() -> None:
    said: dict[str, float] = {}
    paid([0, 6, 7, 8], log_metric=said.__setitem__)
    assert said == {"overlong/share": 0.5}


def test_what_could_not_be_scored_costs_nothing() -> None:
    assert paid([50], gold=None) == [None]


def test_without_the_tokens_it_is_said() -> None:
    with pytest.raises(DataError, match="no completion_ids beside 1 rewards"):
        paid(None)
    with pytest.raises(DataError, match="1 completion_ids beside 2 rewards"):
        Penalised(reward("format_only"), LONG)(
            prompts=["p"] * 2, completions=[RIGHT] * 2, gold=[GOLD] * 2, completion_ids=[[7]]
        )


def test_it_is_called_and_kept_like_its_reward() -> None:
    inner = reward("format_only")
    wrapped = pickle.loads(pickle.dumps(Penalised(inner, LONG)))  # noqa: S301 - bytes made on this line
    assert wrapped.__name__ == inner.__name__
    assert wrapped.judge == inner.judge
    assert wrapped.overlong == LONG
