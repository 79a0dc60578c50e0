"""One recipe → one run directory with a trained model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, set_seed
from transformers.trainer_utils import get_last_checkpoint
from transformers.utils.logging import disable_progress_bar

from bythebook.errors import InputError, Interrupted, RecipeError
from bythebook.generation import write_settings
from bythebook.generation.chat import starts_inside_thinking
from bythebook.prompts import PromptStyle
from bythebook.recipe import Recipe, dump_recipe, load_recipe
from bythebook.records import drop_torn_line, read_jsonl, write_jsonl
from bythebook.tasks import Task, task_named
from bythebook.training.environment import write_environment
from bythebook.training.grpo import make_grpo_trainer
from bythebook.training.loading import load_for_training
from bythebook.training.probe import make_probe
from bythebook.training.progress import MetricsCallback, ProbeCallback
from bythebook.training.sft import make_sft_trainer
from bythebook.types import Example

__all__ = ["train"]


def train(
    recipe: Recipe | str | Path,
    *,
    output: Path | str,
    overrides: Sequence[str] = (),
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Run a recipe (an object, the name of one in the package, or a YAML file); returns the folder of the model.

    The run directory holds `recipe.yaml` (resolved), `environment.json`, `metrics.jsonl`, `records/`, `checkpoints/`
    and `model/`. InputError if something is wrong with recipe, data or model; `Interrupted` after Ctrl-C, with a
    checkpoint from which `resume` goes on.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, overrides)
    output = Path(output)
    if (output / "model" / "config.json").exists() and not resume:
        raise InputError("there is a finished run here", file=output, remedy="choose another --output")
    disable_progress_bar()
    # TRL 1.16 uses the old names of transformers' activation checkpointing.
    warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing", category=FutureWarning)
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)
    set_seed(recipe.seed)
    task = task_named(recipe.data.task)
    splits = task.read(recipe.data.path, **recipe.data.options)
    examples = splits.get(recipe.data.train_split, [])
    if not examples:
        raise RecipeError(f"task {task.name!r} gives no examples in split {recipe.data.train_split!r}")
    model, tokenizer, settings = load_for_training(recipe, examples)
    (output / "records").mkdir(parents=True, exist_ok=True)
    (output / "recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    write_environment(output / "environment.json", recipe.seed)
    progress = MetricsCallback(output / "metrics.jsonl", recipe.name, quiet=quiet)
    callbacks: list[Any] = [progress, *_probes(recipe, model, tokenizer, splits, settings.style, output)]
    trainer = _trainer(recipe, task, model, tokenizer, examples, output, callbacks)
    # transformers' own printer writes to standard output, which belongs to results.
    trainer.remove_callback(PrinterCallback)
    _run(trainer, output, resume, progress)
    folder = output / "model"
    trainer.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_settings(folder, settings)
    return folder


def _probes(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    splits: Mapping[str, Sequence[Example]],
    style: PromptStyle,
    output: Path,
) -> list[ProbeCallback]:
    e = recipe.evaluation
    watched = {name: splits[name][: e.limit] for name in e.splits if name in splits}
    if not e.every or not watched:
        return []
    probe = make_probe(model, tokenizer, watched, style, e.max_new_tokens)
    return [ProbeCallback(output / "metrics.jsonl", e.every, probe)]


def _trainer(
    recipe: Recipe,
    task: Task,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    output: Path,
    callbacks: Sequence[Any],
) -> Any:
    prefilled = starts_inside_thinking(tokenizer)
    if recipe.method == "rl":
        return make_grpo_trainer(recipe, model, tokenizer, examples, output, callbacks, prefilled=prefilled)
    target = task.targets.get(recipe.data.target or "")
    if target is None:
        raise RecipeError(
            f"task {task.name!r} has no target {recipe.data.target!r}", remedy=f"it has: {', '.join(task.targets)}"
        )
    return make_sft_trainer(recipe, model, tokenizer, examples, target, output, callbacks, prefilled=prefilled)


def _run(trainer: Any, output: Path, resume: bool, progress: MetricsCallback) -> None:
    saved = output / "checkpoints"
    checkpoint = get_last_checkpoint(str(saved)) if resume and saved.is_dir() else None
    if trainer.is_world_process_zero():
        _rewind(output, int(checkpoint.rpartition("-")[2]) if checkpoint else 0)
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except KeyboardInterrupt:
        progress.close()
        trainer._save_checkpoint(trainer.model, trial=None)
        step = trainer.state.global_step
        raise Interrupted(f"stopped at step {step}; the same command with --resume goes on") from None


def _rewind(output: Path, step: int) -> None:
    """Drop what a former attempt wrote after step `step`, from which this one goes on: it is made again."""
    # A rollout's step counts the updates before it, a metric's step those up to it.
    for file, last in ((output / "metrics.jsonl", step), (output / "records" / "rollouts.jsonl", step - 1)):
        if file.exists():
            drop_torn_line(file)
            write_jsonl(file, [row for _, row in read_jsonl(file) if step > 0 and row["step"] <= last])
