"""One round of self-play: propose, validate, solve. It trains nothing: it gives completions with their verdicts.

Absolute Zero (arXiv 2505.03335), algorithm 1. There a problem is solved in the step in which it was proposed; the
published code (a82124e, branch `paper`) has the batch to solve ready before, so that it is solved one step later.
`same_step` chooses.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from bythebook.errors import BythebookError
from bythebook.generation.sampling import Sampling
from bythebook.rewards.absolute_zero import ProposerReward, SolverReward
from bythebook.sandbox import Sandbox
from bythebook.stats import mean
from bythebook.tasks.self_play.buffers import Buffers
from bythebook.tasks.self_play.problems import KINDS, Kind, Problem, Triplet
from bythebook.tasks.self_play.proposals import Proposal, proposals_checked
from bythebook.tasks.self_play.solutions import Solution, solutions_checked
from bythebook.types import Verdict

__all__ = ["Proposer", "SeedingError", "SelfPlay", "Solver", "StepResult"]


class Proposer(Protocol):
    """Writes proposals."""

    def __call__(self, kind: Kind, references: Sequence[Sequence[Triplet]], sampling: Sampling) -> list[str]:
        """A completion for each list of references."""


class Solver(Protocol):
    """Writes answers."""

    def __call__(self, kind: Kind, problems: Sequence[Problem], sampling: Sampling) -> list[list[str]]:
        """`sampling.n` completions for each problem."""


class SeedingError(BythebookError):
    """The proposer does not fill the buffers."""


class StepResult(NamedTuple):
    """What a step gave for one kind: completions with their verdicts, by role."""

    kind: Kind
    proposed: list[tuple[str, Verdict]]
    solved: list[tuple[str, Verdict]]


@dataclass
class SelfPlay:
    """Proposer and solver around the buffers. Deterministic as far as both are."""

    sandbox: Sandbox
    proposer: Proposer
    solver: Solver
    batch: int = 64
    """Problems of each kind and role in a step: the published B."""
    same_step: bool = False
    proposer_reward: ProposerReward = field(default_factory=ProposerReward)
    solver_reward: SolverReward = field(default_factory=SolverReward)
    rate_sampling: Sampling = field(default_factory=lambda: Sampling(n=8, temperature=1.0))
    """How the rollouts are drawn whose share of right ones is the rate. Said at every call, not left to the engine:
    greedy ones would be alike and every rate 0 or 1, which `Sampling` refuses."""
    sampling: Sampling = field(default_factory=lambda: Sampling(n=1, temperature=1.0))
    """How what is trained on is drawn."""
    buffers: Buffers = field(default_factory=Buffers)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    prefilled: bool = True
    """Whether the prompt has opened `<think>`."""
    proposes: bool = True
    """False: the buffers stay as they were seeded, and only the solver plays."""
    share: Callable[[list[Problem]], list[Problem]] = list
    """Where several of these play for one model: what one has found → what all have found, the same for all."""
    _newest: dict[Kind, int] = field(default_factory=dict)

    def seed(self, target: int | None = None, rounds: int = 200) -> None:
        """Grow every buffer to `target` problems, 4 · `batch` unless told, without a reward and without an update; the
        proposer begins with the identity alone. SeedingError where so many rounds don't do it."""
        target = 4 * self.batch if target is None else target
        for kind in KINDS:
            for _ in range(rounds):
                missing = target - self.buffers.size(kind)
                if missing <= 0:
                    break
                proposals = self._proposals(kind, self.batch)
                for problem in self.share([p.problem for _, p in proposals if p.problem is not None])[:missing]:
                    self.buffers.add(kind, problem)
            if self.buffers.size(kind) < target:
                raise SeedingError(f"{self.buffers.size(kind)} of {target} problems of {kind} after {rounds} rounds")

    def step(self) -> list[StepResult]:
        """Propose and solve `batch` problems of every kind."""
        waiting = {} if self.same_step else {kind: self._to_solve(kind) for kind in KINDS}
        results = []
        for kind in KINDS:
            proposed = self._proposed(kind) if self.proposes else []
            problems = self._to_solve(kind) if self.same_step else waiting[kind]
            results.append(StepResult(kind, proposed, self._solved(kind, problems)))
        return results

    def state(self) -> dict[str, Any]:
        """What one step leaves to the next, but for `rng`, as JSON can hold it."""
        return {"buffers": self.buffers.state(), "newest": dict(self._newest)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.buffers.restore(state["buffers"])
        self._newest = {kind: state["newest"][kind] for kind in KINDS if kind in state["newest"]}

    def _proposed(self, kind: Kind) -> list[tuple[str, Verdict]]:
        """`batch` proposals with their verdicts; what is valid goes into the buffer."""
        proposals = self._proposals(kind, self.batch)
        proposed = self._paid(kind, proposals)
        found = self.share([p.problem for _, p in proposals if p.problem is not None])
        for problem in found:
            self.buffers.add(kind, problem)
        self._newest[kind] = len(found)
        return proposed

    def _to_solve(self, kind: Kind) -> list[Problem]:
        return self.buffers.to_solve(kind, self.batch, self._newest.get(kind, 0), self.rng)

    def _proposals(self, kind: Kind, number: int) -> list[tuple[str, Proposal]]:
        references = [self.buffers.references(kind, self.rng) for _ in range(number)]
        texts = self.proposer(kind, references, self.sampling)
        programs = [shown[0].program for shown in references] if kind == "induction" else ()
        checked = proposals_checked(texts, kind, self.sandbox, programs, prefilled=self.prefilled)
        return list(zip(texts, checked, strict=True))

    def _paid(self, kind: Kind, proposals: Sequence[tuple[str, Proposal]]) -> list[tuple[str, Verdict]]:
        """Proposals with their verdicts: each valid problem is tried by the solver."""
        problems = [p.problem for _, p in proposals if p.problem is not None]
        rates = iter(self.rates(kind, problems))
        paid = []
        for text, p in proposals:
            valid = p.problem is not None
            rate = next(rates) if valid else None
            judged = self.proposer_reward.judge(well_formed=p.well_formed, valid=valid, rate=rate, reason=p.reason)
            paid.append((text, judged))
        return paid

    def rates(self, kind: Kind, problems: Sequence[Problem]) -> list[float | None]:
        """The share of right ones among the solver's rollouts for each problem; None where there is no rollout."""
        if not problems:
            return []
        answers = self.solver(kind, problems, self.rate_sampling)
        flat = [(p, text) for p, texts in zip(problems, answers, strict=True) for text in texts]
        checked = iter(self._checked(kind, flat))
        return [mean(float(next(checked).right) for _ in texts) for texts in answers]

    def _checked(self, kind: Kind, answered: Sequence[tuple[Problem, str]]) -> list[Solution]:
        problems, texts = [p for p, _ in answered], [text for _, text in answered]
        return solutions_checked(problems, texts, kind, self.sandbox, prefilled=self.prefilled)

    def _solved(self, kind: Kind, problems: Sequence[Problem]) -> list[tuple[str, Verdict]]:
        if not problems:
            return []
        answers = self.solver(kind, problems, self.sampling)
        flat = [(p, text) for p, texts in zip(problems, answers, strict=True) for text in texts]
        judge = self.solver_reward.judge
        checked = self._checked(kind, flat)
        verdicts = [judge(well_formed=s.well_formed, right=s.right, reason=s.reason) for s in checked]
        return [(text, verdict) for (_, text), verdict in zip(flat, verdicts, strict=True)]
