"""The domains of an RL recipe: its own task and the entries of `data.also`, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bythebook.recipe.sections import Recipe

__all__ = ["domain_names", "refuse_mixing"]


def domain_names(recipe: Recipe) -> tuple[str, ...]:
    """The own task's name, then that of each entry."""
    data = recipe.data
    return (data.name or data.task, *(more.name or more.task for more in data.also))


def refuse_mixing(recipe: Recipe) -> None:
    """ValueError for a mixture, or rewards of domains, that the rest of the recipe leaves no room for."""
    data, names = recipe.data, domain_names(recipe)
    rewarded = [f"data.also.{i}.reward" for i, more in enumerate(data.also) if more.reward]
    if recipe.method != "rl" and (rewarded or data.mixture is not None):
        raise ValueError(f"{rewarded[0] if rewarded else 'data.mixture'} is of RL")
    for i, more in enumerate(data.also):
        if more.reward and more.reward.overlong:
            raise ValueError(f"data.also.{i}.reward.overlong: reward.overlong is for the completions of all domains")
    if not rewarded and data.mixture is None:
        return
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"data.also: two domains are called {twice!r}: give them a name each")
    if data.mixture is None:
        return
    if unknown := next((name for name in data.mixture if name not in names), None):
        raise ValueError(f"data.mixture: no domain is called {unknown!r}; there are: {', '.join(names)}")
    heaped = [f"data.also.{i}.weight" for i, more in enumerate(data.also) if more.weight != 1]
    others = {"data.only": bool(data.only), "data.repeat": data.repeat is not None}
    if beside := next((key for key in (*heaped, *(k for k, said in others.items() if said))), None):
        raise ValueError(f"{beside} beside data.mixture: the mixture draws every example once, by its shares")
    if recipe.rollout and recipe.rollout.refill:
        raise ValueError("rollout.refill beside data.mixture: what it draws in place of others has other shares")
