"""A small evolutionary search for completions that earn more than their F1 deserves.

Candidates are right and wrong answers, plainly given, then mutated. The best of every kind (text, shape of the answer,
whether entities and relations of it are right) are kept and mutated on: by what they earn beyond what they deserve. It
looks for breaches of `laws`; that it finds them where there are any is shown on the released R²GRPO reward.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from bythebook.rewards import FAITHFUL, reward, rewards_for
from bythebook.studies.attack.battery import attacked
from bythebook.studies.attack.candidates import mutated, random_candidate
from bythebook.studies.attack.laws import HOLES, Breach, Court, Judged, breaches

__all__ = ["Found", "search", "search_rewards"]

_FRESH = 0.1
"""Share of candidates that begin anew."""
_SHOWN = 300


class Found:
    """What a search came across: the number of verdicts, and for each hole the breach with the greatest excess."""

    def __init__(self, name: str) -> None:
        self.reward = name
        self.tried = 0
        self.breaches = 0
        self.best: dict[str, Breach] = {}

    def add(self, breach: Breach) -> None:
        """Count a breach, and keep it if it is the worst of its hole."""
        self.breaches += 1
        known = self.best.get(breach.hole)
        if known is None or _size(breach) > _size(known):
            self.best[breach.hole] = breach

    def report(self) -> list[dict[str, Any]]:
        """One row a hole, in the order of `HOLES`."""
        return [
            {
                "reward": self.reward,
                "hole": hole,
                "earned": self.best[hole].earned,
                "honest": self.best[hole].deserved,
                "completion": self.best[hole].completion[:_SHOWN],
            }
            for hole in HOLES
            if hole in self.best
        ]


def _size(breach: Breach) -> float:
    return abs(breach.earned - breach.deserved)


def search(name: str, budget: int, seed: int = 0) -> Found:
    """Search the completions that a reward on extraction overpays or withholds something from, with so many verdicts.

    Two searches with the same arguments find the same.
    """
    rng, court, found = random.Random(f"bythebook attack/{name}/{seed}"), Court(reward(name)), Found(name)
    elite: dict[tuple[Any, ...], Judged] = {}
    cells: list[tuple[Any, ...]] = []
    while court.tried < budget:
        fresh = not cells or rng.random() < _FRESH
        parent = random_candidate(rng) if fresh else elite[rng.choice(cells)].candidate
        judged = court.judged(mutated(parent, rng))
        for breach in breaches(court, judged):
            found.add(breach)
        cell = _cell(judged)
        if cell not in elite:
            cells.append(cell)
        if cell not in elite or judged.excess > elite[cell].excess:
            elite[cell] = judged
    found.tried = court.tried
    return found


def _cell(judged: Judged) -> tuple[Any, ...]:
    a, c = judged.attempt, judged.candidate
    return c.item.name, c.shape, a.entities > 0, a.relations > 0


def search_rewards(names: Sequence[str], budget: int, seed: int = 0) -> dict[str, Any]:
    """The search on the rewards of those names that judge extraction, or on all; published originals stand apart."""
    chosen = [name for name in attacked(names) if name in rewards_for("extraction")]
    found = {name: search(name, budget, seed) for name in chosen}
    ours = [f for name, f in found.items() if name not in FAITHFUL.values()]
    originals = [f for name, f in found.items() if name in FAITHFUL.values()]
    return {
        "seed": seed,
        "tried": {name: f.tried for name, f in found.items()},
        "overpaid": [row for f in ours for row in f.report()],
        "faithful": [row for f in originals for row in f.report()],
    }
