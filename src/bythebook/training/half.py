"""A saved model in half the space."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

__all__ = ["half_precision"]


def half_precision(model: Path, target: Path) -> None:
    """A copy of a saved model whose weights take two bytes each. Its config.json goes on to say float32, in which it is
    loaded, since CPUs are slow in half precision."""
    shutil.copytree(model, target, dirs_exist_ok=True)
    weights = load_file(target / "model.safetensors")
    save_file(
        {name: tensor.to(torch.float16).contiguous() for name, tensor in weights.items()},
        target / "model.safetensors",
        metadata={"format": "pt"},
    )
    (target / "model.safetensors").chmod(0o644)  # as the other files; it is written for its owner alone
