"""Checkpoints from which a run goes on as if it had never stopped.

Safe points. A checkpoint is written where an optimiser step ends and, in RL, no rollout is waiting for a further
update: rollouts of one generation may serve several steps (`num_iterations`, or `steps_per_generation` beyond the
accumulation), and in between they live in a private buffer of TRL. A checkpoint that falls due there is written at the
next safe point. The other way, the buffer inside the checkpoint, would write every rollout's tensors on every process,
rest on the buffer's layout, which TRL has changed, and have to restore TRL's count of micro-batches; all that to save a
few steps, which the next attempt repeats exactly anyway.

Whole or not at all. A checkpoint is put together in `checkpoints/.part`, flushed to the disk and renamed; then the
oldest ones go, after a rename of their own. `checkpoint-N` is one that holds `run.json`, which is written last.

What the libraries leave out. transformers keeps weights, optimiser, schedule and random states. Here are added the
order of the examples (a function of seed and epoch alone) and the window of metrics between two lines of
`metrics.jsonl`.

After `kill -9` this gives, on one CPU with the same number of threads, the bits of an uninterrupted run. On a GPU, or
with vLLM, it gives the same examples and states; kernels that add up in another order each time stay what they are.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.utils.data import Sampler
from transformers import Trainer

from bythebook.errors import InputError
from bythebook.training.checkpoint_weights import load_renamed

__all__ = ["EpochOrder", "Resumable", "checkpoint_step", "discard", "newest_checkpoint", "saving", "sync_tree"]

_MARKER = "run.json"
_PREFIX = "checkpoint-"
_TORCH_CANT_WRITE = ("inline_container", "PytorchStreamWriter", "unexpected pos")
"""By which a RuntimeError of `torch.save` is known as one of the disk."""


class EpochOrder(Sampler[int]):
    """A sampler whose order depends on seed and epoch alone, not on how often it or a global generator was used."""

    def __init__(self, inner: Any, seed: int) -> None:
        """`inner` draws from its attribute `generator`."""
        self.inner, self.seed, self.epoch = inner, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """The next iteration is that of this epoch, counted from 0."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        self.inner.generator = torch.Generator().manual_seed(self.seed + self.epoch)
        yield from self.inner

    def __len__(self) -> int:
        return len(self.inner)


