"""Weights of a checkpoint that stand under other names than in the model.

transformers writes models that read pictures under the names of former versions, and its trainer, which resumes by the
names alone, would find none of them and go on with the weights that are there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open

__all__ = ["load_renamed"]

_WHOLE, _PIECES = "model.safetensors", "model.safetensors.index.json"


def load_renamed(model: Any, checkpoint: Path) -> bool:
    """Put the weights of a checkpoint into the model, if they have other names there; whether they had."""
    names = _names(checkpoint)
    if not hasattr(type(model), "from_pretrained") or names <= set(model.state_dict()):
        return False
    saved = type(model).from_pretrained(checkpoint, dtype=model.dtype, use_safetensors=True)
    model.load_state_dict(saved.state_dict())
    return True


def _names(checkpoint: Path) -> set[str]:
    """Of the weights there; empty where the checkpoint is no whole model."""
    if (checkpoint / _PIECES).is_file():
        return set(json.loads((checkpoint / _PIECES).read_text(encoding="utf-8"))["weight_map"])
    if (checkpoint / _WHOLE).is_file():
        with safe_open(checkpoint / _WHOLE, framework="pt") as file:
            return set(file.keys())
    return set()
