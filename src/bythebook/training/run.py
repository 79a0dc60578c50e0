"""One recipe → one run directory with a trained model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, set_seed
from transformers.utils.logging import disable_progress_bar

from bythebook.errors import Interrupted, RecipeError
from bythebook.generation.chat import starts_inside_thinking
from bythebook.prompts import PromptStyle
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import digest_of
from bythebook.rewards.circuits import need_for
from bythebook.tasks import task_named
from bythebook.tasks.mixture import training_examples, training_target
from bythebook.training.checkpoints import Resumable, checkpoint_step, newest_checkpoint
from bythebook.training.choose import make_chooser
from bythebook.training.environment import write_environment
from bythebook.training.grpo import make_grpo_trainer
from bythebook.training.loading import load_for_training
from bythebook.training.probe import make_probe
from bythebook.training.processes import check_processes, gathered_state, is_first, refuse_sharded
from bythebook.training.progress import MetricsCallback, ProbeCallback
from bythebook.training.resume import claim, finished_model, keep_model, resumable, rewind
from bythebook.training.sft import make_sft_trainer
from bythebook.training.stopping import SafePoints, StopRequest
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
    and `model/`. With `resume` the run there goes on from its last checkpoint, as if it had never stopped
    (`training.checkpoints`); a finished one is left as it is, and where there is none one starts. Without `resume`
    the rest of an unfinished run there is removed, and a finished one is an InputError. InputError, too, if
    something is wrong with recipe, data or model, or if it is the directory of another recipe; `Interrupted` after
    Ctrl-C or SIGTERM, with a checkpoint from which `resume` goes on.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, overrides)
    output = Path(output)
    refuse_sharded(recipe)
    if is_first():
        claim(recipe, output, resume=resume)
    if resume and (finished := finished_model(output)):
        return finished
    _set_up(recipe)
    splits, examples = _read(recipe)
    made_with = digest_of(examples)
    checkpoint = resumable(output, made_with) if resume else None
    model, tokenizer, settings = load_for_training(recipe, examples)
    progress = MetricsCallback(output / "metrics.jsonl", recipe.name, quiet=quiet)
    chooser = make_chooser(recipe, model, tokenizer, splits, settings, output)
    probes = [chooser] if chooser else _probes(recipe, model, tokenizer, splits, settings.style, output)
    trainer = _trainer(recipe, model, tokenizer, examples, output, [progress, *probes])
    trainer.examples_digest = made_with
    processes = check_processes(trainer)
    if is_first():
        write_environment(output / "environment.json", recipe.seed, processes)
    with StopRequest() as stop:
        trainer.add_callback(SafePoints(trainer, recipe.training.save_steps, stop, checkpoint))
        _run(trainer, output, checkpoint, progress)
        if (step := trainer.state.global_step) < trainer.args.max_steps:
            raise Interrupted(f"stopped at step {step}, with a checkpoint; the same command with --resume goes on")
        state, kept = gathered_state(trainer), output / "model"
        if trainer.is_world_process_zero():
            chooser.take(kept) if chooser else keep_model(trainer.model, tokenizer, settings, kept, state)
        trainer.accelerator.wait_for_everyone()
    if stop.asked:
        raise Interrupted("stopped after the last step, with the model saved; the same command with --resume goes on")
    return output / "model"


def _set_up(recipe: Recipe) -> None:
    disable_progress_bar()
    # TRL 1.16 uses the old names of transformers' activation checkpointing.
    warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing", category=FutureWarning)
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)
    set_seed(recipe.seed)


def _read(recipe: Recipe) -> tuple[dict[str, list[Example]], list[Example]]:
    """(examples by split, those to train on). RecipeError if there are none to train on."""
    task = task_named(recipe.data.task)
    splits = task.read(recipe.data.path, **recipe.data.options)
    examples = splits.get(recipe.data.train_split, [])
    if not examples:
        raise RecipeError(
            f"task {task.name!r} gives no examples in split {recipe.data.train_split!r}",
            remedy=f"splits here are: {', '.join(splits) or 'none'}",
        )
    if recipe.method == "rl" or recipe.evaluation.every:
        need_for(e for rows in splits.values() for e in rows)
    return splits, training_examples(recipe, examples)


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
    probe = make_probe(model, tokenizer, watched, style, e.max_new_tokens, style.tags)
    return [ProbeCallback(output / "metrics.jsonl", e.every, probe)]


def _trainer(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    output: Path,
    callbacks: Sequence[Any],
) -> Any:
    (output / "records").mkdir(parents=True, exist_ok=True)
    prefilled = starts_inside_thinking(tokenizer)
    trainer: Any
    if recipe.method == "rl":
        trainer = make_grpo_trainer(recipe, model, tokenizer, examples, output, callbacks, prefilled=prefilled)
    else:
        target = training_target(recipe)
        trainer = make_sft_trainer(recipe, model, tokenizer, examples, target, output, callbacks, prefilled=prefilled)
    # transformers' own printer writes to standard output, which belongs to results.
    trainer.remove_callback(PrinterCallback)
    return trainer


def _run(trainer: Resumable, output: Path, checkpoint: Path | None, progress: MetricsCallback) -> None:
    step = checkpoint_step(checkpoint) if checkpoint else 0
    if trainer.is_world_process_zero():
        rewind(output, step)
    trainer.accelerator.wait_for_everyone()
    try:
        if checkpoint and step >= trainer.args.max_steps:
            # Only saving the model was left; the training loop would take one step more.
            trainer._load_from_checkpoint(str(checkpoint))
            trainer.state.global_step = step
        else:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except KeyboardInterrupt:
        last = newest_checkpoint(output / "checkpoints")
        where = f"step {checkpoint_step(last[0])}, of which there is a checkpoint" if last else "the beginning"
        raise Interrupted(f"stopped at once; the same command with --resume goes on from {where}") from None
    finally:
        progress.close()
