"""The recipes of joint extraction: what they reward, where they start, and that a schedule is whole."""

from __future__ import annotations

import pytest

from bythebook.recipe import load_recipe, recipe_names
from bythebook.rewards import R2GRPO, R1RETriplets, R2GRPORelease, reward
from bythebook.tasks import task_named
from bythebook.tasks.mixture import training_target

JOINT = [name for name in recipe_names() if load_recipe(name).data.task in ("scier", "world_joint")]


def test_every_published_row_has_a_recipe_and_a_miniature() -> None:
    whole = {"mimic_sft", "scier_sft", "r2grpo", "r2grpo_no_mimic", "scier_grpo", "r1_re_triplets"}
    assert whole | {f"{name}_tiny" for name in whole} <= set(JOINT)


@pytest.mark.parametrize("name", JOINT)
def test_reward_target_and_tags_of_a_recipe_exist(name: str) -> None:
    recipe = load_recipe(name)
    if recipe.method == "sft":
        training_target(recipe)
        assert (recipe.prompt.tags == "plan") == (recipe.data.target == "mimic")
    elif recipe.reward:
        judge = reward(recipe.reward.name, tags=recipe.prompt.tags, **recipe.reward.options).judge
        assert "extraction" in judge.reads
    if recipe.warm_start:
        started = load_recipe(recipe.warm_start)
        assert started.data.task == recipe.data.task
        assert started.warm_start is None  # of a warm start's own nothing is run
        assert name.endswith("_tiny") == recipe.warm_start.endswith("_tiny")
    assert set(recipe.evaluation.splits) <= {"dev", *task_named(recipe.data.task).in_domain, "test_ood", "ood"}


def test_the_weights_written_out_are_those_of_the_reward() -> None:
    section = load_recipe("r2grpo").reward
    assert section is not None
    judge = reward(section.name, **section.options).judge
    assert judge == R2GRPO()
    left = set(R2GRPO.model_fields) - set(section.options)
    assert left == {"reasoning", "no_relation", "longest_quote"}
    triplets = load_recipe("r1_re_triplets").reward
    assert triplets is not None
    assert reward(triplets.name, **triplets.options).judge == R1RETriplets()


def test_plain_grpo_pays_nothing_for_reasoning() -> None:
    section = load_recipe("scier_grpo").reward
    assert section is not None
    judge = reward(section.name, **section.options).judge
    assert isinstance(judge, R2GRPO)
    assert (judge.reasoning, judge.overlap) == (0.0, 0.0)


def test_the_release_takes_the_place_of_the_mended_reward() -> None:
    recipe = load_recipe("r2grpo", ["reward.options={faithful: true}"])
    assert recipe.reward is not None
    assert recipe.rollout is not None
    assert isinstance(reward(recipe.reward.name, **recipe.reward.options).judge, R2GRPORelease)
    assert recipe.rollout.prompts_per_step == 1  # it takes the first gold of a batch for all


@pytest.mark.parametrize(("name", "stage", "questions"), [("mimic_sft", 1872, 14_977), ("scier_sft", 0, 0)])
def test_the_schedule_is_three_epochs_of_each_stage(name: str, stage: int, questions: int) -> None:
    recipe = load_recipe(name)
    assert [more.steps for more in recipe.data.also] == ([stage] if stage else [])
    assert stage == round(3 * questions / recipe.training.batch_size)
    assert recipe.training.max_steps - stage == round(3 * 5_575 / recipe.training.batch_size)
    assert recipe.training.warmup_steps == round(0.07 * recipe.training.max_steps)
