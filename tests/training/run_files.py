"""Runs that are killed, and what they must have in common with runs that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tripwire import Killed

from bythebook.training.stopping import SafePoints

FILES = ("metrics.jsonl", "records/rollouts.jsonl")


def differences(whole: Path, resumed: Path) -> list[str]:
    """What is not equal bit by bit: metrics, rollouts, weights; what the model's folder holds; leftovers."""
    found = [name for name in FILES if _bytes(whole / name) != _bytes(resumed / name)]
    first, second = (load_file(run / "model" / "model.safetensors") for run in (whole, resumed))
    found += [f"keys {sorted(set(first) ^ set(second))}"] if set(first) != set(second) else []
    found += [name for name in first if not torch.equal(first[name], second.get(name, torch.empty(0)))]
    if _names(whole / "model") != _names(resumed / "model"):
        found.append("files of the model")
    found += [str(p) for p in resumed.iterdir() if p.name.startswith(".") or p.suffix == ".part"]
    return found


def checkpoints(run: Path) -> list[int]:
    """The steps of its checkpoints."""
    return sorted(int(p.name.removeprefix("checkpoint-")) for p in (run / "checkpoints").glob("checkpoint-*"))


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def _names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def killed_at(event: str, step: int, act: Callable[[], None] | None = None) -> type[SafePoints]:
    """Safe points under which the run is killed, or `act` is called, at an event of the step after `step`."""

    def hit(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == step and not getattr(self, "hit", False):
            self.hit = True
            if act is None:
                raise Killed
            act()

    return type("_Killed", (SafePoints,), {event: hit})