class Resumable(Trainer):
    """What both trainers share so that a resumed run equals an uninterrupted one. Comes before TRL's trainer among the
    base classes. `examples_digest` tells the training examples from others."""

    examples_digest = ""
    _staging: Path | None = None
    _order: EpochOrder | None = None

    def at_safe_point(self) -> bool:
        """Whether no rollout waits for a further update. True after every step of SFT."""
        every = getattr(self.args, "steps_per_generation", 1) * getattr(self.args, "num_iterations", 1)
        return int(getattr(self, "_step", 0)) % every == 0

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
        sampler = super()._get_train_sampler(*args, **kwargs)
        if not hasattr(sampler, "generator"):
            return sampler
        seed = self.args.seed if self.args.data_seed is None else self.args.data_seed
        self._order = EpochOrder(sampler, seed)
        return self._order

    def start_epoch(self, epoch: int) -> None:
        """Set the order by hand: after a resumption accelerate does not reach the sampler in every process."""
        if self._order is not None:
            self._order.set_epoch(epoch)

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging) if self._staging else super()._get_output_dir(trial)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder, name = Path(str(self.args.output_dir)), f"{_PREFIX}{self.state.global_step}"
        staging, first = folder / ".part", self.is_world_process_zero()
        if first:
            discard(staging)
        self.accelerator.wait_for_everyone()
        self._staging = staging
        with saving(staging):
            try:
                super()._save_checkpoint(model, trial)
            finally:
                self._staging = None
            if first:
                self._save_more(staging / name)
            self._window_file(staging / name).write_text(json.dumps(self._window()), encoding="utf-8")
        self.accelerator.wait_for_everyone()
        if first:
            marker = {"step": self.state.global_step, "examples": self.examples_digest}
            with saving(staging):
                (staging / name / _MARKER).write_text(json.dumps(marker), encoding="utf-8")
                sync_tree(staging / name)
            discard(folder / name)
            (staging / name).rename(folder / name)
            discard(staging)
            for old in _checkpoints(folder)[: -(self.args.save_total_limit or 1)]:
                discard(old)
        self.accelerator.wait_for_everyone()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if not load_renamed(self.model if model is None else model, Path(resume_from_checkpoint)):
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _issue_warnings_after_load(self, load_result: Any) -> None:
        # Tied weights are stored once; transformers would call the other name missing.
        tied = set(getattr(self.model, "all_tied_weights_keys", None) or ())
        if load_result.unexpected_keys or not tied.issuperset(load_result.missing_keys):
            super()._issue_warnings_after_load(load_result)

    def _window_file(self, checkpoint: Path) -> Path:
        return checkpoint / f"window-{self.args.process_index}.json"

    def _window(self) -> dict[str, Any]:
        """Loss and metrics since the last line of metrics; a float32 survives JSON."""
        return {
            "loss": self._tr_loss.item(),
            "since": self._globalstep_last_logged,
            "metrics": {name: [float(x) for x in values] for name, values in self._gathered().items()},
            "more": self._more_state(),
        }

    def open_window(self, checkpoint: Path) -> None:
        """Put back what `_window` kept. Called when the training loop has set its own start values. InputError if the
        checkpoint is that of another number of processes, each of which has a random state of its own."""
        made_by, now = len(list(checkpoint.glob("window-*.json"))), self.accelerator.num_processes
        if made_by != now:
            message = f"this checkpoint was made by {made_by} processes, now there are {now}"
            raise InputError(message, file=checkpoint, remedy=f"start {made_by} to go on")
        kept = json.loads(self._window_file(checkpoint).read_text(encoding="utf-8"))
        self._tr_loss.fill_(kept["loss"])
        self._globalstep_last_logged = kept["since"]
        self._gathered().update(kept["metrics"])
        if more := kept.get("more"):
            self._restore(more)
        self._load_more(checkpoint)

    def _more_state(self) -> dict[str, Any]:
        """What a trainer has to keep beside all this, as JSON can hold it."""
        return {}

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `_more_state` kept."""

    def _save_more(self, folder: Path) -> None:
        """Files that a trainer has to keep beside all this, for all processes."""

    def _load_more(self, checkpoint: Path) -> None:
        """Read what `_save_more` wrote. InputError if it can't be read."""

    def _gathered(self) -> dict[str, list[float]]:
        """What TRL will average in the next line of metrics."""
        found: dict[str, list[float]] = vars(self)["_metrics"]["train"]
        return found


def checkpoint_step(checkpoint: Path) -> int:
    """After how many optimiser steps it was written."""
    return int(checkpoint.name.removeprefix(_PREFIX))


def newest_checkpoint(folder: Path) -> tuple[Path, str] | None:
    """The last whole checkpoint of the folder with the digest of its training examples; None without one."""
    for checkpoint in reversed(_checkpoints(folder)):
        try:
            marker = json.loads((checkpoint / _MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(marker, dict) and marker.get("step") == checkpoint_step(checkpoint):
            return checkpoint, str(marker.get("examples"))
    return None


def _checkpoints(folder: Path) -> list[Path]:
    found = [p for p in folder.glob(f"{_PREFIX}*") if p.name.removeprefix(_PREFIX).isdecimal() and p.is_dir()]
    return sorted(found, key=checkpoint_step)


def discard(path: Path) -> None:
    """Remove a folder, if it is there, under another name, so that no half of it is ever found under its own."""
    going = path.with_name(f".gone-{path.name.lstrip('.')}")
    shutil.rmtree(going, ignore_errors=True)
    if path.exists():
        path.rename(going)
        shutil.rmtree(going, ignore_errors=True)


@contextmanager
def saving(staging: Path) -> Iterator[None]:
    """Inside, weights are written into a folder that is renamed when it is whole. Where that fails, because the disk
    is full, it is removed; InputError names it, whatever the library calls the failure."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if isinstance(error, RuntimeError) and not any(mark in said for mark in _TORCH_CANT_WRITE):
            raise
        shutil.rmtree(staging, ignore_errors=True)
        reason = (error.strerror or said) if isinstance(error, OSError) else said[:200]
        remedy = "make room, then give the same command with --resume"
        raise InputError(f"can't be written: {reason}", file=staging.parent, remedy=remedy) from None


def sync_tree(folder: Path) -> None:
    """Have the disk hold every file of the folder, so that a power failure after the rename finds it whole."""
    for path in (*folder.rglob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
