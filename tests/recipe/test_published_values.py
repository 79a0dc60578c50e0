"""What papers and released code say of these systems, held against their recipes: a table of its own, not the recipes'
comments. Several values stand in no script of the release, and were inherited from an engine's defaults."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from bythebook.recipe import load_recipe

PUBLISHED: dict[str, dict[str, Any]] = {
    "archer": {
        "objective.epsilon": 0.5,
        "objective.epsilon_high": 0.5,
        "objective.beta": 0.0,
        "objective.delta": 10.0,
        "objective.num_iterations": 3,  # in the released script, not in the paper
        "objective.archer.knowledge.epsilon": 0.2,
        "objective.archer.knowledge.epsilon_high": 0.2,  # named: the release falls back to the lower one
        "objective.archer.knowledge.delta": 10.0,
        "objective.archer.knowledge.beta": 0.001,
        "objective.archer.quantile": 0.8,
        "rollout.num_generations": 16,
        "rollout.temperature": 1.0,
    },
    "codev_r1": {
        "reward.overlong.limit": 16_384,
        "reward.overlong.buffer": 1024,
        "reward.overlong.factor": 1.0,
        "objective.loss_type": "dapo",
        "objective.beta": 0.0,
        "objective.epsilon": 0.2,
        "objective.epsilon_high": 0.28,
        "objective.entropy_coef": 0.0,
        "rollout.prompts_per_step": 128,
        "rollout.num_generations": 16,
        "rollout.temperature": 1.0,
        "rollout.max_completion_length": 16384,
        "rollout.refill.rule": "running_minimum",  # the paper describes a sliding window
        "training.learning_rate": 1e-6,
        "training.max_grad_norm": 0.5,
        "training.max_steps": 300,
    },
    "rlpr": {
        "objective.epsilon": 0.2,
        "objective.epsilon_high": 0.27,
        "objective.beta": 0.0,
        "objective.entropy_coef": 0.001,  # the engine's default, never set
        "rollout.prompts_per_step": 768,
        "rollout.num_generations": 8,
        "rollout.temperature": 1.0,
        "rollout.refill.deviation.beta": 0.5,
        "rollout.refill.deviation.decay": 0.99,
        "rollout.refill.deviation.ignored": 5,
        "rollout.refill.deviation.collected": 5,
    },
    "spurious": {
        "objective.loss_type": "grpo",
        "objective.scale_rewards": "group",
        "objective.epsilon": 0.2,
        "objective.beta": 0.0,
        "objective.entropy_coef": 0.0,
        "objective.num_iterations": 8,  # with one update a rollout a random reward shows nothing
        "rollout.prompts_per_step": 64,
        "rollout.num_generations": 16,
        "rollout.temperature": 1.0,
    },
    "modomodo": {
        "seed": 42,
        "objective.loss_type": "grpo",
        "objective.beta": 0.04,
        "rollout.prompts_per_step": 2,  # 12 trajectories of 6 a prompt
        "rollout.num_generations": 6,
        "training.max_steps": 2000,
        "training.learning_rate": 1e-6,
        "training.lr_scheduler": "linear",
        "training.warmup_steps": 200,
        "training.adam_beta1": 0.9,
        "training.adam_beta2": 0.999,
    },
    "one_shot": {
        "objective.beta": 0.001,
        "objective.kl_estimator": "k3",
        "objective.entropy_coef": 0.001,  # the configuration's default, in no script
        "rollout.num_generations": 8,
        "rollout.temperature": 0.6,
        "rollout.prompts_per_step": 128,
        "data.repeat": 128,
    },
    "med_rlvr": {
        "objective.loss_type": "dapo",  # averaged over tokens
        "objective.beta": 0.0,  # the KL is in the reward of every token
        "objective.kl_estimator": "k1",
        "objective.epsilon_high": None,
    },
    "table_r1": {
        "objective.loss_type": "dapo",  # averaged over tokens
        "objective.epsilon": 0.2,
        "objective.epsilon_high": 0.28,
        "objective.delta": 10.0,
        "objective.beta": 0.0,
        "objective.num_iterations": 1,  # a batch is a mini-batch
        "rollout.prompts_per_step": 256,
        "rollout.num_generations": 16,
        "rollout.temperature": 1.0,
        "rollout.max_completion_length": 1024,
        "training.learning_rate": 1e-6,
        "evaluation.samples": 5,
        "evaluation.temperature": 0.6,
    },
    "reward_bridge": {
        "objective.advantages_by": "rloo",
        "objective.normalise_rewards": True,
        "objective.kl_in_reward": 0.01,
        "rollout.prompts_per_step": 128,
        "rollout.num_generations": 4,
        "rollout.max_completion_length": 1024,
        "training.learning_rate": 5e-7,
    },
}
OTHERWISE = {"one_shot": {"num_iterations"}, "med_rlvr": {"ppo"}, "modomodo": {"beta"}}
"""Fields of the loss that a miniature has otherwise than its recipe: one update a rollout, which the release has; the
critic's learning rate; no KL in few steps at a high rate."""
OTHER_REWARD = {"med_rlvr": {"options"}, "reward_bridge": {"options"}, "codev_r1": {"options", "overlong"}}
"""Of the reward: stages of an annotator's short notes; a rule, since a verifier has to be made first; how much a test
bench tries, and no cost of length where all is short."""


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, values in PUBLISHED.items() for key in values])
def test_a_recipe_says_what_was_published(name: str, key: str) -> None:
    assert reduce(getattr, key.split("."), load_recipe(name)) == PUBLISHED[name][key]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_miniature_has_the_reward_and_the_loss_of_its_recipe(name: str) -> None:
    whole, tiny = load_recipe(name), load_recipe(f"{name}_tiny")
    assert whole.objective is not None
    assert tiny.objective is not None
    assert tiny.reward is not None
    assert whole.reward is not None
    left_out = OTHER_REWARD.get(name, set())
    assert tiny.reward.model_dump(exclude=left_out) == whole.reward.model_dump(exclude=left_out)
    ours, theirs = whole.objective.model_dump(), tiny.objective.model_dump()
    assert {key for key in ours if ours[key] != theirs[key]} <= OTHERWISE.get(name, set())
