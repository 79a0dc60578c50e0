"""Frozen layers stay as they are, in fine-tuning and in RL; the others learn."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from bythebook.errors import RecipeError
from bythebook.generation import embedded_path
from bythebook.recipe import load_recipe
from bythebook.training import train

COMMON = ["evaluation.every=0", "training.max_steps=2", "training.save_steps=0", "training.learning_rate=1e-3"]
RUNS = {
    "sft": ("r1_re_tiny_sft", ["data.options={train: 8}", "training.batch_size=4", "training.micro_batch_size=4"]),
    "rl": (
        "r1_re_tiny",
        [
            "data.options={train: 8}",
            "rollout.prompts_per_step=2",
            "rollout.num_generations=4",
            "training.batch_size=8",
            "training.micro_batch_size=8",
        ],
    ),
}


@pytest.mark.parametrize("method", ["sft", "rl"])
def test_frozen_layers_stay_and_the_others_learn(method: str, tmp_path: Path) -> None:
    recipe, settings = RUNS[method]
    model = train(load_recipe(recipe, [*settings, *COMMON, "model.freeze=2"]), output=tmp_path / "run", quiet=True)
    before = AutoModelForCausalLM.from_pretrained(embedded_path()).state_dict()
    after = load_file(model / "model.safetensors")
    changed = {name for name, weight in after.items() if not before[name].equal(weight)}
    assert changed
    assert all(name.startswith("model.layers.2.") for name in changed)


def test_something_is_left_to_be_trained(tmp_path: Path) -> None:
    recipe, settings = RUNS["sft"]
    with pytest.raises(RecipeError, match=r"model\.freeze: 3 of 3 layers"):
        train(load_recipe(recipe, [*settings, *COMMON, "model.freeze=3"]), output=tmp_path / "run", quiet=True)
