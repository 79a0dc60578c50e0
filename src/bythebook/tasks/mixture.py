"""Training data of several tasks: `data.also` of a recipe, beside its own task."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bythebook.errors import RecipeError
from bythebook.recipe import MoreData, Recipe
from bythebook.tasks import task_named
from bythebook.tasks.base import Target
from bythebook.types import Example

__all__ = ["more_examples", "training_target"]

_TASK = "task"
"""The key in `Example.meta` that names the task of an example from `data.also`."""


def more_examples(recipe: Recipe) -> list[Example]:
    """The examples of every entry of `data.also`, each as often as its weight says; empty without any.

    A weight of 2.5 gives every example twice and half of them, drawn by the recipe's seed, once more. RecipeError for
    an entry without examples; InputError for data that can't be read.
    """
    return [example for more in recipe.data.also for example in _weighted(more, recipe.seed)]


def _weighted(more: MoreData, seed: int) -> list[Example]:
    found = task_named(more.task).read(more.path, **more.options).get(more.train_split, [])
    if not found:
        raise RecipeError(f"data.also: task {more.task!r} gives no examples in split {more.train_split!r}")
    found = [e.model_copy(update={"meta": {**e.meta, _TASK: more.task}}) for e in found]
    whole = int(more.weight)
    drawn = random.Random(f"bythebook mixture/{more.task}/{seed}").sample(found, round((more.weight % 1) * len(found)))
    return found * whole + drawn


def training_target(recipe: Recipe) -> Target:
    """SFT: what is imitated, `data.target` of the task that each example comes from. RecipeError if a task lacks it."""
    wanted = recipe.data.target or ""
    names: Sequence[str] = [recipe.data.task, *(more.task for more in recipe.data.also)]
    targets: dict[str, Target] = {}
    for name in names:
        has = task_named(name).targets
        if wanted not in has:
            raise RecipeError(f"task {name!r} has no target {wanted!r}", remedy=f"it has: {', '.join(has)}")
        targets[name] = has[wanted]
    own = targets[recipe.data.task]
    return lambda example, rng: targets.get(example.meta.get(_TASK, ""), own)(example, rng)
