"""What the trial of mixtures on our own tasks compares: domains, tests, mixtures, claims and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bythebook.studies.mixture.toy import seed_mixtures

__all__ = [
    "BEST",
    "CLAIMS",
    "DOMAINS",
    "OUT",
    "QUICK",
    "START",
    "TESTS",
    "Claim",
    "Mixed",
    "Size",
    "Test",
    "first_mixtures",
]

DOMAINS = ("labels", "choice", "phrases")
"""Of the recipe modomodo_tiny, the own task first."""
START = "start"
"""The model before RL, among the mixtures."""
BEST = "best seed run"
"""Stands for its name, which the first round tells."""


class Test(NamedTuple):
    """What every model is asked."""

    task: str
    options: Mapping[str, Any]
    split: str
    """The task's own, and the option that says how many questions."""
    inside: bool
    """In domain: of the same kind as training."""


TESTS: Mapping[str, Test] = {
    "labels": Test("world", {"k": 4}, "id", True),
    "choice": Test("world_mcqa", {"options": 4}, "test", True),
    "phrases": Test("world_fields", {"k": 4}, "id", True),
    "unseen labels": Test("world", {"k": 8}, "ood", False),
    "ten options": Test("world_mcqa", {}, "ood", False),
    "unseen phrases": Test("world_fields", {"k": 8}, "ood", False),
}
"""In domain the trained guidelines and four options; out of domain never-seen guidelines of eight relations, and ten
options."""
OUT = tuple(name for name, test in TESTS.items() if not test.inside)
"""The Out-Score is their mean, and what is to become good."""


class Mixed(NamedTuple):
    """A mixture that is run."""

    weights: Mapping[str, float]
    """Shares by domain; empty: nothing is trained."""
    method: str | None = None
    """How it was found, where that isn't one of the first round's."""


@dataclass(frozen=True)
class Claim:
    """Of two mixtures, on the seeds of the second round."""

    said: str
    better: str
    than: str


CLAIMS = (
    Claim("RL on the uniform mixture raises accuracy", "uniform", START),
    Claim("The quadratic's choice is better than the uniform mixture", "quadratic, gaussian", "uniform"),
    Claim("The Scheffé form's choice is better than the uniform mixture", "scheffe, gaussian", "uniform"),
    Claim("The quadratic's choice is better than the best seed run", "quadratic, gaussian", BEST),
    Claim("The Scheffé form's choice is better than the best seed run", "scheffe, gaussian", BEST),
    Claim("Norm's weights are better than the uniform mixture", "norm", "uniform"),
    Claim("Coli's weights are better than the uniform mixture", "coli", "uniform"),
)


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    model: str | None = None
    """Where RL starts; None: the embedded model after its warm start."""
    start_steps: int | None = None
    """Of the warm start, the first of them on one task alone; None: its recipe's."""
    steps: int = 40
    drawn: int = 3
    """Mixtures of the first round that are drawn, beside the seed mixtures."""
    questions: int = 128
    """Of each test out of domain; in domain half as many."""
    samples: int = 2
    """Answers to each question."""
    more_seeds: int = 2
    """Of the second round, beside as many as the first one has."""


QUICK = Size(start_steps=2, steps=2, drawn=0, questions=8, samples=1, more_seeds=0)
"""Whether it runs at all; no figure of it means anything."""


def first_mixtures(size: Size) -> dict[str, Mixed]:
    """Those of the first round: each domain alone, all but each, all, and a few that are drawn evenly from all there
    are; and the start."""
    rng = np.random.default_rng(0)
    drawn = {f"drawn {i + 1}": _rounded(rng.dirichlet(np.ones(len(DOMAINS)))) for i in range(size.drawn)}
    return {START: Mixed({}), **{name: Mixed(w) for name, w in {**seed_mixtures(DOMAINS), **drawn}.items()}}


def _rounded(weights: Iterable[float]) -> dict[str, float]:
    shares = [round(float(share), 2) for share in weights]
    return dict(zip(DOMAINS, [round(1 - sum(shares[1:]), 2), *shares[1:]], strict=True))
