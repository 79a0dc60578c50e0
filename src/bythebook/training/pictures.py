"""What a recipe may ask for where pictures go with the examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bythebook.errors import RecipeError
from bythebook.generation.chat import sees
from bythebook.recipe import Recipe
from bythebook.types import Example

__all__ = ["check_pictures"]

_TEXT_ONLY = "pictures go with the examples"


def check_pictures(recipe: Recipe, processing: Any, examples: Sequence[Example]) -> None:
    """RecipeError where some examples have pictures and others none, for pictures that the model can't read, and for
    what works on tokens alone. `processing` is the model's tokenizer or processor."""
    pictured = [e.picture is not None for e in examples]
    if not any(pictured):
        return
    if not all(pictured):
        without = examples[pictured.index(False)].id
        raise RecipeError(f"some examples have pictures, {without} has none", remedy="set data.options.images for all")
    if not sees(processing):
        raise RecipeError(
            f"{_TEXT_ONLY}, and {recipe.model.path!r} reads text alone",
            remedy="set model.path to an image-text-to-text model, or data.options.images to false",
        )
    for key, why, instead in _blind(recipe):
        raise RecipeError(f"{key}: {_TEXT_ONLY}, and {why}", remedy=instead)


def _blind(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    """(key, why not, what to do instead) of everything that the recipe asks for and pictures do not go through."""
    o, r, t = recipe.objective, recipe.rollout, recipe.training
    if recipe.reward and recipe.reward.name == "probability":
        yield "reward.name", "the probability is computed from tokens alone", "choose another reward"
    if o and o.ppo:
        yield "objective.ppo", "the critic reads text alone", "leave it out"
    if o and o.kl_in_reward:
        yield "objective.kl_in_reward", "its KL is computed from tokens alone", "set it to 0 and use objective.beta"
    if r and r.refill:
        yield "rollout.refill", "groups are exchanged by their tokens alone", "set it to null"
    if t.sentences_per_row > 1:
        yield "training.sentences_per_row", "a row has one picture", "set it to 1"
    if t.group_by_length and recipe.method == "sft":
        yield "training.group_by_length", "the length of a picture is not known beforehand", "set it to false"
    if recipe.method == "sft" and any(more.steps for more in recipe.data.also):
        yield "data.also", "stages are made of texts alone", "leave out their steps"
    if recipe.prompt.shuffle_relations or recipe.prompt.rename_labels != "none":
        yield (
            "prompt",
            "other renderings are made of texts alone",
            "set shuffle_relations to false, rename_labels to none",
        )
