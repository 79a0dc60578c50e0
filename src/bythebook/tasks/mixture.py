"""Training data of several tasks: `data.also` of a recipe, beside its own task or, with `steps`, before it; or drawn
from all of them by the weights of a mixture, each example once, until a drawn domain is exhausted (MoDoMoDo, arXiv
2505.24871)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bythebook.errors import RecipeError
from bythebook.mixtures import MixtureSampler
from bythebook.recipe import MoreData, Recipe, domain_names
from bythebook.tasks import task_named
from bythebook.tasks.base import Target
from bythebook.tasks.chosen import chosen_examples, chosen_target, names_records
from bythebook.tasks.few import chosen_few
from bythebook.types import Example

__all__ = ["DOMAIN", "Stage", "last_step", "more_examples", "stages_of", "training_examples", "training_target"]

_TASK, _STAGE = "task", "_stage"
"""The keys in `Example.meta` that name the task of an example from `data.also`, and its place there if it is of a
stage."""
DOMAIN = "_also"
"""The key in `Example.meta` of the domain of an example, in RL on several tasks."""


class Stage(NamedTuple):
    """Examples that are trained on for so many steps."""

    examples: list[Example]
    steps: int


def training_examples(recipe: Recipe, own: Sequence[Example]) -> list[Example]:
    """Everything that is trained on: the examples of the recipe's own task and those of `data.also`; where records are
    imitated, those that have one; of all these the few that `data.only` names, duplicated as `data.repeat` says. With
    `data.mixture`, what it draws, in that order. InputError for data or records that can't be read, RecipeError for
    shares that are none, and for a domain that has one and no example."""
    if recipe.method == "rl" and recipe.data.also:
        own = [_tagged(e, {DOMAIN: domain_names(recipe)[0]}) for e in own]
    found = [*own, *more_examples(recipe)]
    if recipe.data.mixture is not None:
        return _drawn(recipe, found, recipe.data.mixture)
    found = chosen_examples(str(recipe.data.target), found) if names_records(recipe.data.target) else found
    return chosen_few(recipe.data, found)


def _drawn(recipe: Recipe, examples: Sequence[Example], mixture: Mapping[str, float]) -> list[Example]:
    """All that a run of any length would draw, so that the draws of a longer run begin with those of a shorter one."""
    of: dict[str, list[Example]] = {name: [] for name in domain_names(recipe)}
    for example in examples:
        of[example.meta.get(DOMAIN, domain_names(recipe)[0])].append(example)
    try:
        sampler = MixtureSampler({name: len(rows) for name, rows in of.items()}, mixture, seed=recipe.seed)
    except ValueError as error:
        raise RecipeError(f"data.mixture: {error}", remedy="shares by name of the domain, with sum 1") from None
    return [of[name][place] for name, place in sampler]


def last_step(recipe: Recipe, examples: Sequence[Example]) -> int:
    """The step at which training ends: the recipe's last, or under a mixture the last whole batch before a drawn domain
    is exhausted. RecipeError if that comes before the first."""
    whole = recipe.training.max_steps
    if recipe.data.mixture is None or recipe.rollout is None or recipe.objective is None:
        return whole
    batches = len(examples) // recipe.rollout.prompts_per_step
    if not batches:
        raise RecipeError("data.mixture: a domain is exhausted before the first step", remedy="give it more examples")
    return min(whole, batches * recipe.objective.num_iterations)


def _tagged(example: Example, tags: Mapping[str, str]) -> Example:
    return example.model_copy(update={"meta": {**example.meta, **tags}})


def more_examples(recipe: Recipe) -> list[Example]:
    """The examples of every entry of `data.also`, each as often as its weight says; empty without any.

    A weight of 2.5 gives every example twice and half of them, drawn by the recipe's seed, once more. RecipeError for
    an entry without examples, for stages in RL, and for stages that leave no step to the recipe's own task; InputError
    for data that can't be read.
    """
    before = sum(more.steps or 0 for more in recipe.data.also)
    if before and recipe.method != "sft":
        raise RecipeError("data.also: stages (steps) are of fine-tuning", remedy="give the entry no steps")
    if before >= recipe.training.max_steps:
        left = f"training.max_steps: {recipe.training.max_steps} leaves none to the recipe's own task"
        raise RecipeError(f"data.also: the stages take {before} steps, {left}", remedy="raise training.max_steps")
    return [e for number, more in enumerate(recipe.data.also) for e in _weighted(more, number, recipe)]


def _weighted(more: MoreData, number: int, recipe: Recipe) -> list[Example]:
    path, options, tags = more.path, more.options, {_TASK: more.task}
    if recipe.method == "rl":
        tags[DOMAIN] = domain_names(recipe)[number + 1]
    if more.steps:
        tags[_STAGE] = str(number)
        if more.task == recipe.data.task:
            path, options = path or recipe.data.path, {**recipe.data.options, **options}
    found = task_named(more.task).read(path, **options).get(more.train_split, [])
    if not found:
        raise RecipeError(f"data.also: task {more.task!r} gives no examples in split {more.train_split!r}")
    found = [_tagged(e, tags) for e in found]
    whole = int(more.weight)
    rng = random.Random(f"bythebook mixture/{more.task}/{recipe.seed}")
    return found * whole + rng.sample(found, round((more.weight % 1) * len(found)))


def stages_of(recipe: Recipe, examples: Sequence[Example]) -> list[Stage]:
    """The stages in the order of `data.also`, last what has no `steps`, for the steps that are left; empty where no
    entry has any. RecipeError for a stage of which no example is left."""
    named = {str(number): more.steps for number, more in enumerate(recipe.data.also) if more.steps}
    if not named:
        return []
    members: dict[str, list[Example]] = {name: [] for name in (*named, "")}
    for example in examples:
        members[example.meta.get(_STAGE, "")].append(example)
    empty = next((name for name, rows in members.items() if not rows), None)
    if empty is not None:
        raise RecipeError(f"there is nothing to train on in {f'data.also.{empty}' if empty else 'the last stage'}")
    steps = {**named, "": recipe.training.max_steps - sum(named.values())}
    return [Stage(rows, steps[name]) for name, rows in members.items()]


def training_target(recipe: Recipe) -> Target:
    """SFT: what is imitated, `data.target` of the task that each example comes from, or the records that it names.
    RecipeError if a task lacks it."""
    wanted = recipe.data.target or ""
    if names_records(wanted):
        return chosen_target
    names: Sequence[str] = [recipe.data.task, *(more.task for more in recipe.data.also)]
    targets: dict[str, Target] = {}
    for name in names:
        has = task_named(name).targets
        if wanted not in has:
            raise RecipeError(f"task {name!r} has no target {wanted!r}", remedy=f"it has: {', '.join(has)}")
        targets[name] = has[wanted]
    own = targets[recipe.data.task]
    return lambda example, rng: targets.get(example.meta.get(_TASK, ""), own)(example, rng)
