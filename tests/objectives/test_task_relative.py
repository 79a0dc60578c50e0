"""TRR++: the golden vector, NumPy cell by cell, and what a cell must not see of the others."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.objectives.baselines import reinforce_pp_advantages
from bythebook.objectives.task_relative import released_task_relative_advantages, task_relative_advantages

NAN = math.nan
REWARDS = torch.tensor([-0.5, -1.0, -0.5, 1.0], dtype=torch.float64)
LENGTHS = (2000, 50, 1800, 100)
ONE_CELL = torch.zeros(4, dtype=torch.long)


def mask_of(lengths: tuple[int, ...] | list[int]) -> torch.Tensor:
    return torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]


def test_the_golden_vector_by_completions() -> None:
    found = task_relative_advantages(REWARDS, ONE_CELL).tolist()
    assert found == pytest.approx([-0.33, -1.0, -0.33, 1.67], abs=0.005)


def test_the_golden_vector_by_tokens() -> None:
    mask = mask_of(LENGTHS)
    found = released_task_relative_advantages(REWARDS, mask, ONE_CELL)
    assert found[:, 0].tolist() == pytest.approx([-0.13, -2.19, -0.13, 6.04], abs=0.005)
    assert found[~mask].eq(0).all()
    for row, length in zip(found, LENGTHS, strict=True):
        assert row[:length].eq(row[0]).all()


def by_numpy(rewards: list[float], cells: list[int]) -> list[float]:
    """Independent of the code: population statistics, cell by cell."""
    values, labels = np.array(rewards), np.array(cells)
    out = np.zeros(len(rewards))
    for cell in set(cells):
        inside = (labels == cell) & ~np.isnan(values)
        if inside.sum() > 1 and np.ptp(values[inside]) > 0:
            out[inside] = (values[inside] - values[inside].mean()) / (values[inside].std() + 1e-8)
    return out.tolist()


def tokens_by_numpy(rewards: list[float], lengths: list[int], cells: list[int]) -> list[float]:
    """The first token's advantage of every completion: statistics over its cell's tokens, written one by one."""
    out = [0.0] * len(rewards)
    for cell in set(cells):
        inside = [i for i, c in enumerate(cells) if c == cell and not math.isnan(rewards[i])]
        tokens = np.array([rewards[i] for i in inside for _ in range(lengths[i])])
        if len(tokens) > 1 and np.ptp(tokens) > 0:
            for i in inside:
                out[i] = float((rewards[i] - tokens.mean()) / (tokens.std(ddof=1) + 1e-8))
    return out


BATCHES = st.lists(
    st.tuples(st.sampled_from([1.0, -0.5, -1.0, 0.25, 0.875, NAN]), st.integers(0, 5), st.integers(1, 7)),
    min_size=1,
    max_size=24,
)


@settings(deadline=None)
@given(BATCHES)
def test_values_are_numpys(batch: list[tuple[float, int, int]]) -> None:
    rewards, cells, lengths = ([row[i] for row in batch] for i in range(3))
    given_rewards, given_cells = torch.tensor(rewards, dtype=torch.float64), torch.tensor(cells)
    found = task_relative_advantages(given_rewards, given_cells)
    np.testing.assert_allclose(found.numpy(), by_numpy(rewards, cells), rtol=0, atol=1e-6)
    tokens = released_task_relative_advantages(given_rewards, mask_of(lengths), given_cells)
    np.testing.assert_allclose(tokens[:, 0].numpy(), tokens_by_numpy(rewards, lengths, cells), rtol=0, atol=1e-6)


def test_every_cell_has_mean_0_and_deviation_1() -> None:
    rng = torch.Generator().manual_seed(0)
    rewards = torch.randn(60, generator=rng, dtype=torch.float64) * torch.arange(1, 61)
    cells = torch.arange(60) % 6
    found = task_relative_advantages(rewards, cells)
    for cell in range(6):
        assert found[cells == cell].mean().item() == pytest.approx(0.0, abs=1e-9)
        assert found[cells == cell].std(correction=0).item() == pytest.approx(1.0)


@pytest.mark.parametrize("reward", [-1.0, -0.5, 0.1, 1 / 3])
def test_a_constant_cell_gives_exactly_0(reward: float) -> None:
    rewards = torch.tensor([reward, 1.0, reward, -1.0, reward])
    cells = torch.tensor([3, 5, 3, 5, 3])
    assert task_relative_advantages(rewards, cells)[cells == 3].eq(0).all()
    tokens = released_task_relative_advantages(rewards, mask_of([3, 1, 2, 4, 1]), cells)
    assert tokens[cells == 3].eq(0).all()
    assert tokens[cells == 5].ne(0).any()


def test_a_cell_does_not_see_the_others() -> None:
    rewards = torch.tensor([1.0, -0.5, 1.0, 0.5, 0.25, 0.75], dtype=torch.float64)
    cells = torch.tensor([0, 0, 0, 1, 1, 1])
    other = rewards.clone()
    other[3:] = torch.tensor([-9.0, 4.0, 100.0])
    assert torch.equal(task_relative_advantages(rewards, cells)[:3], task_relative_advantages(other, cells)[:3])


def test_with_one_cell_it_is_reinforce_pp_but_for_the_number_below_the_deviation() -> None:
    found = task_relative_advantages(REWARDS, ONE_CELL)
    assert torch.allclose(found, reinforce_pp_advantages(REWARDS, 1) * math.sqrt(4 / 3), rtol=0, atol=1e-12)


def test_long_completions_weigh_more_in_the_published_form_alone() -> None:
    short, long = mask_of([10, 10, 10, 10]), mask_of([100, 10, 10, 10])
    assert released_task_relative_advantages(REWARDS, short, ONE_CELL)[3, 0] != pytest.approx(
        released_task_relative_advantages(REWARDS, long, ONE_CELL)[3, 0].item()
    )


def test_an_unscored_completion_counts_nowhere_in_its_cell() -> None:
    rewards = torch.tensor([1.0, NAN, 0.0, 5.0])
    cells = torch.tensor([0, 0, 0, 1])
    assert task_relative_advantages(rewards, cells).tolist() == pytest.approx([1.0, 0.0, -1.0, 0.0])


def test_shapes_that_do_not_fit_are_refused() -> None:
    for rewards, cells in ((torch.zeros(2), torch.zeros(3)), (torch.zeros(2, 2), torch.zeros(2, 2))):
        with pytest.raises(ValueError, match="cells"):
            task_relative_advantages(rewards, cells)
    with pytest.raises(ValueError, match="mask"):
        released_task_relative_advantages(torch.zeros(2), torch.ones(2), torch.zeros(2))
    assert task_relative_advantages(torch.zeros(0), torch.zeros(0)).shape == (0,)
