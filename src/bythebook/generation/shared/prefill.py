"""Prompts → what decoding attends to: one forward pass over the pack of what is not kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bythebook.generation.shared.interface import forward_arguments
from bythebook.generation.shared.kept import KeptPrefix, KeptPrefixes
from bythebook.generation.shared.kernels import attend_to_part
from bythebook.generation.shared.layout import attention_layout
from bythebook.generation.shared.prompt_pack import PromptPack, Shared, pack_prompts
from bythebook.generation.shared.tree_attention import attend_in_pack

__all__ = ["Prefilled", "prefill"]

# Shapes: N tokens of the pack, H heads of queries, K heads of keys and values, D head size, J distinct prompts,
# T tokens of the longest tail, V vocabulary.


@dataclass
class Prefilled:
    """J prompts in the order of the pack: keys and values of each layer, every shared stretch once."""

    pack: PromptPack
    lengths: tuple[int, ...]
    """(J,): tokens of each prompt."""
    logits: Tensor
    """(J, V): of what follows each prompt."""
    shared_keys: list[list[Tensor]] = field(default_factory=list)
    """For each layer and each of `pack.shared`: (1, K, tokens, D)."""
    shared_values: list[list[Tensor]] = field(default_factory=list)
    tail_keys: list[Tensor] = field(default_factory=list)
    """For each layer (J, K, T, D), padded on the left."""
    tail_values: list[Tensor] = field(default_factory=list)

    @property
    def tail_lengths(self) -> tuple[int, ...]:
        """(J,)"""
        return tuple(len(tail) for tail in self.pack.tails)

    @property
    def tail_width(self) -> int:
        """T"""
        return max(self.tail_lengths)


def prefill(model: Any, prompts: Sequence[NDArray[np.int64]], kept: KeptPrefixes | None = None) -> Prefilled:
    """Of distinct prompts. What is kept is not computed again, and what is worth it is kept from now on. The model
    answers to the engine, and gradients are off."""
    pack = pack_prompts(prompts, kept)
    device = next(model.parameters()).device
    attention = _PrefillAttention(pack, device)
    ids, positions = (torch.from_numpy(x)[None].to(device) for x in (pack.plan.token_ids, pack.plan.positions))
    last = torch.from_numpy(pack.last_tokens).to(device)
    logits = model(**forward_arguments(ids, positions, attention), logits_to_keep=last).logits[0]
    found = attention.found
    found.logits = logits
    found.lengths = tuple(len(prompts[number]) for number in pack.order)
    if kept is not None:
        _keep(found, [prompts[number] for number in pack.order], kept)
    return found


class _PrefillAttention:
    """Attention over the pack and the kept prefixes before it; takes what decoding needs from each layer."""

    def __init__(self, pack: PromptPack, device: torch.device) -> None:
        self.found = Prefilled(pack, (), torch.empty(0))
        self._layout = attention_layout(pack.plan, device)
        width = self.found.tail_width
        padded = np.zeros((len(pack.tails), width), dtype=np.int64)
        for row, tail in zip(padded, pack.tails, strict=True):
            row[width - len(tail) :] = tail
        self._tails = torch.from_numpy(padded).to(device)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """See `SharedAttention`."""
        q, k = q.to(v.dtype), k.to(v.dtype)  # under autocast they come out of the rotary embedding in another type
        out, log_sum = attend_in_pack(q, k, v, self._layout, scale)
        for start, end, prefix, length in self.found.pack.outers:
            of = slice(start, end)
            keys, values = prefix.keys[layer][:, :, :length], prefix.values[layer][:, :, :length]
            attend_to_part(out[:, :, of], log_sum[:, :, of], q[:, :, of], keys, values, scale)
        self._take(layer, k, v)
        return out.to(q.dtype)

    def _take(self, layer: int, k: Tensor, v: Tensor) -> None:
        found = self.found
        if layer != len(found.tail_keys):
            raise ValueError(f"layer {layer} attends out of order")
        found.shared_keys.append([self._stretch(stretch, layer, k, "keys") for stretch in found.pack.shared])
        found.shared_values.append([self._stretch(stretch, layer, v, "values") for stretch in found.pack.shared])
        found.tail_keys.append(k[0][:, self._tails].transpose(0, 1).contiguous())
        found.tail_values.append(v[0][:, self._tails].transpose(0, 1).contiguous())

    def _stretch(self, shared: Shared, layer: int, x: Tensor, kind: str) -> Tensor:
        """(1, K, tokens, D). A copy, so that the whole pack needn't be held for it."""
        if shared.outer is not None:
            known: Tensor = getattr(shared.outer.prefix, kind)[layer]
            return known[:, :, : shared.outer.length]
        assert shared.node is not None
        return x[:, :, shared.node.start : shared.node.end].clone(memory_format=torch.contiguous_format)


def _keep(found: Prefilled, prompts: Sequence[NDArray[np.int64]], kept: KeptPrefixes) -> None:
    """Keep what stands before the tails of several prompts, or a prompt that came alone, if enough of it is new."""
    shared = found.pack.shared
    above = [tuple(i for i, s in enumerate(shared) if s.first <= p < s.last) for p in range(len(prompts))]
    tail = 0 if len(prompts) == 1 else None
    tokens = {path: sum(found.shared_keys[0][i].shape[2] for i in path) for path in above}
    for path in sorted(tokens, key=lambda path: -tokens[path]):
        token_ids = prompts[above.index(path)]
        if tail is None:
            token_ids = token_ids[: tokens[path]]
        if kept.worth(token_ids):
            keys = tuple(_joined(path, tail, *layer) for layer in zip(found.shared_keys, found.tail_keys, strict=True))
            values = zip(found.shared_values, found.tail_values, strict=True)
            kept.keep(KeptPrefix(token_ids.copy(), keys, tuple(_joined(path, tail, *layer) for layer in values)))


def _joined(path: Sequence[int], tail: int | None, stretches: Sequence[Tensor], tails: Tensor) -> Tensor:
    """(1, K, L, D): the stretches of a path, and behind them a prompt's tail."""
    own = [] if tail is None else [tails[tail : tail + 1]]
    return torch.cat([*(stretches[i] for i in path), *own], dim=2)
