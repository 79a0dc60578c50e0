"""Attention of some queries to some keys, with what is needed to merge it with attention to others.

The fused kernels of PyTorch return, beside the output, the log of the sum of exponentials of each query's scores, and
their backward passes take both as arguments. Handed the output and the log-sum of *all* parts, such a backward pass
gives the part's share of the gradients: with P = exp(S - L), dS = P ∘ (dO Vᵀ - rowsum(dO ∘ O)), where L and O are those
of the whole softmax (FlashAttention-2, arXiv 2307.08691, algorithm 2).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["attend", "attend_backward", "attend_to_part", "merge"]

# Shapes: B rows, H heads of queries, K heads of keys and values (H a multiple of K), M queries, L keys, D head size.

_aten = torch.ops.aten
_FUSED_ON_CPU = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float, *, causal: bool) -> tuple[Tensor, Tensor]:
    """(outputs (B, H, M, D), log-sums (B, H, M), natural) of q (B, H, M, D) over k and v (B, K, L, D).

    With `causal`, query i sees the keys up to i.
    """
    if k.shape[1] != q.shape[1] and len(q) == 1:
        out, log_sum = attend(*_heads_as_rows(q, k, v), scale, causal=causal)
        return out.flatten(0, 1)[None], log_sum.flatten(0, 1)[None]
    k, v = _repeated(q, k), _repeated(q, v)
    if q.device.type == "cpu" and q.dtype in _FUSED_ON_CPU:
        out, log_sum = _aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, scale=scale)
        return out, log_sum
    if q.device.type == "cuda":
        return _attend_cuda(q, k, v, scale, causal)
    return _attend_plainly(q, k, v, scale, causal)


def attend_backward(
    grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, log_sum: Tensor, scale: float, *, causal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of q, k and v from `grad` (B, H, M, D), where `out` and `log_sum` are those of the whole softmax."""
    heads = k.shape[1]
    if heads != q.shape[1] and len(q) == 1:
        shape = (heads, q.shape[1] // heads)
        grad, out = (x[0].unflatten(0, shape) for x in (grad, out))
        parts = _heads_as_rows(q, k, v)
        dq, dk, dv = _backward(grad, *parts, out, log_sum[0].unflatten(0, shape), scale, causal)
        return dq.flatten(0, 1)[None], dk.sum(dim=1)[None], dv.sum(dim=1)[None]
    dq, dk, dv = _backward(grad, q, _repeated(q, k), _repeated(q, v), out, log_sum, scale, causal)
    if heads == q.shape[1]:
        return dq, dk, dv
    return dq, *(x.unflatten(1, (heads, -1)).sum(dim=2) for x in (dk, dv))


def merge(out: Tensor, log_sum: Tensor, part: Tensor, part_log_sum: Tensor) -> None:
    """Add to attention (…, M, D) with log-sums (…, M) that to further keys, in place."""
    total = torch.logaddexp(log_sum, part_log_sum)
    out.mul_((log_sum - total).exp_().unsqueeze(-1)).add_(part * (part_log_sum - total).exp_().unsqueeze(-1))
    log_sum.copy_(total)


def attend_to_part(out: Tensor, log_sum: Tensor, q: Tensor, k: Tensor, v: Tensor, scale: float) -> None:
    """`merge` with attention of q (1, H, M, D) to k and v (1, K, L, D)."""
    merge(out, log_sum, *attend(q, k, v, scale, causal=False))


def _heads_as_rows(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One row of H and K heads as K rows of H / K heads, which share the one head of keys: no copy."""
    groups = q.shape[1] // k.shape[1]
    rows = q[0].unflatten(0, (k.shape[1], groups))
    return rows, *(x[0].unsqueeze(1).expand(-1, groups, -1, -1) for x in (k, v))


def _repeated(q: Tensor, x: Tensor) -> Tensor:
    return x if x.shape[1] == q.shape[1] else x.repeat_interleave(q.shape[1] // x.shape[1], dim=1)


def _attend_plainly(q: Tensor, k: Tensor, v: Tensor, scale: float, causal: bool) -> tuple[Tensor, Tensor]:
    scores = _scores(q, k, scale, causal)
    log_sum = scores.logsumexp(dim=-1)
    return ((scores - log_sum.unsqueeze(-1)).exp().to(v.dtype) @ v), log_sum


def _scores(q: Tensor, k: Tensor, scale: float, causal: bool) -> Tensor:
    """(B, H, M, L), in single precision at least."""
    scores = (q @ k.transpose(-1, -2)).to(torch.promote_types(q.dtype, torch.float32)) * scale
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    return scores


def _backward(
    grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, log_sum: Tensor, scale: float, causal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    given = (grad, q, k, v, out, log_sum)
    if q.device.type == "cpu" and q.dtype in _FUSED_ON_CPU:
        fused = _aten._scaled_dot_product_flash_attention_for_cpu_backward
        dq, dk, dv = fused(*given, 0.0, causal, scale=scale)
        return dq, dk, dv
    if q.device.type == "cuda":
        return _backward_cuda(*given, scale, causal)
    return _backward_plainly(*given, scale, causal)


def _backward_plainly(
    grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, log_sum: Tensor, scale: float, causal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    p = (_scores(q, k, scale, causal) - log_sum.unsqueeze(-1)).exp()
    shares = (grad @ v.transpose(-1, -2)).to(p.dtype) - (grad * out).sum(dim=-1, keepdim=True, dtype=p.dtype)
    ds = (p * shares * scale).to(q.dtype)
    return ds @ k, ds.transpose(-1, -2) @ q, p.to(grad.dtype).transpose(-1, -2) @ grad


def _flash_on_cuda(q: Tensor) -> bool:
    return q.dtype in (torch.float16, torch.bfloat16) and q.shape[-1] <= 256


def _attend_cuda(q: Tensor, k: Tensor, v: Tensor, scale: float, causal: bool) -> tuple[Tensor, Tensor]:
    if _flash_on_cuda(q):
        out, log_sum, *_ = _aten._scaled_dot_product_flash_attention(q, k, v, 0.0, causal, False, scale=scale)
    else:
        out, log_sum, *_ = _aten._scaled_dot_product_efficient_attention(q, k, v, None, True, 0.0, causal, scale=scale)
    return out, log_sum[..., : q.shape[2]]


def _backward_cuda(
    grad: Tensor, q: Tensor, k: Tensor, v: Tensor, out: Tensor, log_sum: Tensor, scale: float, causal: bool
) -> tuple[Tensor, Tensor, Tensor]:
    log_sum = log_sum.contiguous()
    no_seed = torch.zeros(2, dtype=torch.uint64 if _flash_on_cuda(q) else torch.int64, device=q.device)
    if _flash_on_cuda(q):
        dq, dk, dv = _aten._scaled_dot_product_flash_attention_backward(
            grad, q, k, v, out, log_sum, None, None, q.shape[2], k.shape[2], 0.0, causal, no_seed, no_seed, scale=scale
        )
        return dq, dk, dv
    # The kernel was compiled for rows of log-sums that begin at multiples of 32.
    padded = torch.nn.functional.pad(log_sum, (0, -q.shape[2] % 32))
    dq, dk, dv, _ = _aten._scaled_dot_product_efficient_attention_backward(
        grad, q, k, v, None, out, padded, no_seed[0], no_seed[1], 0.0, [True, True, True, False], causal, scale=scale
    )
    return dq, dk, dv
