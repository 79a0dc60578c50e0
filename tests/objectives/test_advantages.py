from __future__ import annotations

import math

import pytest
import torch
from by_loops import advantages as by_loops
from hypothesis import given
from hypothesis import strategies as st

from bythebook.objectives.advantages import RewardScale, group_advantages

NAN = math.nan


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        # Groups (3, −3, −0.5, −0.5) and (3, 3, 3, −3): means −0.25 and 1.5.
        ("none", [3.25, -2.75, -0.25, -0.25, 1.5, 1.5, 1.5, -4.5]),
        (
            "group",
            [
                x / s
                for s, group in ((math.sqrt(18.25 / 3), [3.25, -2.75, -0.25, -0.25]), (3.0, [1.5, 1.5, 1.5, -4.5]))
                for x in group
            ],
        ),
    ],
)
def test_by_hand(scale: RewardScale, expected: list[float]) -> None:
    rewards = torch.tensor([3, -3, -0.5, -0.5, 3, 3, 3, -3], dtype=torch.float64)
    assert group_advantages(rewards, 4, scale, epsilon=0.0).tolist() == pytest.approx(expected)


def test_the_deviation_of_the_batch_is_that_of_all_rewards() -> None:
    rewards = torch.tensor([0.0, 2.0, 4.0, 10.0], dtype=torch.float64)
    deviation = rewards.std().item()
    found = group_advantages(rewards, 2, "batch", epsilon=0.0).tolist()
    assert found == pytest.approx([-1 / deviation, 1 / deviation, -3 / deviation, 3 / deviation])


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
@pytest.mark.parametrize("reward", [0.1, -0.7, 1 / 3, 3.0])
def test_a_group_of_equal_rewards_says_exactly_nothing(scale: RewardScale, reward: float) -> None:
    # In single precision the mean of seven times 0.1 is not 0.1.
    rewards = torch.tensor([reward] * 7 + [1.0, 2, 3, 4, 5, 6, 7])
    found = group_advantages(rewards, 7, scale)
    assert found[:7].eq(0).all()
    assert found[7:].ne(0).sum() == 6


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_what_could_not_be_scored_moves_nothing(scale: RewardScale) -> None:
    rewards = torch.tensor([1.0, NAN, 3.0, NAN, NAN, NAN, NAN, NAN, 5.0], dtype=torch.float64)
    found = group_advantages(rewards, 3, scale, epsilon=0.0).tolist()
    deviation = {"group": math.sqrt(2), "batch": 2.0, "none": 1.0}[scale]
    assert found == pytest.approx([-1 / deviation, 0, 1 / deviation] + [0] * 6)


@given(
    st.integers(1, 5).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(
                st.lists(st.sampled_from([-3.0, -0.5, 0.25, 1.0, 3.0, NAN]), min_size=size, max_size=size), min_size=1
            ),
        )
    ),
    st.sampled_from(["group", "batch", "none"]),
)
def test_it_is_the_formula_in_loops(drawn: tuple[int, list[list[float]]], scale: RewardScale) -> None:
    size, groups = drawn
    rewards = [r for group in groups for r in group]
    found = group_advantages(torch.tensor(rewards, dtype=torch.float64), size, scale)
    assert found.tolist() == pytest.approx(by_loops(rewards, size, scale, 1e-4), rel=1e-10, abs=1e-10)
    assert found.isfinite().all()


@pytest.mark.parametrize(("shape", "size"), [((5,), 2), ((2, 2), 2), ((4,), 0)])
def test_rewards_that_are_no_groups_are_refused(shape: tuple[int, ...], size: int) -> None:
    with pytest.raises(ValueError, match=f"not groups of {size}"):
        group_advantages(torch.zeros(shape), size, "group")


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="no reward scale 'max'"):
        group_advantages(torch.zeros(4), 2, "max")  # type: ignore[arg-type]
