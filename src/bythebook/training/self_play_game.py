"""What a trainer plays with its own model: who writes, who judges, and what is learnt from. It knows no task.

A game asks a `Writer` for completions and hands back those that are trained on, each with its verdict. What of the
completions is only looked at, such as the rollouts that tell how hard an exercise is, stays in the game.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from bythebook.errors import RecipeError
from bythebook.types import Verdict

__all__ = ["NAME", "Game", "Messages", "Played", "Writer", "Written", "game_of", "paid"]

NAME = "self_play"
"""The reward of a recipe whose rollouts are judged where they are played."""

Messages = list[dict[str, str]]


class Written(str):
    """A completion's text that knows the tokens it was written in, and those of its prompt."""

    prompt_ids: list[int]
    completion_ids: list[int]
    logprobs: list[float] | None

    @classmethod
    def of(
        cls, text: str, prompt_ids: list[int], completion_ids: list[int], logprobs: list[float] | None = None
    ) -> Written:
        """The text with its tokens."""
        found = cls(text)
        found.prompt_ids, found.completion_ids, found.logprobs = prompt_ids, completion_ids, logprobs
        return found


class Played(NamedTuple):
    """A completion to learn from."""

    written: Written
    verdict: Verdict
    role: str
    kind: str


class Writer(Protocol):
    """Draws completions from the model as it is now, by the trainer's own settings."""

    def __call__(self, prompts: Sequence[Messages], n: int) -> list[list[Written]]:
        """`n` completions for each prompt."""


class Game(Protocol):
    """Several roles for one model."""

    @property
    def cells(self) -> Sequence[tuple[str, str]]:
        """Every (role, kind) that is played; equally many completions of each are learnt from in a step."""

    def step(
        self, write: Writer, number: int, seed: str, everyone: Callable[[list[Any]], list[Any]]
    ) -> Sequence[tuple[str, Verdict, str, str]]:
        """`number` completions to learn from, as fields of `Played`: what was written is what the writer gave.
        Whatever is drawn at random follows from `seed`. `everyone` makes of what this process has found what all have
        found, the same for all; all call it equally often."""

    def state(self) -> dict[str, Any]:
        """What one step leaves to the next, as JSON can hold it."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""

    def close(self) -> None:
        """End what it has started outside; a further step starts it again."""


def paid(verdict: Sequence[Verdict], **_: Any) -> list[float | None]:
    """The reward function that TRL gets: what each verdict is worth."""
    return [v.value for v in verdict]


def game_of(recipe: Any, style: Any, *, prefilled: bool) -> Game:
    """The game of a recipe. RecipeError for one without any."""
    section = recipe.rollout.self_play if recipe.rollout else None
    if section is None or recipe.reward is None or recipe.reward.name != NAME:
        raise RecipeError(f"rollout.self_play and reward.name {NAME} belong together")
    from bythebook.tasks.self_play.game import ProgramGame

    return ProgramGame.of(section, recipe.reward.options, style, prefilled=prefilled)
