"""What has been proposed so far, by kind: where examples for the proposer and problems for the solver come from.

Absolute Zero (arXiv 2505.03335), algorithm 1, with what its published code (a82124e, branch `paper`) fixes: every valid
problem is kept, whatever its proposer was paid; a buffer keeps the newest 16,384; a batch to solve has the newest
problems first and the rest drawn at random, so that a problem may come twice.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from typing import Any

from bythebook.tasks.self_play.problems import IDENTITY, KINDS, Induction, Kind, Problem, Triplet

__all__ = ["CAPACITY", "REFERENCES", "Buffers"]

CAPACITY = 16_384
REFERENCES: dict[Kind, int] = {"deduction": 6, "abduction": 6, "induction": 1}
"""How many problems the proposer is shown."""


class Buffers:
    """Three queues, oldest first. Deduction and abduction begin with the identity program."""

    def __init__(self, capacity: int = CAPACITY, shown: Mapping[Kind, int] = REFERENCES) -> None:
        """`shown`: how many problems the proposer is shown, by kind; of induction it is one."""
        if capacity < 1 or min(shown.values()) < 1:
            raise ValueError(f"a buffer holds and shows at least one problem, got {capacity} and {dict(shown)}")
        self._shown = dict(shown)
        self._kept: dict[Kind, deque[Problem]] = {kind: deque(maxlen=capacity) for kind in KINDS}
        for kind in ("deduction", "abduction"):
            self._kept[kind].append(IDENTITY)

    def __getitem__(self, kind: Kind) -> tuple[Problem, ...]:
        return tuple(self._kept[kind])

    def size(self, kind: Kind) -> int:
        """How many problems of that kind are kept."""
        return len(self._kept[kind])

    def add(self, kind: Kind, problem: Problem) -> None:
        """Keep a problem; the oldest goes where there are too many. ValueError for a problem of another kind."""
        if isinstance(problem, Induction) != (kind == "induction"):
            raise ValueError(f"{type(problem).__name__} is no problem of {kind}")
        self._kept[kind].append(problem)

    def references(self, kind: Kind, rng: random.Random) -> list[Triplet]:
        """Triplets to show to the proposer, drawn without repetition; for induction one of either other kind, whose
        program is asked about."""
        pool: list[Problem] = (
            [*self._kept["deduction"], *self._kept["abduction"]] if kind == "induction" else [*self._kept[kind]]
        )
        triplets = [p for p in pool if isinstance(p, Triplet)]
        return rng.sample(triplets, min(self._shown[kind], len(triplets)))

    def to_solve(self, kind: Kind, number: int, newest: int, rng: random.Random) -> list[Problem]:
        """`number` problems: the `newest` ones, the last first, then any. Fewer only from an empty buffer."""
        kept = self._kept[kind]
        first = [kept[-1 - i] for i in range(min(newest, number, len(kept)))]
        rest = number - len(first)
        return first + ([kept[rng.randrange(len(kept))] for _ in range(rest)] if kept else [])

    def state(self) -> dict[str, Any]:
        """All problems, oldest first, as JSON can hold them."""
        return {kind: [problem.model_dump() for problem in kept] for kind, kept in self._kept.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave, in place of all that is here. ValidationError for something else."""
        for kind, kept in self._kept.items():
            noun = Induction if kind == "induction" else Triplet
            kept.clear()
            kept.extend(noun.model_validate(problem) for problem in state[kind])
