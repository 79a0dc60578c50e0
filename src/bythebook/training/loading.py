"""The model and tokenizer that a recipe trains: a folder, the hub, the package, from scratch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from bythebook.errors import ModelError, RecipeError
from bythebook.generation import EMBEDDED, ModelSettings, embedded_path, settings_of
from bythebook.prompts import PromptStyle, marked_text, render
from bythebook.recipe import Recipe
from bythebook.tasks import task_named
from bythebook.tasks.world.words import vocabulary
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer, train_tokenizer
from bythebook.types import Example

__all__ = ["load_for_training"]

_GUIDELINE_EVERY = 20
"""One prompt in so many is read whole when a tokenizer is trained, so that the words of the guideline are known."""


def load_for_training(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any, ModelSettings]:
    """(model, tokenizer, settings to save with it). ModelError if the model can't be loaded; a `scratch` model gets
    a vocabulary of the frequent words of the training examples."""
    m = recipe.model
    wanted = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
    if m.path == "scratch":
        settings = ModelSettings(
            template=wanted.template,
            rendering=wanted.rendering,
            closed_vocabulary=m.scratch.get("words") == "world",
            max_new_tokens=recipe.evaluation.max_new_tokens,
        )
        return *_from_scratch(recipe, examples), settings
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
    return model, tokenizer, known.model_copy(update=wanted.model_dump())


def _from_scratch(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any]:
    options = dict(recipe.model.scratch)
    size, source = int(options.pop("vocabulary", 6000)), options.pop("words", None)
    if source == "world":
        tokenizer = build_tokenizer(vocabulary())
    else:
        style = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
        target, rng = task_named(recipe.data.task).targets.get(recipe.data.target or ""), random.Random(recipe.seed)
        texts = [marked_text(e) for e in examples]
        texts += [target(e, rng) for e in examples] if target else []
        texts += [render(e, style)[0]["content"] for e in examples[::_GUIDELINE_EVERY]]
        tokenizer = train_tokenizer(texts, size)
    try:
        config = SmallModelConfig.model_validate(options)
    except ValueError as error:
        raise RecipeError(f"model.scratch: {error}") from None
    return build_model(config, tokenizer, recipe.seed), tokenizer
