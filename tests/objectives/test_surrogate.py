from __future__ import annotations

import math

import pytest
import torch

from bythebook.objectives.surrogate import clipped_surrogate, importance_ratio


def test_the_ratio_of_a_sequence_is_the_geometric_mean_of_its_tokens() -> None:
    logp = torch.tensor([[0.5, 0.25, 0.9], [0.5, 0.5, 0.5]]).log()
    old = torch.tensor([[0.25, 0.5, 0.1], [0.1, 0.5, 0.5]]).log()
    mask = torch.tensor([[1.0, 1, 0], [1, 0, 0]])
    token = importance_ratio(logp, old, mask, "token")
    torch.testing.assert_close(token, torch.tensor([[2.0, 0.5, 9.0], [5.0, 1.0, 1.0]]))
    sequence = importance_ratio(logp, old, mask, "sequence")
    torch.testing.assert_close(sequence, torch.tensor([[1.0], [5.0]]))


def test_a_sequence_without_tokens_has_ratio_one() -> None:
    ratio = importance_ratio(torch.ones(1, 3), torch.zeros(1, 3), torch.zeros(1, 3), "sequence")
    assert ratio.tolist() == [[1.0]]


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no ratio level 'word'"):
        importance_ratio(torch.zeros(1, 1), torch.zeros(1, 1), torch.ones(1, 1), "word")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ratio", "advantage", "gain", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),  # inside
        (1.1, 2.0, 2.2, 2.0),
        (1.5, 2.0, 2.6, 0.0),  # more of what was good already: bounded by 1 + ε_high
        (0.5, 2.0, 1.0, 2.0),  # less of what was good: never clipped
        (0.5, -2.0, -1.6, 0.0),  # less of what was bad already: bounded by 1 − ε_low
        (1.5, -2.0, -3.0, -2.0),  # more of what was bad: never clipped …
        (4.0, -2.0, -6.0, 0.0),  # … but for delta
        (4.0, 2.0, 2.6, 0.0),
        (1.5, 0.0, 0.0, 0.0),
    ],
)
def test_where_the_clip_stops_the_gradient(ratio: float, advantage: float, gain: float, slope: float) -> None:
    r = torch.tensor([[ratio]], dtype=torch.float64, requires_grad=True)
    found = clipped_surrogate(r, torch.tensor([[advantage]], dtype=torch.float64), 0.2, 0.3, delta=3.0)
    found.sum().backward()
    assert found.item() == pytest.approx(gain)
    assert r.grad is not None
    assert r.grad.item() == pytest.approx(slope)


def test_without_delta_a_bad_token_that_became_likely_is_not_bounded() -> None:
    r = torch.tensor([[400.0]])
    assert clipped_surrogate(r, torch.tensor([[-1.0]]), 0.2, 0.2).item() == -400.0
    assert clipped_surrogate(r, torch.tensor([[-1.0]]), 0.2, 0.2, delta=math.inf).item() == -400.0
    assert clipped_surrogate(r, torch.tensor([[-1.0]]), 0.2, 0.2, delta=5.0).item() == -5.0
