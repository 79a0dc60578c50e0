"""What a recipe may not ask for where pictures go with the examples: one message each, which names the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from bythebook.errors import MissingExtraError, RecipeError
from bythebook.recipe import Recipe, load_recipe
from bythebook.tasks import task_named
from bythebook.training import small_seeing_models
from bythebook.training.loading import load_for_training
from bythebook.training.pictures import check_pictures
from small_seeing import small_seeing

pytest.importorskip("PIL")
RL, SFT = "perception_r1_images_tiny", "perception_r1_images_start_tiny"


PPO = (
    "objective.ppo={gamma: 1.0, gae_lambda: 1.0, critic_learning_rate: 1e-3, value_clip: null, value_coef: 1.0, "
    "whiten: true, critic_warmup_steps: 0}"
)


class Processor:
    image_processor = None


def examples(images: bool = True, n: int = 2) -> Any:
    return task_named("world_scenes").read(None, train=n, images=images)["train"]


def recipe(name: str, *settings: str) -> Recipe:
    return load_recipe(name, list(settings))


@pytest.mark.parametrize("name", [RL, SFT, "medical_vie_images_tiny", "medical_vie", "perception_r1"])
def test_recipes_of_the_package_are_taken(name: str) -> None:
    check_pictures(load_recipe(name), Processor(), examples())


@pytest.mark.parametrize(
    ("name", "setting", "message"),
    [
        (RL, "reward={name: probability, options: {}}", "reward.name: .*from tokens alone .*another reward"),
        (
            RL,
            PPO,
            "objective.ppo: .*critic reads text alone",
        ),
        (RL, "objective.kl_in_reward=0.1", "objective.kl_in_reward: .*use objective.beta"),
        (RL, "rollout.refill={rule: fixed, max_prompts: 32}", "rollout.refill: .*set it to null"),
        (SFT, "training.sentences_per_row=2", "training.sentences_per_row: .*one picture"),
        (SFT, "training.group_by_length=true", "training.group_by_length: .*set it to false"),
        (SFT, "data.also=[{task: world_scenes, steps: 2}]", "data.also: .*leave out their steps"),
        (SFT, "prompt.shuffle_relations=true", "prompt: other renderings|prompt: .*texts alone"),
    ],
)
def test_what_works_on_tokens_alone_is_refused(name: str, setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        check_pictures(recipe(name, setting), Processor(), examples())
    check_pictures(recipe(name, setting), object(), examples(images=False))


def test_a_model_that_reads_text_alone_is_refused() -> None:
    with pytest.raises(
        RecipeError, match=r"'embedded' reads text alone \(set model.path to an image-text-to-text model"
    ):
        load_for_training(recipe(RL, "model.path=embedded"), examples())


def test_a_text_model_from_scratch_is_refused_with_pictures() -> None:
    settings = ("model.path=scratch", "model.scratch={vocabulary: 300, lookup_heads: false, layers: 1}")
    with pytest.raises(RecipeError, match="'scratch' reads text alone"):
        load_for_training(recipe(RL, *settings), examples())


def test_pictures_for_some_examples_only_are_refused() -> None:
    mixed = [*examples(), *examples(images=False)]
    with pytest.raises(RecipeError, match=r"scenes-train-0-0 has none .*data\.options\.images for all"):
        check_pictures(load_recipe(RL), Processor(), mixed)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("model.scratch.lookup_heads=true", "lookup_heads reads text alone"),
        ("model.scratch.vision={side: 30, patch: 16}", "model.scratch.vision.*patch must divide side"),
        ("model.scratch.vision={colour: red}", "model.scratch.vision.colour: .*options are: side, patch"),
        ("model.scratch.vision=3", "model.scratch.vision"),
    ],
)
def test_sizes_that_make_no_model_are_refused(setting: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_for_training(recipe(SFT, setting), examples())


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_seeing_models, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[images\]"):
        small_seeing()
