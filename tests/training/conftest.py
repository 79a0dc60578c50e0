"""Short runs on the embedded model, shared by the tests of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bythebook.recipe import Recipe, load_recipe

SHORT = (
    "data.options.train=32",
    "data.options.id=4",
    "data.options.ood=4",
    "training.max_steps=2",
    "training.warmup_steps=1",
    "training.threads=1",
    "evaluation.every=0",
)
SHORT_RL = (
    *SHORT,
    "rollout.prompts_per_step=2",
    "rollout.num_generations=4",
    "rollout.max_completion_length=24",
    "training.micro_batch_size=8",
)

FOUR_STEPS = (
    "data.options.train=24",
    "training.max_steps=4",
    "training.save_steps=1",
    "training.keep_checkpoints=1",
)
"""One epoch and a third of the next; a checkpoint after each step, of which the last one stays."""


@pytest.fixture(scope="session")
def short_rl() -> Callable[..., Recipe]:
    """`r1_re_tiny` in two steps of two prompts, with further overrides."""

    def recipe(*overrides: str) -> Recipe:
        return load_recipe("r1_re_tiny", [*SHORT_RL, *overrides])

    return recipe


@pytest.fixture(scope="session")
def short_sft() -> Callable[..., Recipe]:
    """`r1_re_tiny_sft` in two steps of eight sentences, with further overrides."""

    def recipe(*overrides: str) -> Recipe:
        sizes = ("training.batch_size=8", "training.micro_batch_size=8")
        return load_recipe("r1_re_tiny_sft", [*SHORT, *sizes, *overrides])

    return recipe


@pytest.fixture(scope="session")
def rl_run(short_rl: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A finished RL run: its recipe and its run directory."""
    from bythebook.training import train

    recipe, output = short_rl("evaluation.every=1", "evaluation.limit=4"), tmp_path_factory.mktemp("rl")
    assert train(recipe, output=output, quiet=True) == output / "model"
    return recipe, output


@pytest.fixture
def embedded() -> tuple[Any, Any]:
    """The embedded model and its tokenizer, freshly loaded."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bythebook.generation import embedded_path

    return AutoModelForCausalLM.from_pretrained(embedded_path()), AutoTokenizer.from_pretrained(embedded_path())


@pytest.fixture(scope="session")
def sft(short_sft: Callable[..., Recipe]) -> Recipe:
    """The recipe of `whole`."""
    return short_sft(*FOUR_STEPS)


@pytest.fixture(scope="session")
def whole(sft: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `sft`, uninterrupted."""
    from bythebook.training import train

    output = tmp_path_factory.mktemp("whole")
    train(sft, output=output, quiet=True)
    return output


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Train; with `at`, until killed there."""
    from run_files import killed_at
    from tripwire import Killed

    from bythebook.training import run as run_module
    from bythebook.training import train

    def start(recipe: Recipe, output: Path, *, at: tuple[str, int] | None = None, resume: bool = False) -> None:
        if at is None:
            train(recipe, output=output, resume=resume, quiet=True)
            return
        with monkeypatch.context() as patch:
            patch.setattr(run_module, "SafePoints", killed_at(*at))
            with pytest.raises(Killed):
                train(recipe, output=output, resume=resume, quiet=True)

    return start
