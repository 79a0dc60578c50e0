"""Live progress of a training run, and its `metrics.jsonl`."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from bythebook.records import append_jsonl

__all__ = ["DOMAINS", "METRICS", "MetricsCallback", "ProbeCallback"]

DOMAINS = "domain/"
"""How the names of metrics of one domain begin; they are kept as they are."""

METRICS = {
    "loss": "loss",
    "reward": "reward",
    "format_rate": "format_rate",
    "accuracy": "accuracy",
    "f1": "f1",
    "completions/mean_length": "completion_length",
    "entropy": "entropy",
    "kl": "kl",
    "clip_ratio/region_mean": "clip_ratio",
    "frac_reward_zero_std": "groups_without_signal",
    "reward/kl": "kl_in_reward",
    "critic/loss": "value_loss",
    "critic/explained_variance": "explained_variance",
    "critic/return": "mean_return",
    "critic/value": "mean_value",
    "critic/clip_ratio": "value_clip_ratio",
    "critic/grad_norm": "critic_grad_norm",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "mean_token_accuracy": "token_accuracy",
    "completions/clipped_ratio": "truncated",
    "archer/reasoning": "reasoning_tokens",
    "archer/roles_told": "roles_told",
    "archer/reasoning/entropy": "reasoning_entropy",
    "archer/knowledge/entropy": "knowledge_entropy",
    "archer/reasoning/kl": "reasoning_kl",
    "archer/knowledge/kl": "knowledge_kl",
    "archer/reasoning/clip": "reasoning_clip_ratio",
    "archer/knowledge/clip": "knowledge_clip_ratio",
    "probability/probability": "reference_probability",
    "probability/baseline": "reference_probability_bare",
    "overlong/share": "overlong",
    "refill/prompts": "prompts_drawn",
    "refill/rounds": "rounds_of_sampling",
    "refill/tokens": "tokens_generated",
    "refill/all_right": "groups_all_right",
    "refill/all_wrong": "groups_all_wrong",
    "refill/all_equal": "groups_all_equal",
    "refill/short": "groups_not_refilled",
    "stages/format_failure": "stage_format_failure",
    "stages/verbose_formatter": "stage_verbose_formatter",
    "stages/concise_structurer": "stage_concise_structurer",
    "stages/direct_answer_hacker": "stage_direct_answer_hacker",
    "stages/step_by_step_exploit": "stage_step_by_step_exploit",
    "stages/reintegrated_reasoning": "stage_reintegrated_reasoning",
    **{
        f"self_play/{role}_{kind}_{name}": f"{role}_{kind}_{name}"
        for role in ("proposer", "solver")
        for kind in ("deduction", "abduction", "induction")
        for name in ("reward", "ok")
    },
    "shared_prefix/tokens_saved": "tokens_saved",
    "shared_prefix/prefix_recomputed": "prefix_recomputed",
}
"""TRL's name → ours, in `metrics.jsonl`."""

_SHOWN = ("reward", "format_rate", "accuracy", "f1", "completion_length", "entropy", "groups_without_signal", "loss")
_SHORT = {"format_rate": "format", "completion_length": "length", "groups_without_signal": "no signal"}


class MetricsCallback(TrainerCallback):
    """Writes one line a logging step to `metrics.jsonl` and shows the latest one on standard error."""

    def __init__(self, path: Path, title: str, quiet: bool = False) -> None:
        self.path, self.title = path, title
        self._console = Console(stderr=True, quiet=quiet)
        self._bar: Progress | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.is_world_process_zero and state.global_step == 0 and self.path.exists():
            self.path.unlink()
        if not state.is_world_process_zero or not sys.stderr.isatty() or self._console.quiet:
            return
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[latest]}"),
            console=self._console,
        )
        self._bar.start()
        self._task = self._bar.add_task(self.title, total=state.max_steps, completed=state.global_step, latest="")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        row = {ours: _number((logs or {})[theirs]) for theirs, ours in METRICS.items() if theirs in (logs or {})}
        row |= {name: _number(value) for name, value in (logs or {}).items() if name.startswith(DOMAINS)}
        if not row or not state.is_world_process_zero or "train_runtime" in (logs or {}):
            return
        append_jsonl(self.path, [{"step": state.global_step, **row}])
        latest = "  ".join(f"{_SHORT.get(k, k)} {row[k]:.3g}" for k in _SHOWN if row.get(k) is not None)
        if self._bar:
            self._bar.update(self._task, completed=state.global_step, latest=latest)
        elif state.global_step % max(1, state.max_steps // 10) == 0:
            self._console.print(f"{self.title}: step {state.global_step}/{state.max_steps}  {latest}", highlight=False)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar off the screen."""
        if self._bar:
            self._bar.stop()
            self._bar = None


class ProbeCallback(TrainerCallback):
    """Every `every` steps (and before the first), asks `probe` for accuracies and writes them to `metrics.jsonl`."""

    def __init__(self, path: Path, every: int, probe: Callable[[], dict[str, float | None]]) -> None:
        self.path, self.every, self.probe = path, every, probe

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        if state.global_step == 0:
            self._write(state)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            self._write(state)

    def _write(self, state: TrainerState) -> None:
        if state.is_world_process_zero:
            append_jsonl(self.path, [{"step": state.global_step, "eval": self.probe()}])


def _number(value: float | None) -> float | None:
    """JSON has no NaN, and TRL gives None for a mean over nothing."""
    return float(value) if value is not None and math.isfinite(value) else None
