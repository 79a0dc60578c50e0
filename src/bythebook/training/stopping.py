"""When a run saves, and how it is stopped: Ctrl-C and SIGTERM ask, the next safe point obeys."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from bythebook.training.checkpoints import Resumable

__all__ = ["SafePoints", "StopRequest"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Inside `with`, the first SIGINT or SIGTERM is noted and answered on standard error; a second one raises
    KeyboardInterrupt. Outside the main thread, where Python has no signals, it stays unasked."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        # Not through sys.stderr: the signal may have come in the middle of a write to it.
        os.write(2, b"\nstopping: the step is finished and a checkpoint saved first (once more: stop at once)\n")


class SafePoints(TrainerCallback):
    """Saves every `every` steps (0: never) and when asked to stop, each time at the first safe point from then on.

    Comes after transformers' own callback, whose decision to save it replaces.
    """

    def __init__(self, trainer: Resumable, every: int, stop: StopRequest, checkpoint: Path | None) -> None:
        self.trainer, self.every, self.stop, self.checkpoint = trainer, every, stop, checkpoint
        self._due = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if self.checkpoint:
            self.trainer.open_window(self.checkpoint)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.trainer.start_epoch(int(state.epoch or 0))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.every and (state.global_step % self.every == 0 or state.global_step >= state.max_steps):
            self._due = True
        asked, safe = self._asked(), self.trainer.at_safe_point()
        control.should_save = safe and (self._due or asked)
        self._due = self._due and not safe
        if safe and asked:
            control.should_training_stop = True

    def _asked(self) -> bool:
        """Whether any process was asked: a signal may reach one before another, and all must stop at one step."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return self.stop.asked
        mine = torch.tensor([int(self.stop.asked)], device=accelerator.device)
        self.stop.asked = bool(accelerator.gather(mine).any())
        return self.stop.asked
