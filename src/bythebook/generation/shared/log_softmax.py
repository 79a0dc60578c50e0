"""Log-probs of single tokens out of logits, without a second tensor of the logits' size in the forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["chosen_log_probs", "entropies", "is_plain_product"]

# Shapes: K positions, V vocabulary, M tokens, each predicted by one of the positions.

_AT_ONCE = 2**20
"""Logits in one chunk: few enough to stay in a processor's cache."""
_VIEWS = ("SqueezeBackward1", "ViewBackward0", "UnsafeViewBackward0")
_PRODUCTS = ("MmBackward0", "AddmmBackward0")


def chosen_log_probs(
    logits: Tensor, row_of: Tensor, targets: Tensor, temperature: float, *, consume: bool = False
) -> tuple[Tensor, Tensor]:
    """(log-probs (M,), log-sums (K,)): log softmax(logits / temperature) of `targets` (M,) in the rows `row_of` (M,) of
    logits (K, V), and the rows' log Σ exp(logits / temperature), in single precision at least.

    The log-probs are differentiable once; the log-sums carry no gradient. With `consume` the backward pass writes the
    gradient over the logits, which nothing else may need then: see `is_plain_product`.
    """
    found = _ChosenLogProbs.apply(logits, row_of, targets, temperature, consume)  # type: ignore[no-untyped-call]
    log_probs, log_sums = found
    return log_probs, log_sums


def is_plain_product(logits: Tensor) -> bool:
    """Whether logits are a view of a matrix product, whose backward pass does not look at them again."""
    node = logits.grad_fn
    while node is not None and node.name() in _VIEWS:
        node = node.next_functions[0][0]
    return node is not None and node.name() in _PRODUCTS


def entropies(logits: Tensor, log_sums: Tensor | None, temperature: float) -> Tensor:
    """(K,): entropies in nats of softmax(logits / temperature), log Σ exp(z) - Σ p z; differentiable where logits
    (K, V) are and `log_sums` are not given."""
    parts = []
    for number, part in enumerate(logits.split(_rows(logits))):
        z = _scaled(part, temperature)
        start = number * _rows(logits)
        log_sum = z.logsumexp(dim=-1) if log_sums is None else log_sums[start : start + len(z)]
        parts.append(log_sum - ((z - log_sum.unsqueeze(-1)).exp() * z).sum(dim=-1))
    return torch.cat(parts) if parts else _precise(logits).sum(dim=-1)


class _ChosenLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, row_of: Tensor, targets: Tensor, temperature: float, consume: bool
    ) -> tuple[Tensor, Tensor]:
        parts = [_scaled(part, temperature).logsumexp(dim=-1) for part in logits.split(_rows(logits))]
        log_sums = torch.cat(parts) if parts else _precise(logits).sum(dim=-1)  # (K,)
        ctx.save_for_backward(logits, row_of, targets, log_sums)
        ctx.temperature, ctx.consume = temperature, consume
        ctx.mark_non_differentiable(log_sums)
        return _precise(logits[row_of, targets]) / temperature - log_sums[row_of], log_sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        """d log p_t / d z_j = ([j = t] - p_j) / temperature, summed over the tokens of a row."""
        logits, row_of, targets, log_sums = ctx.saved_tensors
        weights = torch.zeros_like(log_sums).index_add_(0, row_of, grad) / ctx.temperature  # (K,)
        out = logits if ctx.consume else torch.empty_like(logits)
        rows = _rows(logits)
        for start in range(0, len(logits), rows):
            of = slice(start, start + rows)
            p = (_scaled(logits[of], ctx.temperature) - log_sums[of].unsqueeze(-1)).exp_()
            out[of] = p.mul_(-weights[of].unsqueeze(-1))
        out.index_put_((row_of, targets), (grad / ctx.temperature).to(out.dtype), accumulate=True)
        return out, None, None, None, None


def _rows(logits: Tensor) -> int:
    return max(1, _AT_ONCE // max(1, logits.shape[-1]))


def _scaled(logits: Tensor, temperature: float) -> Tensor:
    return _precise(logits) if temperature == 1 else _precise(logits) / temperature


def _precise(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
