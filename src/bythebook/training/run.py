"""One recipe → one run directory with a trained model."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from transformers.trainer_utils import get_last_checkpoint

from bythebook.errors import BythebookError, InputError, ModelError, RecipeError
from bythebook.generation import EMBEDDED, ModelSettings, embedded_path, settings_of, write_settings
from bythebook.generation.chat import starts_inside_thinking
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import Recipe, dump_recipe, load_recipe
from bythebook.tasks import task_named
from bythebook.tasks.world.words import vocabulary
from bythebook.training.environment import write_environment
from bythebook.training.grpo import make_grpo_trainer
from bythebook.training.probe import make_probe
from bythebook.training.progress import MetricsCallback, ProbeCallback
from bythebook.training.sft import make_sft_trainer
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer, frequent_words
from bythebook.types import Example

__all__ = ["Interrupted", "load_for_training", "train"]


class Interrupted(BythebookError):
    """The run was stopped by Ctrl-C; its state is saved."""


def load_for_training(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any, ModelSettings]:
    """(model, tokenizer, settings to save with it). ModelError if the model can't be loaded; a `scratch` model gets
    a vocabulary of the frequent words of the training examples."""
    m = recipe.model
    style = {"template": recipe.prompt.template, "rendering": recipe.prompt.rendering}
    if m.path == "scratch":
        return *_from_scratch(recipe, examples), ModelSettings(
            **style, closed_vocabulary=True, max_new_tokens=recipe.evaluation.max_new_tokens
        )
    location: str | Path = embedded_path() if m.path == EMBEDDED else m.path
    try:
        tokenizer = AutoTokenizer.from_pretrained(location, revision=m.revision)
        model = AutoModelForCausalLM.from_pretrained(
            location, revision=m.revision, dtype=getattr(torch, m.dtype), use_safetensors=True
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"model {m.path!r} can't be loaded: {reason}", remedy="set model.path to a folder or a hub id"
        ) from None
    known = settings_of(location) if Path(location).is_dir() else ModelSettings()
    return model, tokenizer, known.model_copy(update=style)


def _from_scratch(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any]:
    options = dict(recipe.model.scratch)
    limit = int(options.pop("vocabulary", 8000))
    task = task_named(recipe.data.task)
    if options.pop("words", None) == "world":
        words = list(vocabulary())
    else:
        style = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
        texts = [render(e, style)[0]["content"] for e in examples]
        target = task.targets.get(recipe.data.target or "")
        rng = random.Random(recipe.seed)
        texts += [target(e, rng) for e in examples] if target else []
        words = [*frequent_words(texts, limit), "user", "assistant", "system"]
    try:
        config = SmallModelConfig.model_validate(options)
    except ValueError as error:
        raise RecipeError(f"model.scratch: {error}") from None
    tokenizer = build_tokenizer(words)
    return build_model(config, tokenizer, recipe.seed), tokenizer


def _fixed_threads(recipe: Recipe) -> None:
    if recipe.training.threads:
        torch.set_num_threads(recipe.training.threads)


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
    if (output / "model").exists() and not resume:
        raise InputError("there is a finished run here", file=output, remedy="choose another --output")
    _fixed_threads(recipe)
    set_seed(recipe.seed)
    task = task_named(recipe.data.task)
    splits = task.load(recipe.data.path, **recipe.data.options)
    examples = splits.get(recipe.data.train_split, [])
    if not examples:
        raise RecipeError(f"task {task.name!r} gives no examples in split {recipe.data.train_split!r}")
    model, tokenizer, settings = load_for_training(recipe, examples)
    (output / "records").mkdir(parents=True, exist_ok=True)
    (output / "recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    write_environment(output / "environment.json", recipe.seed)
    progress = MetricsCallback(output / "metrics.jsonl", recipe.name, quiet=quiet)
    callbacks: list[Any] = [progress]
    e = recipe.evaluation
    if e.every:
        watched = {name: splits[name][: e.limit] for name in e.splits if name in splits}
        probe = make_probe(model, tokenizer, watched, settings.style, e.max_new_tokens)
        callbacks.append(ProbeCallback(output / "metrics.jsonl", e.every, probe))
    prefilled = starts_inside_thinking(tokenizer)
    if recipe.method == "rl":
        trainer: Any = make_grpo_trainer(recipe, model, tokenizer, examples, output, callbacks, prefilled=prefilled)
    else:
        target = task.targets.get(recipe.data.target or "")
        if target is None:
            raise RecipeError(
                f"task {task.name!r} has no target {recipe.data.target!r}", remedy=f"it has: {', '.join(task.targets)}"
            )
        trainer = make_sft_trainer(
            recipe, model, tokenizer, examples, target, output, callbacks, prefilled=prefilled
        )
    _run(trainer, output, resume, progress)
    folder = output / "model"
    trainer.model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_settings(folder, settings)
    return folder


def _run(trainer: Any, output: Path, resume: bool, progress: MetricsCallback) -> None:
    checkpoint = get_last_checkpoint(str(output / "checkpoints")) if resume and (output / "checkpoints").is_dir() else None
    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except KeyboardInterrupt:
        progress.close()
        trainer._save_checkpoint(trainer.model, trial=None)
        raise Interrupted(f"stopped at step {trainer.state.global_step}; the same command with --resume goes on") from None
