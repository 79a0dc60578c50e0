"""What a miniature is made of: arms that are trained and asked alike, and claims about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bythebook.generation import EMBEDDED
from bythebook.records import Record

__all__ = ["CURVES", "QUICK", "SPLITS", "START", "Arm", "Claim", "Miniature", "QuantityName", "Questions", "Size"]

QuantityName = Literal[
    "avg", "greedy", "pass", "format",
    "perceived", "described", "facts", "hedged", "repeated", "assured",
    "f1", "precision", "recall", "ted", "length",
]  # fmt: skip
"""Avg@K, accuracy of greedy answers, Pass@K, share of well-formed samples. Of descriptions: means over the samples of
what the study's `notes` keep of a record, `described` is `perceived` of greedy completions. Of documents: F1, precision
and recall of pairs, tree-edit accuracy, and tokens of an answer (see `documents`)."""

SPLITS: Mapping[str, str] = {"id": "guidelines of training", "ood": "never-seen guidelines"}
"""What all arms are asked, and what that is called."""

Notes = Callable[[Record], Mapping[str, str]]
"""Figures of a record by name, to be kept as tags."""

CURVES = ("reward", "entropy", "completion_length", "groups_without_signal", "grad_norm")
"""Metrics of training that the page shows."""


@dataclass(frozen=True)
class Arm:
    """One line of the comparison."""

    name: str
    label: str
    recipe: str | None = None
    """None: nothing is trained."""
    overrides: tuple[str, ...] = ()
    updates: int = 1
    """Optimiser steps that one batch of rollouts serves."""
    ranks: tuple[int, ...] = ()
    """It is trained on so many sentences alone: those of these ranks, from 1, by the variance of their accuracies over
    the rollouts of the arm `after`."""
    after: str | None = None
    """The arm that must have run before."""
    begins_with: str | None = None
    """The arm whose model it begins with, or that is asked where nothing is trained; None: the model of the study."""
    steps: int | None = None
    """Its own number of optimiser steps; None: as many as the study's batches of rollouts ask for."""
    data_seed: int = 0
    """Added to the seed of its training data."""
    prompt: Mapping[str, str] = field(default_factory=dict)
    """Fields of the prompt's style in which it is asked otherwise than trained."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Options of the questions in which it is asked otherwise than the others."""

    def max_steps(self, size: Size) -> int:
        """Optimiser steps in a study of this size."""
        own = size.steps * self.updates if self.steps is None else self.steps
        return own if size.most_steps is None else min(own, size.most_steps * self.updates)


START = Arm("start", "embedded model, before")
"""Where all arms start."""


@dataclass(frozen=True)
class Claim:
    """What is said of two or more arms, to be held against intervals of differences."""

    said: str
    better: str
    than: tuple[str, ...]
    quantity: QuantityName = "avg"
    split: str = "ood"
    margin: float | None = None
    """None: `better` has a higher figure than each of `than`. A number: it differs from each by less (equivalence)."""
    above: float | None = None
    """A figure, such as that of chance, that `better` is above of; beside `than`."""
    kinds: tuple[str, ...] = ()
    """Of the questions' domains, those that it is about; empty: all."""


@dataclass(frozen=True)
class Questions:
    """What all arms are asked."""

    task: str = "world"
    options: Mapping[str, Any] = field(default_factory=lambda: {"k": 4})
    in_domain: str = "id"
    """The task's name for what the tables call ID."""
    beyond: str = "ood"
    """Likewise for OOD."""
    splits: Mapping[str, str] = field(default_factory=lambda: SPLITS)
    """What the two sets are called on the page."""
    max_new_tokens: int = 32
    """Of a completion."""
    out_of_domain: int | None = None
    """Of OOD, where another number is asked than in the other studies."""
    as_many: bool = False
    """Whether as many are asked of ID as of OOD."""
    samples: int | None = None
    """Completions of a question beside the greedy one, where another number is drawn than in the other studies."""

    def drawn(self, size: Size) -> int:
        """How many completions of each question are drawn in a study of this size, beside the greedy one."""
        return size.samples if self.samples is None else self.samples

    def sizes(self, size: Size) -> dict[str, int]:
        """How many questions of each set a study of this size asks, by the task's names of them."""
        ood = self.out_of_domain if self.out_of_domain and size.most_steps is None else size.out_of_domain
        return {self.in_domain: ood if self.as_many else size.in_domain, self.beyond: ood}


@dataclass(frozen=True)
class Miniature:
    """A system's claims in miniature."""

    system: str
    title: str
    paper: str
    arms: tuple[Arm, ...]
    claims: tuple[Claim, ...]
    test_seed: int = 0
    """Added to the seed of the test sentences, where arms choose their model on other sentences of the same kinds."""
    monitored: bool = False
    """Whether a table says what training still had to learn from."""
    smoothed: bool = False
    """Whether a table has last values of the training beside smoothed ones."""
    questions: Questions = field(default_factory=Questions)
    curves: tuple[str, ...] = CURVES
    notes: Notes | None = None
    """What is kept of each record beside its verdict."""
    paired: bool = False
    """Whether tables have the noted quantities, and McNemar's tests of every arm beside the first."""
    also_kept: tuple[str, ...] = ()
    """Further metrics of training that are kept."""
    columns: tuple[tuple[str, str, QuantityName], ...] = ()
    """(head, test, quantity) of the table of figures; empty: those of `results`."""
    said: str = ""
    """What the page says of its quantities, where it has columns of its own."""
    by_kind: bool = False
    """Whether a table tells the domains of the questions apart."""

    def arm(self, name: str) -> Arm:
        """KeyError for an unknown one."""
        return {arm.name: arm for arm in self.arms}[name]


@dataclass(frozen=True)
class Size:
    """How much of everything, in one seed."""

    model: str = EMBEDDED
    steps: int = 36
    """Batches of rollouts."""
    in_domain: int = 128
    out_of_domain: int = 256
    samples: int = 4
    """K of Avg@K and Pass@K."""
    most_steps: int | None = None
    """Of an arm with steps of its own, in batches of rollouts; None: all of them."""


QUICK = Size(steps=2, in_domain=8, out_of_domain=8, samples=2, most_steps=2)
"""Whether it runs at all; no figure of it means anything."""
