"""What a recipe may say of several domains: names, shares, rewards; and where training then ends."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe, domain_names, load_recipe
from bythebook.tasks import task_named
from bythebook.tasks.mixture import DOMAIN, last_step, training_examples
from bythebook.types import Example

WORLD = {"task": "world", "name": "more", "options": {"train": 12, "seed": 7}}
CHOICE = {"task": "world_mcqa", "options": {"train": 12}}
REWARD = {"name": "med_rlvr"}
EVEN = {"world": 0.5, "world_mcqa": 0.5}


def recipe(*also: dict[str, Any], mixture: dict[str, float] | None = None, settings: tuple[str, ...] = ()) -> Recipe:
    drawn = [] if mixture is None else [f"data.mixture={json.dumps(mixture)}"]
    return load_recipe("r1_re_tiny", ["data.options.train=12", f"data.also={json.dumps(also)}", *drawn, *settings])


def drawn(of: Recipe) -> list[Example]:
    return training_examples(of, task_named("world").read(None, **of.data.options)["train"])


def test_a_domain_is_called_by_its_name_or_by_its_task() -> None:
    assert domain_names(recipe(WORLD, CHOICE)) == ("world", "more", "world_mcqa")
    assert domain_names(recipe(CHOICE, settings=("data.name=own",))) == ("own", "world_mcqa")


@pytest.mark.parametrize(
    ("also", "mixture", "settings", "said"),
    [
        ([{**WORLD, "name": None}], {"world": 1}, (), "two domains are called 'world'"),
        ([{**CHOICE, "name": "world", "reward": REWARD}], None, (), "two domains are called 'world'"),
        ([CHOICE], {"wrold": 1}, (), "no domain is called 'wrold'; there are: world, world_mcqa"),
        ([{**CHOICE, "weight": 2}], EVEN, (), r"data\.also\.0\.weight beside data\.mixture"),
        ([CHOICE], EVEN, ('data.only=["x"]',), r"data\.only beside data\.mixture"),
        ([CHOICE], EVEN, ("data.repeat=64",), r"data\.repeat beside data\.mixture"),
        ([CHOICE], EVEN, ("rollout.refill={rule: fixed, max_prompts: 48}",), r"rollout\.refill beside data\.mixture"),
        ([CHOICE], None, ("data.reward_ranges=some",), "reward_ranges"),
    ],
)
def test_what_leaves_no_room_for_a_mixture_is_refused_when_the_recipe_is_read(
    also: list[dict[str, Any]], mixture: dict[str, float] | None, settings: tuple[str, ...], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        recipe(*also, mixture=mixture, settings=settings)


@pytest.mark.parametrize(
    "setting", [f"data.also={json.dumps([{**CHOICE, 'reward': REWARD}])}", 'data.mixture={"world": 1}']
)
def test_fine_tuning_has_neither_rewards_nor_a_mixture(setting: str) -> None:
    with pytest.raises(RecipeError, match=r"data\.(also\.0\.reward|mixture) is of RL"):
        load_recipe("r1_re_tiny_sft", [setting])


def test_draws_follow_the_shares_and_repeat_nothing() -> None:
    big = ("data.options.train=400",)
    found = drawn(
        recipe({**CHOICE, "options": {"train": 400}}, mixture={"world": 0.8, "world_mcqa": 0.2}, settings=big)
    )
    counts = Counter(e.meta[DOMAIN] for e in found)
    assert len({e.id for e in found}) == len(found)
    assert counts["world"] == 400  # the likelier one is exhausted first
    # 400 of one are drawn beside 100 of the other, whose deviation is 11.
    assert 60 < counts["world_mcqa"] < 140


def test_a_domain_without_a_share_is_not_drawn() -> None:
    assert {e.meta[DOMAIN] for e in drawn(recipe(WORLD, CHOICE, mixture={"more": 1.0}))} == {"more"}


@pytest.mark.parametrize(
    ("mixture", "said"),
    [({"world": 0.5}, "have the sum 1, not 0.5"), ({"world": 2.0, "world_mcqa": -1.0}, "weights are numbers from 0")],
)
def test_shares_that_are_none_are_refused(mixture: dict[str, float], said: str) -> None:
    with pytest.raises(RecipeError, match=rf"data\.mixture: .*{said}"):
        drawn(recipe(CHOICE, mixture=mixture))


def test_the_seed_decides_the_draws() -> None:
    def ids(seed: int) -> list[str]:
        return [e.id for e in drawn(recipe(CHOICE, mixture=EVEN, settings=(f"seed={seed}",)))]

    assert ids(1) == ids(1) != ids(2)


@pytest.mark.parametrize(("steps", "updates", "last"), [(2, 1, 2), (99, 1, 1), (99, 2, 2)])
def test_training_ends_after_the_last_whole_batch(steps: int, updates: int, last: int) -> None:
    settings = (f"training.max_steps={steps}", f"objective.num_iterations={updates}", "rollout.prompts_per_step=10")
    of = recipe(CHOICE, mixture=EVEN, settings=settings)
    found = drawn(of)
    assert 10 <= len(found) <= 24
    rows = [*found, *found] if steps == 2 else found[:19]
    assert last_step(of, rows) == last


def test_without_a_mixture_training_ends_where_the_recipe_says() -> None:
    assert last_step(recipe(CHOICE), []) == load_recipe("r1_re_tiny").training.max_steps
