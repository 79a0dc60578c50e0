"""Prefixes whose keys and values are kept, from one batch to the next and from one call to the next.

They are those of certain weights: whoever computed them says so by a fingerprint, and prefixes of other weights are
forgotten.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bythebook.generation.shared.kept_files import PrefixFiles, weights_hash
from bythebook.prefix import common_prefix

__all__ = ["KeptPrefix", "KeptPrefixes", "fingerprint"]

# Shapes: L tokens of a prefix, K heads of keys and values, D head size.

_MOST = 4
"""Prefixes kept at once."""
_TOKENS = 16_384
"""Tokens of all of them but the newest."""
_SHORTEST = 32
"""Tokens from which a prefix is worth keeping, or using."""
_NEW = 0.25
"""Share of a prefix that must be new to be worth keeping beside those that are."""
_LOOKED_AT = 16
"""Numbers of each parameter that the fingerprint reads."""


@dataclass(frozen=True, eq=False)
class KeptPrefix:
    """The first tokens of some prompts, with what every layer made of them."""

    token_ids: NDArray[np.int64]
    """(L,)"""
    keys: tuple[Tensor, ...]
    """(1, K, L, D) of each layer."""
    values: tuple[Tensor, ...]
    """(1, K, L, D) of each layer."""

    def __len__(self) -> int:
        return len(self.token_ids)


class KeptPrefixes:
    """A few prefixes of one model, the most recently used first; in `folder`, too, if there is one."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._files: PrefixFiles | None = None
        self._prefixes: list[KeptPrefix] = []
        self._weights: bytes | None = None

    def __len__(self) -> int:
        return len(self._prefixes)

    def of(self, model: Any) -> KeptPrefixes:
        """Itself, with nothing in it that was computed with other weights than the model has now."""
        weights = fingerprint(model)
        if weights is None or weights != self._weights:
            self._prefixes.clear()
            self._files = None
            if self._folder is not None and weights is not None:
                self._files = PrefixFiles(self._folder, weights_hash(model))
                stored = self._files.load(next(model.parameters()).device, _MOST)
                self._prefixes += [KeptPrefix(*prefix) for prefix in stored]
        self._weights = weights
        return self

    def longest(self, token_ids: NDArray[np.int64], most: int) -> tuple[KeptPrefix | None, int]:
        """(prefix, length): the one that has the most of these tokens, up to `most` of them, and how many; (None, 0)
        where there is none worth using."""
        best: tuple[KeptPrefix | None, int] = None, 0
        for prefix in self._prefixes:
            length = min(most, common_prefix(prefix.token_ids, token_ids))
            if length >= _SHORTEST and length > best[1]:
                best = prefix, length
        return best

    def worth(self, token_ids: NDArray[np.int64]) -> bool:
        """Whether so much of this prefix is new that it should be kept, too."""
        _, known = self.longest(token_ids, len(token_ids))
        return len(token_ids) >= _SHORTEST and len(token_ids) - known > _NEW * len(token_ids)

    def keep(self, prefix: KeptPrefix) -> None:
        """For the next batches; the ones that were not used for longest are forgotten for it."""
        self._prefixes.insert(0, prefix)
        self._forget()
        if self._files is not None:
            try:
                self._files.save((prefix.token_ids, prefix.keys, prefix.values))
            except OSError as error:
                self._files = None
                warnings.warn(f"prefixes can't be kept in {self._folder}: {error}", stacklevel=2)

    def used(self, prefix: KeptPrefix) -> None:
        """It goes to the front."""
        self._prefixes.sort(key=lambda other: other is not prefix)

    def _forget(self) -> None:
        del self._prefixes[_MOST:]
        while sum(map(len, self._prefixes[1:])) > _TOKENS:
            self._prefixes.pop()


def fingerprint(model: Any) -> bytes | None:
    """Of the weights as they are now: where they lie, how often they were changed in place, and a few numbers of each,
    for changes that PyTorch does not count; and of adapters, which are switched without a change. None where it can't
    be told, as for some forms of quantised weights."""
    try:
        return _fingerprint(model)
    except (RuntimeError, TypeError):
        return None


def _fingerprint(model: Any) -> bytes | None:
    told: list[Any] = []
    looked_at: list[Tensor] = []
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.is_inference() or tensor.device.type == "meta":
            return None
        told.append((name, tensor.data_ptr(), tensor._version, tuple(tensor.shape), str(tensor.dtype)))
        if tensor.numel():
            flat = tensor.detach().reshape(-1) if tensor.is_contiguous() else tensor.detach()[:1].reshape(-1)
            looked_at.append(flat[:: max(1, len(flat) // _LOOKED_AT)][:_LOOKED_AT].to(torch.float32))
    layers = (module for module in model.modules() if isinstance(getattr(module, "disable_adapters", None), bool))
    told += [_adapter_state(layer) for layer in layers]
    by_device: dict[torch.device, list[Tensor]] = {}
    for piece in looked_at:
        by_device.setdefault(piece.device, []).append(piece)
    digest = hashlib.sha256(repr(told).encode())
    for pieces in by_device.values():
        digest.update(torch.cat(pieces).cpu().numpy().tobytes())
    return digest.digest()


def _adapter_state(layer: Any) -> tuple[Any, ...]:
    """Of a layer of peft's."""
    return layer.disable_adapters, tuple(layer.active_adapters), tuple(layer.merged_adapters)
