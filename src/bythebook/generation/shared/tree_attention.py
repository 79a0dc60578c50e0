"""Attention over a pack, forward and backward: every block by a fused kernel, partial softmaxes merged.

No key or value of a trunk is copied, and no scores are kept for the backward pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bythebook.generation.shared.kernels import attend, attend_backward, attend_to_part
from bythebook.generation.shared.layout import Branches, Layout

__all__ = ["tree_attention"]

# Shapes: N tokens of the pack, H heads of queries, K heads of keys and values, D head size; R x C cells of a block of
# branches.


def tree_attention(q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> Tensor:
    """Outputs (1, H, N, D) of q (1, H, N, D) and k, v (1, K, N, D): each token sees itself and what stands before it
    in its own sequences. Differentiable once."""
    out: Tensor = _TreeAttention.apply(q, k, v, layout, scale)  # type: ignore[no-untyped-call]
    return out


class _TreeAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> Tensor:
        out, log_sum = attend_in_pack(q, k, v, layout, scale)
        out = out.to(q.dtype)
        ctx.save_for_backward(q, k, v, out, log_sum)
        ctx.layout, ctx.scale = layout, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, out, log_sum = kept = ctx.saved_tensors
        layout, scale = ctx.layout, ctx.scale
        sums = [_accumulator(x) for x in (q, k, v)]

        def of_trunk(keys: slice, queries: slice, *, causal: bool) -> tuple[Tensor, ...]:
            above, asked, whole, whole_sum = (x[:, :, queries] for x in (grad, q, out, log_sum))
            return attend_backward(above, asked, k[:, :, keys], v[:, :, keys], whole, whole_sum, scale, causal=causal)

        # First what each token gets from its own block, which fills the sums; then what it gets from others.
        copied = [_branches_backward(block, grad, kept, scale, sums) for block in layout.branches]
        for start, end, *_ in layout.trunks:
            own = slice(start, end)
            for total, part in zip(sums, of_trunk(own, own, causal=True), strict=True):
                total[:, :, own] = part
        for block, of_copies in zip(layout.branches, copied, strict=True):
            if len(block.copies):
                for total, part in zip(sums[1:], of_copies, strict=True):
                    _tokens(total).index_add_(0, block.places.flatten()[block.copies], part.to(total.dtype))
        for start, end, last, *_ in layout.trunks:
            keys, below = slice(start, end), slice(end, last)
            parts = of_trunk(keys, below, causal=False)
            for total, part, where in zip(sums, parts, (below, keys, keys), strict=True):
                total[:, :, where] += part
        return *(total.to(x.dtype) for total, x in zip(sums, (q, k, v), strict=True)), None, None


def attend_in_pack(q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> tuple[Tensor, Tensor]:
    """(outputs (1, H, N, D), log-sums (1, H, N)) without gradients, in single precision at least."""
    out = _accumulator(q)
    log_sum = out.new_empty(out.shape[:-1])
    for block in layout.branches:
        of_q, of_k, of_v = (_gathered(x, block) for x in (q, k, v))
        part, part_log_sum = attend(of_q, of_k, of_v, scale, causal=True)
        _tokens(out)[block.owned] = _cells(part)[block.cells].to(out.dtype)
        _tokens(log_sum)[block.owned] = _cells(part_log_sum)[block.cells].to(out.dtype)
    for start, end, _, *_ in layout.trunks:
        of = slice(start, end)
        out[:, :, of], log_sum[:, :, of] = attend(q[:, :, of], k[:, :, of], v[:, :, of], scale, causal=True)
    for start, end, last, *_ in layout.trunks:
        below, of = slice(end, last), slice(start, end)
        attend_to_part(out[:, :, below], log_sum[:, :, below], q[:, :, below], k[:, :, of], v[:, :, of], scale)
    return out, log_sum


def _accumulator(x: Tensor) -> Tensor:
    """Room like x (1, H, N, D), in single precision at least, with the tokens' rows contiguous as a model has them."""
    _, heads, tokens, size = x.shape
    dtype = torch.promote_types(x.dtype, torch.float32)
    return torch.empty(1, tokens, heads, size, dtype=dtype, device=x.device).transpose(1, 2)


def _tokens(x: Tensor) -> Tensor:
    """x (1, H, N, …) by tokens: (N, H, …)."""
    return x[0].transpose(0, 1)


def _gathered(x: Tensor, block: Branches) -> Tensor:
    """x (1, H, N, D) at the places of a block: (R, H, C, D)."""
    return _tokens(x)[block.places].transpose(1, 2)


def _cells(x: Tensor) -> Tensor:
    """(R, H, C, …) as (R C, H, …)."""
    return x.transpose(1, 2).flatten(0, 1)


def _branches_backward(
    block: Branches, grad: Tensor, kept: tuple[Tensor, ...], scale: float, sums: list[Tensor]
) -> tuple[Tensor, Tensor]:
    """Put the gradients of a block's tokens in place; `kept` is what the forward pass keeps. Returns those of the keys
    and of the values in the copies, which belong to other rows' tokens."""
    q, k, v, out = (_gathered(x, block) for x in kept[:4])
    # Idle cells may have any scores: with this log-sum their weights are 0, and so are their gradients.
    log_sum = _gathered(kept[4].unsqueeze(-1), block).squeeze(-1).masked_fill(block.idle[:, None], torch.inf)
    parts = attend_backward(_gathered(grad, block), q, k, v, out, log_sum, scale, causal=True)
    for total, part in zip(sums, parts, strict=True):
        _tokens(total)[block.owned] = _cells(part)[block.cells].to(total.dtype)
    _, dk, dv = parts
    return _cells(dk)[block.copies], _cells(dv)[block.copies]
