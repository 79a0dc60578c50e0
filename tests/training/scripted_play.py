"""Short runs of self-play whose players are scripted: what is proposed hangs on torch's random state, which a
checkpoint keeps, so that a resumed run is told the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from bythebook.generation.sampling import Sampling
from bythebook.recipe import Recipe, load_recipe
from bythebook.tasks.self_play import Induction, Kind, Triplet
from bythebook.tasks.self_play import game as game_module
from bythebook.tasks.self_play.asking import fence
from bythebook.tasks.self_play.problems import Problem
from bythebook.training import run as run_module
from bythebook.training.self_play_game import Written

SHORT = (
    "warm_start=null",
    "model.path=scratch",
    "model.scratch={words: world_programs, lookup_heads: false, hidden_size: 16, layers: 1, heads: 1, mlp_size: 16}",
    "data.options.train=24",
    "rollout.prompts_per_step=12",
    "rollout.self_play.seeds=4",
    "rollout.self_play.rate_rollouts=2",
    "rollout.self_play.wall_s=2",
    "training.micro_batch_size=24",
    "training.max_steps=2",
    "training.warmup_steps=1",
)
"""Four completions of each of six cells in two steps."""


def short_play(*overrides: str) -> Recipe:
    return load_recipe("absolute_zero_tiny", [*SHORT, *overrides])


def said(*blocks: str) -> str:
    return "<think>so</think>\n<answer>\n" + "".join(blocks) + "</answer>"


class Players:
    """Stands in for the players of the game. Every third proposal is not valid; of two answers one is right."""

    programs: Callable[[int], str] = staticmethod(lambda number: f"def f(a):\n    return [a, {number}]")

    def __init__(self, _: Any) -> None:
        self.write: Any = None

    def propose(self, kind: Kind, references: Sequence[Sequence[Triplet]], sampling: Sampling) -> list[str]:
        numbers = [int(torch.randint(10**6, ())) for _ in references]
        return [self._tokens(self.proposal(kind, number)) for number in numbers]

    def proposal(self, kind: Kind, number: int) -> str:
        if number % 3 == 0:
            return ("no tags", said(fence("python", "import os\ndef f(a):\n    return a"), fence("input", "1")))[
                number % 2
            ]
        if kind == "induction":
            inputs = (fence("input", str(number + i)) for i in range(10))
            return said(*inputs, fence("message", "what is it?"))
        return said(fence("python", self.programs(number)), fence("input", str(number)))

    def solve(self, kind: Kind, problems: Sequence[Problem], sampling: Sampling) -> list[list[str]]:
        return [
            [self._tokens(self.answer(kind, p, (n + i) % 2 == 0)) for i in range(sampling.n)]
            for n, p in enumerate(problems)
        ]

    def answer(self, kind: Kind, problem: Problem, right: bool) -> str:
        if not right:
            return said(fence("output", "-1"))
        if isinstance(problem, Induction):
            return said(fence("python", problem.program))
        given = ("output", problem.output) if kind == "deduction" else ("input", problem.input)
        return said(fence(*given))

    def _tokens(self, text: str) -> Written:
        """As if the model had written it: short, and of a length that differs from text to text."""
        return Written.of(text, [3, 4, 5], [7 + len(text) % 5] * (1 + len(text) % 7) + [self.end])

    end = 0


class Watch(TrainerCallback):
    """Gets hold of the trainer, and of what a step leaves."""

    def __init__(self) -> None:
        self.trainer: Any = None
        self.sizes: list[list[int]] = []
        self.at_step: Callable[[Any], None] = lambda trainer: None

    def on_step_end(self, *_: Any, **__: Any) -> None:
        buffers = self.trainer.game.buffers
        self.sizes.append([buffers.size(kind) for kind in ("deduction", "abduction", "induction")])
        self.at_step(self.trainer)


def scripted(patch: pytest.MonkeyPatch, players: type[Players] = Players) -> Watch:
    """Have the next runs play by script, and watch them."""
    watch, make = Watch(), run_module._trainer

    def made(recipe: Any, model: Any, tokenizer: Any, *args: Any, **kwargs: Any) -> Any:
        players.end = tokenizer.eos_token_id
        watch.trainer = make(recipe, model, tokenizer, *args, **kwargs)
        watch.trainer.add_callback(watch)
        return watch.trainer

    patch.setattr(run_module, "_trainer", made)
    patch.setattr(game_module, "_Players", players)
    return watch
