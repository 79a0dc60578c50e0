"""Kept prefixes on disk, for a model that stays what it is.

A file is named after what it holds: `<weights>-<dtype>-<token ids>.safetensors`, where the first and last part are the
beginnings of SHA-256 hashes. A file that is damaged counts as absent and is written again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

__all__ = ["PrefixFiles", "StoredPrefix", "weights_hash"]

# Shapes: L tokens of a prefix, K heads of keys and values, D head size.

_NAME = re.compile(r"[0-9a-f]{32}-[a-z0-9]+-[0-9a-f]{32}\.safetensors")
_FORMAT = "bythebook.prefix/1"
_MOST = 16
"""Files in a folder; the oldest are deleted beyond it."""

StoredPrefix = tuple[NDArray[np.int64], tuple[Tensor, ...], tuple[Tensor, ...]]
"""Token ids (L,), and of each layer keys and values, (1, K, L, D)."""


class PrefixFiles:
    """The prefixes of one model in a folder, which may not exist yet."""

    def __init__(self, folder: Path, weights: str) -> None:
        self.folder, self._weights = folder, weights

    def load(self, device: torch.device, most: int) -> Iterator[StoredPrefix]:
        """The newest ones that are whole."""
        found = [p for p in _files(self.folder) if p.name.startswith(self._weights[:32])]
        for path in found[:most]:
            with contextlib.suppress(OSError, SafetensorError, ValueError, KeyError):
                yield self._read(path, device)

    def save(self, prefix: StoredPrefix) -> None:
        """Write a prefix, whole or not at all. OSError where that can't be done."""
        token_ids, keys, values = prefix
        tensors = {"token_ids": torch.from_numpy(token_ids)}
        tensors |= {f"keys.{layer}": x.contiguous().cpu() for layer, x in enumerate(keys)}
        tensors |= {f"values.{layer}": x.contiguous().cpu() for layer, x in enumerate(values)}
        about = {"format": _FORMAT, "weights": self._weights, "content": _content_hash(tensors)}
        dtype = str(keys[0].dtype).removeprefix("torch.")
        name = f"{self._weights[:32]}-{dtype}-{hashlib.sha256(token_ids.tobytes()).hexdigest()[:32]}.safetensors"
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=self.folder, suffix=".unfinished")
        os.close(handle)
        try:
            save_file(tensors, unfinished, metadata=about)
            os.replace(unfinished, self.folder / name)
        finally:
            Path(unfinished).unlink(missing_ok=True)
        for old in _files(self.folder)[_MOST:]:
            old.unlink(missing_ok=True)

    def _read(self, path: Path, device: torch.device) -> StoredPrefix:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if about.get("format") != _FORMAT or about.get("weights") != self._weights:
            raise ValueError("another format, or other weights")
        if about.get("content") != _content_hash(tensors):
            raise ValueError("the file is damaged")
        layers = range((len(tensors) - 1) // 2)
        keys, values = (tuple(tensors[f"{kind}.{i}"].to(device) for i in layers) for kind in ("keys", "values"))
        return tensors["token_ids"].numpy(), keys, values


def weights_hash(model: Any) -> str:
    """Of all that the outputs depend on: the configuration, and every parameter and buffer with its name."""
    config = model.config.to_dict()
    for moot in ("_name_or_path", "transformers_version", "_attn_implementation", "use_cache", "torch_dtype", "dtype"):
        config.pop(moot, None)
    digest = hashlib.sha256(repr(sorted(config.items())).encode())
    for name, tensor in sorted((*model.named_parameters(), *model.named_buffers())):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _content_hash(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    array: Any = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return memoryview(array)


def _files(folder: Path) -> list[Path]:
    """Ours, the newest first."""
    try:
        found = [(path.stat().st_mtime, path) for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]
