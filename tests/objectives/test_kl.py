from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from bythebook.objectives.kl import KLEstimator, kl_estimate

PI = torch.tensor([0.3, -0.4, 1.1, 0.0, -2.0], dtype=torch.float64)
REFERENCE = torch.tensor([0.1, 0.5, 0.2, -0.3, 1.0], dtype=torch.float64).log_softmax(0)
OLDER = torch.tensor([0.0, 0.2, 0.7, 0.9, -1.0], dtype=torch.float64).log_softmax(0)


def _expected(estimator: KLEstimator, drawn_by: torch.Tensor | None, with_ratio: bool) -> tuple[float, torch.Tensor]:
    """Value and gradient of the estimate, averaged over all tokens with the probability that they are drawn with."""
    logits = PI.clone().requires_grad_()
    logp = logits.log_softmax(0)
    drawn = (logp if drawn_by is None else drawn_by).detach()
    estimate = kl_estimate(logp, REFERENCE, estimator)
    value = (drawn.exp() * (estimate * (logp - drawn).exp() if with_ratio else estimate)).sum()
    (gradient,) = torch.autograd.grad(value, logits)
    return value.item(), gradient


def _exact(divergence: Any) -> tuple[float, torch.Tensor]:
    logits = PI.clone().requires_grad_()
    value = divergence(logits.log_softmax(0))
    (gradient,) = torch.autograd.grad(value, logits)
    return value.item(), gradient


def _reverse(logp: torch.Tensor) -> torch.Tensor:
    return (logp.exp() * (logp - REFERENCE)).sum()


def _forward(logp: torch.Tensor) -> torch.Tensor:
    return (REFERENCE.exp() * (REFERENCE - logp)).sum()


def _half_square(logp: torch.Tensor) -> torch.Tensor:
    return (logp.exp() * (logp - REFERENCE) ** 2 / 2).sum()


def _nothing(logp: torch.Tensor) -> torch.Tensor:
    return 0 * logp.sum()


@pytest.mark.parametrize(
    ("estimator", "with_ratio", "value", "gradient"),
    [
        ("k1", False, _reverse, _nothing),
        ("k1", True, _reverse, _reverse),
        ("k2", False, _half_square, _reverse),
        ("k2", True, _half_square, _half_square),
        ("k3", False, _reverse, _forward),
        ("k3", True, _reverse, _reverse),
    ],
)
def test_on_policy_value_and_gradient_are_what_the_table_says(
    estimator: KLEstimator, with_ratio: bool, value: Any, gradient: Any
) -> None:
    found, slope = _expected(estimator, None, with_ratio)
    assert found == pytest.approx(_exact(value)[0], abs=1e-12)
    torch.testing.assert_close(slope, _exact(gradient)[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_with_the_ratio_tokens_of_an_older_policy_give_the_same(estimator: KLEstimator) -> None:
    found, slope = _expected(estimator, OLDER, with_ratio=True)
    exact, exact_slope = _exact(_reverse)
    assert found == pytest.approx(exact, abs=1e-12)
    torch.testing.assert_close(slope, exact_slope, rtol=0, atol=1e-12)
    biased, _ = _expected(estimator, OLDER, with_ratio=False)
    assert abs(biased - exact) > 0.01


def test_by_hand() -> None:
    # The policy is twice as sure of the token as the reference.
    logp, ref = torch.tensor([[math.log(0.5)]]), torch.tensor([[math.log(0.25)]])
    assert kl_estimate(logp, ref, "k1").item() == pytest.approx(math.log(2))
    assert kl_estimate(logp, ref, "k2").item() == pytest.approx(math.log(2) ** 2 / 2)
    assert kl_estimate(logp, ref, "k3").item() == pytest.approx(0.5 - 1 + math.log(2))


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_where_policy_and_reference_agree_it_is_zero(estimator: KLEstimator) -> None:
    logp = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert kl_estimate(logp, logp.clone(), estimator).eq(0).all()


def test_close_to_the_reference_k3_is_no_rounding_error() -> None:
    gap = torch.tensor([1e-4, -1e-4, 3e-5], dtype=torch.float32)
    logp = torch.zeros(3)
    found = kl_estimate(logp, gap, "k3").double()
    torch.testing.assert_close(found, torch.expm1(gap.double()) - gap.double(), rtol=0.01, atol=0)


def test_an_unknown_estimator_is_refused() -> None:
    with pytest.raises(ValueError, match="no KL estimator 'k4'"):
        kl_estimate(torch.zeros(1, 1), torch.zeros(1, 1), "k4")  # type: ignore[arg-type]
