from __future__ import annotations

import pytest
import torch

from bythebook.generation.shared import log_softmax
from bythebook.generation.shared.log_softmax import chosen_log_probs, entropies, is_plain_product


@pytest.mark.parametrize("at_once", [7, 2**22])
@pytest.mark.parametrize("temperature", [0.7, 1.0, 2.0])
def test_log_probs_and_gradients_are_those_of_log_softmax(
    at_once: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_softmax, "_AT_ONCE", at_once)
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(6, 11, dtype=torch.float64, generator=generator)).requires_grad_()
    rows, targets = torch.tensor([0, 0, 0, 2, 3, 5, 5]), torch.tensor([4, 4, 7, 1, 0, 10, 2])
    weights = torch.randn(7, dtype=torch.float64, generator=generator)
    expected = (logits / temperature).log_softmax(-1)[rows, targets]
    found, log_sums = chosen_log_probs(logits, rows, targets, temperature)
    assert torch.allclose(found, expected, atol=1e-12)
    wanted, ours = (torch.autograd.grad(x @ weights, logits)[0] for x in (expected, found))
    assert torch.allclose(ours, wanted, atol=1e-12)
    log_p = (logits / temperature).log_softmax(-1)
    plain = -(log_p.exp() * log_p).sum(-1)
    assert torch.allclose(log_sums, (logits / temperature).logsumexp(-1), atol=1e-12)
    assert not log_sums.requires_grad
    assert torch.allclose(entropies(logits, None, temperature), plain, atol=1e-12)
    assert torch.allclose(entropies(logits.detach(), log_sums, temperature), plain, atol=1e-12)
    one, other = (torch.autograd.grad(x.sum(), logits)[0] for x in (plain, entropies(logits, None, temperature)))
    assert torch.allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("at_once", [7, 2**22])
@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_the_gradient_may_take_the_place_of_the_logits(
    at_once: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_softmax, "_AT_ONCE", at_once)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(1, 6, 4, dtype=torch.float64, generator=generator)
    head = torch.nn.Linear(4, 11, bias=False, dtype=torch.float64)
    rows, targets = torch.tensor([0, 0, 0, 2, 3, 5, 5]), torch.tensor([4, 4, 7, 1, 0, 10, 2])
    gradients = []
    for consume in (False, True):
        logits = head(hidden).squeeze(0)
        assert is_plain_product(logits)
        before = logits.detach().clone()
        found, _ = chosen_log_probs(logits, rows, targets, temperature, consume=consume)
        gradients.append(torch.autograd.grad(found.square().sum(), head.weight)[0])
        assert torch.equal(logits, before) is not consume
    assert torch.equal(*gradients)


def test_logits_that_their_own_backward_pass_needs_are_no_plain_product() -> None:
    hidden, weight = torch.randn(1, 6, 4), torch.randn(4, 11, requires_grad=True)
    product = hidden @ weight
    assert is_plain_product(product.squeeze(0))
    assert not is_plain_product(30 * torch.tanh(product / 30).squeeze(0))
    assert not is_plain_product(product.detach())
    assert not is_plain_product(weight)


def test_half_precision_is_summed_in_single() -> None:
    logits = torch.randn(3, 50_000, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    rows, targets = torch.tensor([0, 1, 2]), torch.tensor([5, 6, 7])
    found, _ = chosen_log_probs(logits, rows, targets, 1.0)
    assert found.dtype == torch.float32
    assert torch.allclose(found, logits.double().log_softmax(-1)[rows, targets].float(), atol=1e-4)


def test_nothing_has_no_log_probs_but_a_gradient() -> None:
    logits = torch.randn(0, 5, requires_grad=True)
    none = torch.empty(0, dtype=torch.long)
    found, log_sums = chosen_log_probs(logits, none, none, 1.0)
    assert found.shape == (0,)
    assert torch.autograd.grad(found.sum(), logits)[0].shape == (0, 5)
    assert entropies(logits, log_sums, 1.0).shape == (0,)
