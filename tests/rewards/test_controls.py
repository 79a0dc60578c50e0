"""The control rewards: blind to what they must not see."""

from __future__ import annotations

import itertools
import pickle

import pytest

from bythebook.rewards import reward
from bythebook.schema import Gold, Grammar
from bythebook.types import Label

GRAMMAR = Grammar(relations=("R1", "R2"), no_relation="Other")
GOLDS = [Gold(label=label, grammar=GRAMMAR).to_json() for label in GRAMMAR.labels]
GOLD = Gold(label=Label(name="R1", direction="(e1,e2)"), grammar=GRAMMAR).to_json()


def answer(written: str) -> str:
    return f"<think>why</think><answer>{written}</answer>"


def test_format_only_pays_any_answer_of_good_form_the_same() -> None:
    judge = reward("format_only")
    for gold in GOLDS:
        verdicts = [judge.verdict(answer(w), gold) for w in ("R1(e1,e2)", "R2(e2,e1)", "Other", "R9(e1,e2)")]
        assert {v.value for v in verdicts} == {3.0}
        assert not any(v.correct for v in verdicts)


@pytest.mark.parametrize(
    ("text", "reason", "status"),
    [("", "stop", "no_answer"), (answer("R1"), "stop", "malformed"), ("<think>", "length", "truncated")],
)
def test_format_only_names_what_is_wrong_with_the_form(text: str, reason: str, status: str) -> None:
    verdict = reward("format_only").verdict(text, GOLD, reason)  # type: ignore[arg-type]
    assert (verdict.value, verdict.status, verdict.parts["format"].gate) == (-3.0, status, True)


def test_format_only_anchored_refuses_text_outside() -> None:
    assert reward("format_only").verdict("So: " + answer("Other"), GOLD).value == 3.0
    assert reward("format_only", anchored=True).verdict("So: " + answer("Other"), GOLD).value == -3.0


def draws(seed: int, count: int = 64, completion: str = "x", gold: str = GOLD) -> list[float | None]:
    judge = reward("random", seed=seed)
    return judge(prompts=[""] * count, completions=[completion] * count, gold=[gold] * count)


def test_random_ignores_completion_and_gold() -> None:
    assert draws(1) == draws(1, completion=answer("R1(e1,e2)")) == draws(1, gold=GOLDS[-1])


def test_random_is_repeatable_and_differs_between_seeds_and_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    first = draws(1)
    assert first == draws(1)
    assert first != draws(2)
    monkeypatch.setenv("RANK", "1")
    assert first != draws(1)


def test_random_pays_half_of_the_rollouts_and_rollouts_are_independent() -> None:
    values = draws(3, count=8_000)
    assert set(values) == {3.0, -0.5}
    # Four standard errors of a fair coin: 4 · sqrt(.25 / 8000) = .022.
    assert abs(values.count(3.0) / 8_000 - 0.5) < 0.023
    equal_neighbours = sum(a == b for a, b in itertools.pairwise(values))
    assert abs(equal_neighbours / 7_999 - 0.5) < 0.023


def test_random_pays_with_the_probability_asked_for() -> None:
    judge = reward("random", p=0.1)
    values = [judge.verdict("x", GOLD).value for _ in range(4_000)]
    assert abs(values.count(3.0) / 4_000 - 0.1) < 0.019  # four standard errors


def test_a_pickled_random_reward_goes_on_where_it_stood() -> None:
    judge = reward("random", seed=5)
    whole = draws(5, count=40)
    assert [judge.verdict("", GOLD).value for _ in range(15)] == whole[:15]
    copy = pickle.loads(pickle.dumps(judge))  # noqa: S301 - bytes made one line above
    assert [copy.verdict("", GOLD).value for _ in range(25)] == whole[15:]
