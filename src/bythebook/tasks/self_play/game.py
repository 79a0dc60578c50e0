"""Self-play as a game that a trainer plays with its own model: prompts out, completions in, verdicts back.

One step of Absolute Zero (arXiv 2505.03335, algorithm 1) gives `batch` completions of each of six cells, proposed and
solved by kind; without proposers, of three. The interpreters of the sandbox start with the first step.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from bythebook.errors import RecipeError, said
from bythebook.generation.sampling import Sampling
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import SelfPlaySection
from bythebook.rewards.absolute_zero import ProposerReward, SolverReward
from bythebook.sandbox import Limits, Sandbox
from bythebook.tasks.self_play.asking import Role, proposer_example, solver_example
from bythebook.tasks.self_play.buffers import Buffers
from bythebook.tasks.self_play.loop import SelfPlay
from bythebook.tasks.self_play.problems import KINDS, Kind, Problem, Triplet
from bythebook.types import Verdict

__all__ = ["ProgramGame", "Turn"]

_Write = Callable[[Sequence[list[dict[str, str]]], int], Sequence[Sequence[str]]]
"""(prompts, n) → n completions for each."""
_Everyone = Callable[[list[Any]], list[Any]]
_ROLES: tuple[Role, ...] = ("proposer", "solver")


class Turn(NamedTuple):
    """A completion to learn from."""

    written: str
    """What the writer gave, the same object."""
    verdict: Verdict
    role: str
    kind: str


class ProgramGame:
    """Proposer and solver of programs, for a writer that is handed over at every step."""

    def __init__(
        self,
        section: SelfPlaySection,
        style: PromptStyle,
        proposer_reward: ProposerReward,
        solver_reward: SolverReward,
        *,
        prefilled: bool,
    ) -> None:
        self.section = section
        roles = _ROLES if section.roles == "both" else _ROLES[1:]
        self.cells = tuple((role, kind) for role in roles for kind in KINDS)
        self._rewards, self._prefilled = (proposer_reward, solver_reward), prefilled
        shown: dict[Kind, int] = {"deduction": section.references, "abduction": section.references, "induction": 1}
        self._buffers = Buffers(section.capacity, shown)
        self._players = _Players(style)
        self._play: SelfPlay | None = None
        self._kept: Mapping[str, Any] = {"buffers": self._buffers.state(), "newest": {}}

    @classmethod
    def of(
        cls, section: SelfPlaySection, options: Mapping[str, Any], style: PromptStyle, *, prefilled: bool
    ) -> ProgramGame:
        """The game with the rewards of `reward.options`: `proposer` and `solver`, each with the fields of its reward.
        RecipeError for others."""
        unknown = [name for name in options if name not in _ROLES]
        if unknown:
            raise RecipeError(f"reward.options.{unknown[0]}: options are {' and '.join(_ROLES)}")
        try:
            proposer = ProposerReward.model_validate(options.get("proposer", {}))
            solver = SolverReward.model_validate(options.get("solver", {}))
        except ValidationError as error:
            raise RecipeError(f"reward.options: {said(error)}") from None
        return cls(section, style, proposer, solver, prefilled=prefilled)

    @property
    def buffers(self) -> Buffers:
        """What has been proposed so far."""
        return self._buffers

    @property
    def sandbox(self) -> Sandbox | None:
        """The one that runs; None before the first step and after `close`."""
        return self._play.sandbox if self._play else None

    def step(self, write: _Write, number: int, seed: str, everyone: _Everyone = list) -> list[Turn]:
        """`number` completions to learn from, cell by cell. Before the first one the buffers are seeded; SeedingError
        where the model doesn't fill them. ValueError for a number that can't be shared out among the cells."""
        if number % len(self.cells):
            raise ValueError(f"{number} completions for {len(self.cells)} cells")
        play = self._playing(write, everyone)
        play.batch, play.rng = number // len(self.cells), random.Random(seed)
        if min(play.buffers.size(kind) for kind in KINDS) < self.section.seeds:
            play.seed(self.section.seeds, self.section.seeding_rounds)
        results = play.step()
        proposed = [Turn(*pair, "proposer", r.kind) for r in results for pair in r.proposed]
        return proposed + [Turn(*pair, "solver", r.kind) for r in results for pair in r.solved]

    def state(self) -> dict[str, Any]:
        """See `SelfPlay.state`."""
        return dict(self._kept) if self._play is None else self._play.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._buffers.restore(state["buffers"])
        self._kept = state

    def close(self) -> None:
        """End the interpreters; a further step starts new ones."""
        if self._play is not None:
            self._kept = self._play.state()
            self._play.sandbox.close()
            self._play = None

    def _playing(self, write: _Write, everyone: _Everyone) -> SelfPlay:
        section = self.section
        if self._play is None:
            self._play = SelfPlay(
                Sandbox(Limits(wall_s=section.wall_s, cpu_s=max(1, round(section.wall_s))), lanes=section.lanes),
                self._players.propose,
                self._players.solve,
                same_step=section.same_step,
                proposer_reward=self._rewards[0],
                solver_reward=self._rewards[1],
                # Said at every call; the temperature of both is the writer's own.
                rate_sampling=Sampling(n=section.rate_rollouts),
                buffers=self._buffers,
                prefilled=self._prefilled,
                proposes=section.roles == "both",
            )
            self._play.restore(self._kept)
        self._players.write, self._play.share = write, everyone
        return self._play


class _Players:
    """Proposer and solver as `SelfPlay` asks for them, by a writer."""

    def __init__(self, style: PromptStyle) -> None:
        self._style = style
        self.write: _Write = lambda prompts, n: []

    def propose(self, kind: Kind, references: Sequence[Sequence[Triplet]], sampling: Sampling) -> list[str]:
        prompts = [render(proposer_example(kind, shown), self._style) for shown in references]
        return [texts[0] for texts in self.write(prompts, sampling.n)]

    def solve(self, kind: Kind, problems: Sequence[Problem], sampling: Sampling) -> list[list[str]]:
        prompts = [render(solver_example(kind, problem), self._style) for problem in problems]
        return [list(texts) for texts in self.write(prompts, sampling.n)]
