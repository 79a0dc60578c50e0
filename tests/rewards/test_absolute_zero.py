"""Absolute Zero's rewards: the table, every rate of eight rollouts, and where the proposer's best task lies."""

from __future__ import annotations

import math
import random

import pytest
from pydantic import ValidationError

from bythebook.rewards.absolute_zero import PAPER, RELEASE, ProposerReward, SolverReward, learnability
from bythebook.types import Verdict

RATES = [k / 8 for k in range(9)]
BETWEEN = [7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]


def paid(reward: ProposerReward, rate: float | None) -> Verdict:
    return reward.judge(well_formed=True, valid=True, rate=rate)


@pytest.mark.parametrize(("reward", "ends"), [(PAPER, 0.0), (RELEASE, -0.5)])
def test_all_nine_rates_of_eight_rollouts(reward: ProposerReward, ends: float) -> None:
    verdicts = [paid(reward, rate) for rate in RATES]
    assert [v.value for v in verdicts] == [ends, *BETWEEN, ends]
    assert [v.status for v in verdicts] == ["wrong", *["ok"] * 7, "wrong"]
    assert all(v.parts["learnability"].value == v.value for v in verdicts)


@pytest.mark.parametrize("reward", [PAPER, RELEASE])
@pytest.mark.parametrize("rate", [None, 0.0, 0.5, 1.0])
def test_what_is_no_task_costs_one_whatever_the_rate(reward: ProposerReward, rate: float | None) -> None:
    bad_form = reward.judge(well_formed=False, valid=False, rate=rate, reason="bad tags")
    no_task = reward.judge(well_formed=True, valid=False, rate=rate, reason="timeout")
    assert (bad_form.value, bad_form.status, list(bad_form.parts)) == (-1.0, "malformed", ["format"])
    assert (no_task.value, no_task.status, list(no_task.parts)) == (-1.0, "wrong", ["task"])
    assert (bad_form.parts["format"].reason, no_task.parts["task"].reason) == ("bad tags", "timeout")
    assert reward.judge(well_formed=False, valid=True, rate=0.5).value == -1.0


def test_without_rollouts_nothing_is_scored() -> None:
    assert paid(PAPER, None) == Verdict(value=None, status="unscored")


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_a_rate_lies_between_0_and_1(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        learnability(rate)


def test_the_solver_is_paid_by_the_table() -> None:
    judge = SolverReward().judge
    right, wrong = judge(well_formed=True, right=True), judge(well_formed=True, right=False, reason="another value")
    assert (right.value, right.status) == (1.0, "ok")
    assert (wrong.value, wrong.status, wrong.parts["answer"].reason) == (-0.5, "wrong", "another value")
    for known in (True, False, None):
        bad = judge(well_formed=False, right=known)
        assert (bad.value, bad.status, bad.parts["format"].gate) == (-1.0, "malformed", True)
    assert judge(well_formed=True, right=None) == Verdict(value=None, status="unscored")


@pytest.mark.parametrize(
    "options", [{"unlearnable": -1.0}, {"unlearnable": 0.1}, {"invalid": 0.0}, {"invalid": math.nan}]
)
def test_a_proposer_who_is_paid_for_nothing_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ProposerReward(**options)


@pytest.mark.parametrize("options", [{"wrong": -1.0}, {"right": -0.5}, {"bad_format": -0.5}, {"right": math.inf}])
def test_a_solver_who_is_paid_for_being_wrong_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SolverReward(**options)


# --------------------------------------------------------------------------------------- what the proposer learns


def expected(reward: ProposerReward, p: float) -> float:
    """Mean of the reward over the binomial number of right ones among eight rollouts."""
    values = [paid(reward, rate).value or 0.0 for rate in RATES]
    return sum(math.comb(8, k) * p**k * (1 - p) ** (8 - k) * value for k, value in enumerate(values))


@pytest.mark.parametrize(("reward", "best"), [(PAPER, 0.26), (RELEASE, 0.30)])
def test_the_best_task_is_solved_about_every_third_time(reward: ProposerReward, best: float) -> None:
    grid = [i / 1000 for i in range(1001)]
    assert max(grid, key=lambda p: expected(reward, p)) == pytest.approx(best, abs=0.005)


def test_the_optimum_of_the_paper_solves_its_equation() -> None:
    # E = 1 − p − (1 − p)^8, so 8 · (1 − p)^7 = 1.
    p = 1 - (1 / 8) ** (1 / 7)
    assert expected(PAPER, p) == pytest.approx(1 - p - (1 - p) ** 8)
    assert expected(PAPER, p) > max(expected(PAPER, p - 1e-3), expected(PAPER, p + 1e-3))


@pytest.mark.parametrize(("reward", "best"), [(PAPER, 0.26), (RELEASE, 0.30)])
def test_a_stub_solver_of_known_skill_leads_there(reward: ProposerReward, best: float) -> None:
    rng = random.Random(0)
    skills = [i / 20 for i in range(1, 20)]
    means = {}
    for p in skills:
        rates = [sum(rng.random() < p for _ in range(8)) / 8 for _ in range(6000)]
        means[p] = sum(paid(reward, rate).value or 0.0 for rate in rates) / len(rates)
    assert max(means, key=lambda p: means[p]) == pytest.approx(best, abs=0.0501)


def test_rollouts_that_are_all_alike_pay_every_proposer_the_same() -> None:
    # What greedy rollouts do: the rate is 0 or 1, so that nothing distinguishes an instructive task.
    assert {paid(RELEASE, rate).value for rate in (0.0, 1.0)} == {-0.5}
