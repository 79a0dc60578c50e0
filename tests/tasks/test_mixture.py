from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe, load_recipe
from bythebook.tasks.mixture import more_examples, training_target


def _recipe(*also: dict[str, Any], name: str = "r1_re_tiny", settings: tuple[str, ...] = ()) -> Recipe:
    return load_recipe(name, [f"data.also={json.dumps(list(also))}", *settings])


WORLD = {"task": "world", "options": {"train": 10, "seed": 7}}


def test_without_more_data_there_are_no_more_examples() -> None:
    assert more_examples(load_recipe("r1_re_tiny")) == []


@pytest.mark.parametrize(("weight", "counts"), [(1, {1: 10}), (2, {2: 10}), (0.5, {1: 5}), (2.5, {2: 5, 3: 5})])
def test_a_weight_says_how_often_an_example_stands(weight: float, counts: dict[int, int]) -> None:
    found = more_examples(_recipe({**WORLD, "weight": weight}))
    assert Counter(Counter(e.id for e in found).values()) == counts
    assert all(e.meta["task"] == "world" for e in found)


def test_the_draw_is_that_of_the_seed() -> None:
    def drawn(seed: int) -> list[str]:
        return [e.id for e in more_examples(_recipe({**WORLD, "weight": 0.5}, settings=(f"seed={seed}",)))]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(6)}) > 1


def test_each_task_gives_its_own_target(fixtures: Path) -> None:
    more = {"task": "semeval2010", "path": str(fixtures / "semeval2010_task8")}
    recipe = _recipe(more, name="r1_re_tiny_sft")
    other = more_examples(recipe)[0]
    target = training_target(recipe)
    assert target(other, random.Random(0)) == f"<answer>{other.gold}</answer>"
    own = more_examples(_recipe(WORLD))[0].model_copy(update={"meta": {}})
    assert target(own, random.Random(0)) == f"<answer> {own.gold}</answer>"


def test_a_task_without_the_target_is_named(fixtures: Path) -> None:
    more = {"task": "semeval2010", "path": str(fixtures / "semeval2010_task8")}
    with pytest.raises(RecipeError, match=r"'semeval2010' has no target 'careful' \(it has: answer"):
        training_target(_recipe(more, name="r1_re_tiny_sft", settings=("data.target=careful",)))


def test_more_data_without_examples_is_an_error() -> None:
    with pytest.raises(RecipeError, match=r"data\.also: task 'world' gives no examples in split 'dev'"):
        more_examples(_recipe({**WORLD, "train_split": "dev"}))


@pytest.mark.parametrize("wrong", [{"weight": 0}, {"weight": -1}, {"taks": "x"}, {"weight": float("inf")}])
def test_a_wrong_entry_is_refused_when_the_recipe_is_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"data\.also\.0"):
        _recipe({**WORLD, **wrong})


def test_an_entry_is_overridden_by_its_number() -> None:
    recipe = load_recipe("r1_re_mixed", ["data.also.0.path=x", "data.also.0.weight=2"])
    assert (recipe.data.also[0].path, recipe.data.also[0].weight) == ("x", 2)


@pytest.mark.parametrize("place", ["1", "-1", "first", "²"])
def test_an_entry_that_is_not_there_is_named(place: str) -> None:
    with pytest.raises(RecipeError, match=f"no entry '{place}'"):
        load_recipe("r1_re_mixed", [f"data.also.{place}.path=x"])
