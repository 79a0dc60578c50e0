"""What was run: scores by mixture and by method, each mixture against the uniform one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bythebook import stats
from bythebook.errors import InputError
from bythebook.mixtures import Mixture, is_even, pooled
from bythebook.readers.mixture_runs import MixtureRun, domains_of

__all__ = ["Measured", "against", "measured_of", "method_rows", "mixture_rows"]

SEED_RUNS = "seed runs"
OTHER = "other mixtures"


@dataclass(frozen=True)
class Measured:
    """The mixtures of a file of runs, pooled over seeds."""

    domains: tuple[str, ...]
    trained: tuple[Mixture, ...]
    base: Mixture | None
    """The model before training."""
    inside: dict[tuple[float, ...], float] | None
    """In-Score of each mixture by its weights; None where no test is in-domain."""

    @property
    def even(self) -> list[Mixture]:
        """Seed runs: one domain, all but one, all."""
        return [m for m in self.trained if is_even(m.weights)]

    @property
    def best_even(self) -> Mixture | None:
        return max(self.even, key=lambda m: m.mean, default=None)

    @property
    def uniform(self) -> Mixture | None:
        return next((m for m in self.even if all(m.weights)), None)


def measured_of(runs: Sequence[MixtureRun], target: Sequence[str], inside: Sequence[str]) -> Measured:
    """Mixtures with the score over the tests `target`. InputError for fewer than two domains or trained mixtures."""
    domains = domains_of(runs)
    if len(domains) < 2:
        raise InputError("a mixture needs at least two domains", remedy="name every domain in `weights`")
    found = pooled(runs, domains, target)
    trained = tuple(m for m in found if any(m.weights))
    if len(trained) < 2:
        raise InputError("there are fewer than two mixtures", remedy="run each domain alone, all but one, and all")
    near = {m.weights: m.mean for m in pooled(runs, domains, inside)} if inside else None
    return Measured(domains, trained, next((m for m in found if not any(m.weights)), None), near)


def mixture_rows(measured: Measured) -> list[dict[str, Any]]:
    """`name`, `method`, `weights`, `mean`, `sd`, `runs`, `against_uniform` and `against_best_seed` of each mixture,
    best mean first. The best seed run was chosen by its score: on the seeds that it was chosen by it looks too good."""
    return [
        {
            "name": m.name,
            "method": ", ".join(_methods(m)),
            "weights": dict(zip(measured.domains, m.weights, strict=True)),
            "mean": m.mean,
            "sd": m.sd,
            "runs": len(m.scores),
            "against_uniform": against(m, measured.uniform),
            "against_best_seed": against(m, measured.best_even),
        }
        for m in sorted(measured.trained, key=lambda m: -m.mean)
    ]


def method_rows(measured: Measured) -> list[dict[str, Any]]:
    """`method`, `mixtures`, `best`, `best_name`, `median`, `sd` (None for one), `least`: figures for each way in which
    mixtures were found, so that the best of one is not told as the success of another. A mixture that two ways led to
    counts for both."""
    by_method: dict[str, list[Mixture]] = {}
    for mixture in measured.trained:
        for method in _methods(mixture):
            by_method.setdefault(method, []).append(mixture)
    rows = []
    for method, of in by_method.items():
        means, best = [m.mean for m in of], max(of, key=lambda m: m.mean)
        rows.append(
            {
                "method": method,
                "mixtures": len(of),
                "best": best.mean,
                "best_name": best.name,
                "median": statistics.median(means),
                "sd": statistics.stdev(means) if len(means) > 1 else None,
                "least": min(means),
            }
        )
    return rows


def against(first: Mixture, second: Mixture | None) -> dict[str, Any] | None:
    """Mean difference over the seeds that both were run with, with Student's 95 % interval: `difference`, `low`,
    `high`, `seeds`. None for fewer than two such seeds, and for a mixture beside itself."""
    if second is None or first.weights == second.weights:
        return None
    other = dict(zip(second.seeds, second.scores, strict=True))
    pairs = zip(first.seeds, first.scores, strict=True)
    differences = [score - other[seed] for seed, score in pairs if seed is not None and seed in other]
    bounds = stats.interval(differences)
    if bounds is None:
        return None
    return {
        "difference": stats.mean(differences),
        "low": bounds[0],
        "high": bounds[1],
        "seeds": len(differences),
    }


def _methods(mixture: Mixture) -> list[str]:
    unnamed = SEED_RUNS if is_even(mixture.weights) else OTHER
    return [method or unnamed for method in mixture.methods]
