"""What a side of a bench needs of whoever measures it."""

from __future__ import annotations

from typing import Any, Protocol

import torch

__all__ = ["CudaMemory", "Turns", "measured_on"]


class Turns(Protocol):
    """The turns of a side; `studies.bench_sides` has them."""

    meter: Any

    def begin(self) -> None:
        """Wait for the turn."""

    def end(self, value: Any = None) -> None:
        """The work is done; `value` is what it gave."""


class CudaMemory:
    """Memory that tensors hold on the GPU, and waiting for it."""

    def start(self) -> None:
        """What is held now is the baseline."""
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        self._baseline = torch.cuda.memory_allocated()

    def peak(self) -> int:
        """Most bytes held since then, beyond the baseline."""
        return torch.cuda.max_memory_allocated() - self._baseline

    def synchronize(self) -> None:
        """Wait until the GPU has done what it was told."""
        torch.cuda.synchronize()


def measured_on(turns: Turns, device: str) -> Turns:
    """The turns, with the memory of `device` measured: that of the process, where it is a processor."""
    if device != "cpu":
        turns.meter = CudaMemory()
    return turns
