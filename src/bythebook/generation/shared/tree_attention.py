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
    out: Tensor = _TreeAttention.apply(q, k, v, layout, scale)
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
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, out, log_sum = kept = ctx.saved_tensors
        layout, scale = ctx.layout, ctx.scale
        sums = [_accumulator(x, zero=True) for x in (q, k, v)]
        for block in layout.branches:
            _branches_backward(block, grad, kept, scale, sums)
        for start, end, last, *_ in layout.trunks:
            keys = slice(start, end)
            for queries, causal in ((slice(start, end), True), (slice(end, last), False)):
                seen = (x[:, :, queries] for x in (out, log_sum))
                asked = (grad[:, :, queries], q[:, :, queries], k[:, :, keys], v[:, :, keys])
                parts = attend_backward(*asked, *seen, scale, causal=causal)
                for total, part, where in zip(sums, parts, (queries, keys, keys), strict=True):
                    total[:, :, where] += part
        return *(total.to(x.dtype) for total, x in zip(sums, (q, k, v), strict=True)), None, None


def attend_in_pack(q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> tuple[Tensor, Tensor]:
    """(outputs (1, H, N, D), log-sums (1, H, N)) without gradients, in single precision at least."""
    out = _accumulator(q)
    log_sum = out.new_empty(out.shape[:-1])
    rows_out, rows_log_sum = out[0].transpose(0, 1), log_sum[0].T  # (N, H, D), (N, H)
    for block in layout.branches:
        part, part_log_sum = attend(*(_gathered(x, block) for x in (q, k, v)), scale, causal=True)
        rows_out[block.owned] = _cells(part)[block.cells].to(out.dtype)
        rows_log_sum[block.owned] = _cells(part_log_sum)[block.cells].to(out.dtype)
    for start, end, _, *_ in layout.trunks:
        of = slice(start, end)
        out[:, :, of], log_sum[:, :, of] = attend(q[:, :, of], k[:, :, of], v[:, :, of], scale, causal=True)
    for start, end, last, *_ in layout.trunks:
        below, of = slice(end, last), slice(start, end)
        attend_to_part(out[:, :, below], log_sum[:, :, below], q[:, :, below], k[:, :, of], v[:, :, of], scale)
    return out, log_sum


def _accumulator(x: Tensor, *, zero: bool = False) -> Tensor:
    """Like x (1, H, N, D), in single precision at least, with the tokens' rows contiguous as a model has them."""
    _, heads, tokens, size = x.shape
    make = torch.zeros if zero else torch.empty
    dtype = torch.promote_types(x.dtype, torch.float32)
    return make(1, tokens, heads, size, dtype=dtype, device=x.device).transpose(1, 2)


def _gathered(x: Tensor, block: Branches) -> Tensor:
    """x (1, H, N, D) at the places of a block: (R, H, C, D)."""
    return x[0].transpose(0, 1)[block.places].transpose(1, 2)


def _cells(x: Tensor) -> Tensor:
    """(R, H, C, …) as (R C, H, …)."""
    return x.transpose(1, 2).flatten(0, 1)


def _branches_backward(block: Branches, grad: Tensor, kept: tuple[Tensor, ...], scale: float, sums: list[Tensor]) -> None:
    """Add the gradients of a block of branches; `kept` is what the forward pass keeps."""
    q, k, v, out = (_gathered(x, block) for x in kept[:4])
    # Idle cells may have any scores: with this log-sum their weights are 0, and so are their gradients.
    log_sum = _gathered(kept[4].unsqueeze(-1), block).squeeze(-1).masked_fill(block.idle[:, None], torch.inf)
    parts = attend_backward(_gathered(grad, block), q, k, v, out, log_sum, scale, causal=True)
    places = block.places.flatten()
    for total, part in zip(sums, parts, strict=True):
        total[0].transpose(0, 1).index_add_(0, places, _cells(part).to(total.dtype))
