"""Runs of training on mixtures of domains, from JSONL: what was mixed, and what the model scored.

    {"name": "without COCO", "weights": {"LISA": 0.25, …}, "scores": {"MMMU": 0.51, …}, "seed": 42}

`weights` are shares, not negative, with sum 1; a domain that a row leaves out has 0, and `{}` is the model before
training. `scores` are fractions, larger is better, and every row has the same tests. Optional: `items`, how many items
a test has; `seed`, which rows of one name need to be told apart; `method`, how the mixture was found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.json_files import json_rows

__all__ = ["MixtureRun", "domains_of", "read_mixture_runs"]

_REMEDY = 'a row is {"name": "…", "weights": {"domain": share, …}, "scores": {"test": score, …}}'
_ROUNDED = 2e-3
"""How far from 1 the sum of weights may be that were rounded to three digits; they are divided by it."""
_MOST_DOMAINS = 50


class MixtureRun(BaseModel):
    """One run: a mixture, a seed, a score by test."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: str = Field(min_length=1)
    weights: dict[str, float] = Field(max_length=_MOST_DOMAINS)
    """Share of each domain, with sum 1; empty: nothing was trained on."""
    scores: dict[str, float] = Field(min_length=1)
    items: dict[str, int] = Field(default_factory=dict)
    """Number of items of a test."""
    seed: int | None = None
    method: str | None = Field(default=None, min_length=1)

    @field_validator("weights")
    @classmethod
    def _on_the_simplex(cls, weights: dict[str, float]) -> dict[str, float]:
        if low := next((name for name, share in weights.items() if share < 0), None):
            raise ValueError(f"the weight of {low!r} is negative")
        total = math.fsum(weights.values())
        if weights and abs(total - 1) > _ROUNDED:
            raise ValueError(f"the weights have the sum {total:.6g}, not 1")
        return {name: share / total for name, share in weights.items()}

    @model_validator(mode="after")
    def _items_of_tests(self) -> MixtureRun:
        for test, count in self.items.items():
            if test not in self.scores:
                raise ValueError(f"items of {test!r}, which has no score")
            if count < 1:
                raise ValueError(f"{test!r} has {count} items: at least 1 is needed")
        return self


def read_mixture_runs(path: Path | str) -> list[MixtureRun]:
    """The runs of a JSONL file in their order. DataError names the first line that breaks the format: a name that
    stands twice with the same seed or with other weights, other tests than the first row's."""
    path, faults = Path(path), Faults(remedy=_REMEDY)
    runs: list[MixtureRun] = []
    lines: list[int] = []
    seen: dict[tuple[str, int | None], int] = {}
    first: dict[str, MixtureRun] = {}
    for line, run in json_rows(path, MixtureRun, faults):
        fault = _beside(run, runs, first.get(run.name))
        if (run.name, run.seed) in seen:
            fault = f"{run.name!r} with this seed stands on line {seen[run.name, run.seed]}, too"
        if fault:
            faults.add(path, line, fault)
            continue
        first.setdefault(run.name, run)
        seen[run.name, run.seed] = line
        runs.append(run)
        lines.append(line)
    faults.refuse()
    if not runs:
        raise DataError("the file holds no run", file=path, line=1, remedy=_REMEDY)
    if len(domains_of(runs)) > _MOST_DOMAINS:
        raise DataError(f"more than {_MOST_DOMAINS} domains", file=path, line=lines[-1])
    return runs


def _beside(run: MixtureRun, runs: Sequence[MixtureRun], same: MixtureRun | None) -> str | None:
    """What of a run does not fit those that stand before it."""
    if runs and run.scores.keys() != runs[0].scores.keys():
        test = min(run.scores.keys() ^ runs[0].scores.keys())
        return f"a score of {test!r} is {'new here' if test in run.scores else 'missing'}: every run has the same tests"
    if same is not None and _drawn(same) != _drawn(run):
        return f"{run.name!r} had other weights before: another mixture needs another name"
    return None


def _drawn(run: MixtureRun) -> dict[str, float]:
    return {name: share for name, share in run.weights.items() if share}


def domains_of(runs: Sequence[MixtureRun]) -> tuple[str, ...]:
    """Domains that some run drew from, in the order in which they first stand: of others nothing can be said."""
    drawn = {name for run in runs for name in _drawn(run)}
    return tuple(dict.fromkeys(name for run in runs for name in run.weights if name in drawn))
