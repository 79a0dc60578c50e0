"""The model and tokenizer that a recipe trains: a folder, the hub, the package, from scratch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import torch
from pydantic import ValidationError

from bythebook.errors import MissingExtraError, ModelError, RecipeError, said
from bythebook.generation import ModelSettings, settings_of
from bythebook.generation.chat import sees, tokenizer_of
from bythebook.generation.loading import local_path
from bythebook.generation.weights import ADAPTER_CONFIG, load_weights
from bythebook.prompts import render, source_text, style_of
from bythebook.recipe import Recipe
from bythebook.tasks import task_named
from bythebook.tasks.world.circuits import circuit_vocabulary
from bythebook.tasks.world.plain_forms import plain_pieces, plain_vocabulary
from bythebook.tasks.world.programs import written_programs
from bythebook.tasks.world.table_themes import table_pieces, table_vocabulary
from bythebook.tasks.world.words import joint_pieces, joint_vocabulary, vocabulary
from bythebook.training.adapters import check_targets
from bythebook.training.pictures import check_pictures
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer, train_tokenizer
from bythebook.training.small_seeing_models import build_seeing_model, vision_config
from bythebook.types import Example

__all__ = ["load_for_training"]

_GUIDELINE_EVERY = 20
"""One prompt in so many is read whole when a tokenizer is trained, so that the words of the guideline are known."""

_LOOKED_AT = 100
"""Examples whose tokens are compared with the model's rows."""


def load_for_training(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any, ModelSettings]:
    """(model, tokenizer, settings to save with it). ModelError if the model can't be loaded; a `scratch` model gets
    a vocabulary of the frequent words of the training examples. A model that reads pictures comes with its processor
    in the place of the tokenizer; RecipeError for pictures that the model can't read."""
    model, tokenizer, settings = _loaded(recipe, examples)
    check_pictures(recipe, tokenizer, examples)
    if recipe.model.freeze:
        _freeze(model, recipe)
    return model, tokenizer, settings


def _freeze(model: Any, recipe: Recipe) -> None:
    """Train what comes after the first layers alone. RecipeError where nothing would be left."""
    first, layers = recipe.model.freeze, getattr(model.get_decoder(), "layers", ())
    if recipe.model.lora:
        raise RecipeError(
            "model.freeze beside model.lora", remedy="an adapter leaves every weight as it is: leave it out"
        )
    if first >= len(layers):
        raise RecipeError(f"model.freeze: {first} of {len(layers)} layers", remedy="leave one to be trained")
    model.requires_grad_(False)
    for layer in layers[first:]:
        layer.requires_grad_(True)


def _loaded(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any, ModelSettings]:
    m = recipe.model
    if recipe.rollout and recipe.rollout.use_vllm and find_spec("vllm") is None:
        raise MissingExtraError("rollout.use_vllm", "vllm")
    wanted = style_of(recipe.prompt)
    if m.path == "scratch":
        settings = ModelSettings(
            **wanted.model_dump(),
            closed_vocabulary=m.scratch.get("words") in _WORDS,
            max_new_tokens=recipe.evaluation.max_new_tokens,
        )
        return *_from_scratch(recipe, examples), settings
    folder = local_path(m.path)
    if m.lora and folder and (folder / ADAPTER_CONFIG).is_file():
        raise ModelError("an adapter can't carry another one", file=folder, remedy="start from the merged model")
    model, tokenizer = load_weights(
        folder or m.path, dtype=getattr(torch, m.dtype), revision=m.revision, pictures=any(e.picture for e in examples)
    )
    model.named_in_recipe, model.reads_pictures = m.path, sees(tokenizer)
    _give_pad_token(tokenizer_of(tokenizer), model, m.path)
    _check_tokens(tokenizer_of(tokenizer), model, m.path, examples)
    if m.lora:
        check_targets(m.lora, model)
    known = settings_of(folder) if folder else ModelSettings()
    return model, tokenizer, known.model_copy(update=wanted.model_dump())


def _give_pad_token(tokenizer: Any, model: Any, name: str) -> None:
    """Pad with the end token where there is no pad token: padding is masked everywhere. ModelError without an end
    token, because a completion could never end."""
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"the tokenizer of {name!r} has no end token", remedy="set eos_token in its tokenizer_config.json"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    rows = model.get_input_embeddings().num_embeddings
    if tokenizer.eos_token_id >= rows or tokenizer.pad_token_id >= rows:
        raise ModelError(
            f"the tokenizer of {name!r} has tokens beyond the {rows} of the model",
            remedy="use the model's own tokenizer",
        )


def _check_tokens(tokenizer: Any, model: Any, name: str, examples: Sequence[Example]) -> None:
    """ModelError for a token of the examples that the model has no row for: the tokenizer is another model's."""
    rows = model.get_input_embeddings().num_embeddings
    texts = [source_text(e) for e in examples[:_LOOKED_AT]]
    highest = max((i for ids in tokenizer(texts)["input_ids"] for i in ids), default=0) if texts else 0
    if highest >= rows:
        raise ModelError(
            f"the tokenizer of {name!r} gives token {highest}, the model has {rows}",
            remedy="use the model's own tokenizer",
        )


_WORDS = {
    "world": lambda: build_tokenizer(vocabulary()),
    "world_joint": lambda: build_tokenizer(joint_vocabulary(), joint_pieces()),
    "world_circuits": lambda: build_tokenizer(*circuit_vocabulary()),
    "world_forms": lambda: build_tokenizer(plain_vocabulary(), plain_pieces()),
    "world_programs": lambda: build_tokenizer(*written_programs()),
    "world_tables": lambda: build_tokenizer(table_vocabulary(), table_pieces()),
}
"""Vocabularies that are known beforehand."""


def _from_scratch(recipe: Recipe, examples: Sequence[Example]) -> tuple[Any, Any]:
    options = dict(recipe.model.scratch)
    size, source = options.pop("vocabulary", 6000), options.pop("words", None)
    vision = options.pop("vision", None)
    if type(size) is not int or size < 1:
        raise RecipeError(f"model.scratch.vocabulary: {size!r} is no number of tokens")
    if source not in (None, *_WORDS):
        remedy = f"{', '.join(_WORDS)}, or leave it out"
        raise RecipeError(f"model.scratch.words: there are no words {source!r}", remedy=remedy)
    if source in _WORDS:
        tokenizer = _WORDS[source]()
    else:
        style = style_of(recipe.prompt)
        target, rng = task_named(recipe.data.task).targets.get(recipe.data.target or ""), random.Random(recipe.seed)
        texts = [source_text(e) for e in examples]
        texts += [target(e, rng) for e in examples] if target else []
        texts += [render(e, style)[0]["content"] for e in examples[::_GUIDELINE_EVERY]]
        tokenizer = train_tokenizer(texts, size)
    try:
        config = SmallModelConfig.model_validate(options)
    except ValidationError as error:
        raise RecipeError(
            f"model.scratch.{said(error)}",
            remedy=f"options are: words, vocabulary, vision, {', '.join(SmallModelConfig.model_fields)}",
        ) from None
    try:
        if vision is not None:
            return build_seeing_model(config, vision_config(vision), tokenizer, recipe.seed)
        return build_model(config, tokenizer, recipe.seed), tokenizer
    except (RuntimeError, ValueError) as error:  # more than the memory holds, or too small for the lookup heads
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise RecipeError(f"model.scratch: no model can be built of these sizes: {reason}") from None
