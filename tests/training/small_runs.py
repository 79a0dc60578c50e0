"""Packaged recipes in few and small steps: once as they are, and once more by the plain path over what was sampled
then, every step from the weights that it had then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import TrainerCallback

from bythebook.recipe import Recipe, load_recipe
from bythebook.studies.own_data import split_documents, write_example
from bythebook.training import run as run_module
from bythebook.training import sharing, train
from bythebook.training.grpo import GuidelineGRPOTrainer

ALL = (
    "training.warmup_steps=1",
    "training.threads=1",
    "training.save_steps=0",
    "training.logging_steps=1",
    "evaluation.every=0",
    "evaluation.choose_on=null",
)
PROMPTS, GROUP, ROWS, SENTENCES = 3, 4, 4, 8
WARM, ROWS_OF = 60, {"absolute_zero_tiny": 48}
WARM_OF = {"r2grpo_tiny": 200, "codev_r1_tiny": 200, "medical_vie_tiny": 200, "absolute_zero_tiny": 200}
"""Steps of a warm start, and rows of a step where it is more than one: as few as make rollouts that differ in
reward."""


def data_of(recipe: Recipe, folder: Path, fixtures: Path) -> list[str]:
    """Where a recipe that wants a path finds data here, and how few examples of generated ones. Where it names the
    examples that it trains on, it gets all."""
    sizes = () if recipe.data.only else ("train", "id", "ood", "unusual")
    fewer = [f"data.options.{name}={SENTENCES}" for name in sizes if name in recipe.data.options]
    if recipe.data.task == "world_programs":
        also = [f"data.also.{i}.options.train=400" for i, _ in enumerate(recipe.data.also)]
        return ["data.options.train=2000", *also]  # self-play has to learn what a valid exercise is
    if recipe.data.task == "semeval2010":
        return [f"data.path={json.dumps(str(fixtures / 'semeval2010_task8'))}", *fewer]
    if recipe.data.task == "documents":
        if not (folder / "split").exists():
            write_example(folder / "corpus")
            split_documents(folder / "corpus" / "sentences.jsonl", folder / "split")
        return [f"data.path={json.dumps(str(folder / 'split'))}", *fewer]
    if recipe.data.task == "verdicts":
        return [f"data.path={json.dumps(str(fixtures / 'verdicts'))}", *fewer]
    if recipe.data.task == "world_circuits":
        return [*fewer, "data.options.seed=0"]  # a start that has seen eight circuits writes no others
    return fewer


def small(name: str, folder: Path, fixtures: Path, *more: str) -> Recipe:
    """The recipe in its own objective, reward and way of sampling, of small sizes; at least two generations, and more
    than three steps. A warm start is made in `folder` where it names one."""
    whole = load_recipe(name)
    settings = [*ALL, *data_of(whole, folder, fixtures), *more]
    if whole.warm_start:
        settings.append(f"model.path={json.dumps(str(_warm(whole, folder, fixtures)))}")
    if whole.objective is None or whole.rollout is None:
        stages = [f"data.also.{i}.steps=2" for i, also in enumerate(whole.data.also) if also.steps]
        sizes = [f"training.{size}={ROWS}" for size in ("batch_size", "micro_batch_size")]
        return load_recipe(name, [*settings, *sizes, *stages, "training.max_steps=5"])
    idle = whole.objective.ppo.critic_warmup_steps if whole.objective.ppo else 0
    sizes = [
        f"rollout.prompts_per_step={PROMPTS}",
        f"rollout.num_generations={GROUP}",
        *(f"training.{size}={PROMPTS * GROUP}" for size in ("batch_size", "micro_batch_size")),
        f"training.max_steps={idle + max(3, whole.objective.num_iterations + 1)}",
    ]
    if whole.rollout.self_play is not None:
        sizes += ["rollout.self_play.seeds=3", "rollout.self_play.rate_rollouts=2"]
    if whole.rollout.refill is not None:
        sizes.append(f"rollout.refill.max_prompts={3 * PROMPTS}")
    return load_recipe(name, [*settings, *sizes])


def _warm(recipe: Recipe, folder: Path, fixtures: Path) -> Path:
    """The model of its warm start, which has read a handful of sentences many times."""
    output, name = folder / "warm", str(recipe.warm_start)
    if not (output / "model").exists():
        warm = small(name, folder, fixtures)
        steps = WARM_OF.get(recipe.name, WARM)
        settings = {
            "max_steps": steps,
            "warmup_steps": 5,
            "learning_rate": 2e-3,
            "batch_size": ROWS_OF.get(recipe.name, 1),
            "micro_batch_size": ROWS_OF.get(recipe.name, 1),
        }
        stages = tuple(a.model_copy(update={"steps": steps // 4}) for a in warm.data.also)
        parts = {
            "training": warm.training.model_copy(update=settings),
            "data": warm.data.model_copy(update={"also": stages}),
        }
        train(warm.model_copy(update=parts), output=output, quiet=True)
    return output / "model"


@dataclass
class Run(TrainerCallback):
    """What a run did. One that follows another starts each step from the weights that the other had there, and takes
    the other's rollouts for its own."""

    follows: Run | None = None
    trainer: Any = None
    losses: list[float] = field(default_factory=list)
    """Of each micro-batch."""
    weights: list[dict[str, Tensor]] = field(default_factory=list)
    """Before each step, those that are trained, of the policy and of the critic where there is one."""
    gradients: list[dict[str, Tensor]] = field(default_factory=list)
    """Of each step, as the optimiser gets them."""
    rollouts: list[tuple[list[list[int]], list[list[int]]]] = field(default_factory=list)
    """(prompts, completions) of each generation."""

    def _trained(self) -> dict[str, Tensor]:
        parts = {"policy": self.trainer.model, "critic": getattr(self.trainer, "critic", None)}
        named = [(f"{part}.{name}", p) for part, x in parts.items() if x for name, p in x.named_parameters()]
        return {name: p for name, p in named if p.requires_grad}

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        trained = self._trained()
        if self.follows:
            with torch.no_grad():
                for name, value in self.follows.weights[len(self.weights)].items():
                    trained[name].copy_(value)
        self.weights.append({name: p.detach().clone() for name, p in trained.items()})

    def moved(self) -> float:
        """The share of the tensors that are not what they were at the beginning."""
        now = self._trained()
        return sum(not torch.equal(now[name], value) for name, value in self.weights[0].items()) / len(now)

    def on_pre_optimizer_step(self, *_: Any, model: Any = None, **__: Any) -> None:
        self.gradients.append({n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None})

    def answer(self, prompts: list[list[int]]) -> list[list[int]]:
        """What was sampled for these prompts by the run that is followed."""
        assert self.follows
        asked, answered = self.follows.rollouts[len(self.rollouts)]
        assert prompts == asked
        self.rollouts.append((prompts, answered))
        return answered

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within, a trainer that is made is this run's."""
        make, sample = run_module._trainer, sharing.shared_rollouts

        def made(*args: Any, **kwargs: Any) -> Any:
            self.trainer = make(*args, **kwargs)
            self.trainer.add_callback(self)
            self.trainer.compute_loss = _kept(self.trainer.compute_loss, self.losses)
            return self.trainer

        def sampled(prompts: Any, trainer: Any) -> dict[str, Any]:
            output = sample(prompts, trainer)
            self.rollouts.append((output["prompt_ids"], output["completion_ids"]))
            return output

        def answered(_: Any, prompts: list[list[int]], *__: Any, **___: Any) -> tuple[list[list[int]], None]:
            return self.answer(prompts), None

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run_module, "_trainer", made)
            patch.setattr(sharing, "shared_rollouts", sampled)
            if self.follows:
                patch.setattr(GuidelineGRPOTrainer, "_generate_single_turn", answered)
            yield


def _kept(compute: Callable[..., Tensor], losses: list[float]) -> Callable[..., Tensor]:
    def kept(*args: Any, **kwargs: Any) -> Tensor:
        loss = compute(*args, **kwargs)
        losses.append(loss.item())
        return loss

    return kept


def run(recipe: Recipe, output: Path, follows: Run | None = None) -> Run:
    """Train by it."""
    found = Run(follows)
    with found.watched():
        train(recipe, output=output, quiet=True)
    return found
