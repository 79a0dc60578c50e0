"""RL on several tasks: a reward for each domain, and what became of each domain in a batch."""

from __future__ import annotations

from collections.abc import Iterable

from bythebook.errors import RecipeError
from bythebook.judging.from_recipe import JUDGED
from bythebook.recipe import Recipe, RewardSection, domain_names
from bythebook.records import Record
from bythebook.rewards import TextReward, reward
from bythebook.rewards.routed import RoutedReward, pay_range, same_range
from bythebook.stats import mean
from bythebook.training.probability_scorer import NAME as PROBABILITY

__all__ = ["TAG", "by_domain", "routed_reward"]

TAG = "reward_of"
"""The tag of a record, and the column of a row, that names the domain."""


def routed_reward(recipe: Recipe, *, prefilled: bool) -> RoutedReward | None:
    """What pays each domain by its own reward; None where no entry of `data.also` has one. RecipeError for one that has
    to ask a model or has tags of its own, and for ranges that differ unless the recipe lets them."""
    if recipe.reward is None or not any(more.reward for more in recipe.data.also):
        return None
    sections = [recipe.reward, *(more.reward or recipe.reward for more in recipe.data.also)]
    rewards = {
        name: _reward(section, name, recipe, prefilled=prefilled)
        for name, section in zip(domain_names(recipe), sections, strict=True)
    }
    if recipe.data.reward_ranges == "same" and not same_range(list(rewards.values())):
        raise RecipeError(
            f"the rewards of the domains pay in different ranges: {_ranges(rewards)}",
            remedy="set their options, or data.reward_ranges to any",
        )
    return RoutedReward(rewards)


def _reward(section: RewardSection, domain: str, recipe: Recipe, *, prefilled: bool) -> TextReward:
    if section.name in (PROBABILITY, JUDGED):
        message = f"the reward {section.name!r} of the domain {domain!r} has to ask a model"
        raise RecipeError(message, remedy="beside rewards of other domains a program judges: choose another")
    if "tags" in section.options:
        raise RecipeError(f"the reward of {domain!r}: the tags belong to the prompt, too", remedy="set prompt.tags")
    return reward(section.name, prefilled=prefilled, tags=recipe.prompt.tags, **section.options)


def _ranges(rewards: dict[str, TextReward]) -> str:
    found = {name: pay_range(reward) for name, reward in rewards.items()}
    return ", ".join(f"{n} unknown" if r is None else f"{n} {r[0]:g} to {r[1]:g}" for n, r in found.items())


def by_domain(records: Iterable[Record]) -> dict[str, float]:
    """`<domain>/share`, `/reward`, `/accuracy` and `/format_rate` of the rollouts of a batch; empty where they name no
    domain. A domain without a rollout has none of them, one without a scored one no reward."""
    of: dict[str, list[Record]] = {}
    rows = list(records)
    for record in rows:
        if TAG in record.tags:
            of.setdefault(record.tags[TAG], []).append(record)
    found: dict[str, float | None] = {}
    for name, mine in of.items():
        found[f"{name}/share"] = len(mine) / len(rows)
        found[f"{name}/reward"] = mean(r.value for r in mine if r.value is not None)
        found[f"{name}/accuracy"] = mean(float(bool(r.correct)) for r in mine)
        found[f"{name}/format_rate"] = mean(float(r.well_formed) for r in mine)
    return {name: value for name, value in found.items() if value is not None}
