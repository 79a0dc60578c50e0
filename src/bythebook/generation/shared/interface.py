"""The engine in the place of a model's own attention.

transformers hands unknown keyword arguments of a forward pass on to the attention function. One of ours,
carries who answers: with it attention is the engine's, without it what it was before. It travels with the call, not in
a global, so that a layer whose activations are computed again in the backward pass finds the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

__all__ = [
    "NAME",
    "PackAttention",
    "SharedAttention",
    "forward_arguments",
    "shared_attention_in",
    "use_shared_attention",
]

from bythebook.generation.shared.layout import Layout
from bythebook.generation.shared.tree_attention import tree_attention

NAME = "bythebook_shared_prefix"
"""Under which transformers knows the engine."""


class SharedAttention(Protocol):
    """Who answers for attention in one forward pass."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """Outputs (B, H, M, D) of the queries q (B, H, M, D), given this pass's keys and values (B, K, M, D)."""


class PackAttention:
    """Attention over a pack, for one forward pass with or without gradients."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """See `SharedAttention`."""
        return tree_attention(q, k, v, self.layout, scale)


def _attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    shared_prefix: SharedAttention | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """transformers' attention function: outputs (B, M, H, D)."""
    if shared_prefix is None:
        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return out, None
    if torch.is_autocast_enabled(query.device.type):  # it casts for SDPA; rotary positions undo that for our kernels
        dtype = torch.get_autocast_dtype(query.device.type)
        query, key, value = (x.to(dtype) for x in (query, key, value))
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer: Any = module.layer_idx
    return shared_prefix.attend(layer, query, key, value, scale).transpose(1, 2), None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use_shared_attention(model: Any) -> None:
    """From now on the model answers to `shared_prefix`; without it it computes as before."""
    _inner(model).set_attn_implementation(NAME)


@contextmanager
def shared_attention_in(model: Any) -> Iterator[None]:
    """The same inside the block only."""
    inner = _inner(model)
    before = inner.config._attn_implementation
    if before != NAME:
        inner.set_attn_implementation(NAME)
    try:
        yield
    finally:
        if before != NAME:
            inner.set_attn_implementation(before)


def forward_arguments(token_ids: Tensor, positions: Tensor, attention: SharedAttention) -> dict[str, Any]:
    """What a model's forward pass is called with, for token ids and positions (B, M)."""
    return {
        "input_ids": token_ids,
        "position_ids": positions,
        # A mask of four dimensions is taken as it is; nobody reads this one.
        "attention_mask": token_ids.new_ones(1, 1, 1, 1, dtype=torch.bool),
        "use_cache": False,
        "shared_prefix": attention,
    }


def _inner(model: Any) -> Any:
    """The model without the wrapper of its adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
