"""What the paper claims, held against the figures: every verdict follows from intervals by the rule of `verdict`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from bythebook import stats
from bythebook.stats import PooledDifference
from bythebook.studies.r2grpo.arms import ABLATED, ARMS, COMPONENTS, READER, SPLITS
from bythebook.studies.r2grpo.figures import Quantity, difference, over_seeds, rows_of, samples_of

__all__ = ["CLAIMS", "FLOOR", "Claim", "Comparison", "Found", "component_verdicts", "found_of", "verdict"]

Verdict = Literal["confirmed", "not seen here", "cannot be tested at this size"]

FLOOR = 0.05
"""F1 below which no arm has learnt enough for a difference to mean anything. Our choice."""
CEILING = 0.97
"""F1 above which nothing is left to gain, where all arms are. Our choice."""


@dataclass(frozen=True)
class Claim:
    """`better` has a higher figure than each of `than`."""

    said: str
    better: str
    than: tuple[str, ...]
    quantity: Callable[[int], Quantity]
    """From the largest K."""

    @property
    def splits(self) -> Mapping[str, str]:
        """What it is tested on."""
        return SPLITS[ARMS[self.better].track]


def _best(k: int) -> Quantity:
    return Quantity("best", k)


def _avg(_: int) -> Quantity:
    return Quantity("avg")


def _greedy(_: int) -> Quantity:
    return Quantity("greedy")


def _published(prefix: str, where: str) -> tuple[Claim, ...]:
    """What abstract and published table say, in our words."""
    sft, mimic, grpo, r2grpo, both = (f"{prefix}{name}" for name in ("sft", "mimic", "grpo", "r2grpo", "mimic_r2grpo"))
    said: tuple[tuple[str, str, tuple[str, ...], Callable[[int], Quantity]], ...] = (
        ("MimicSFT reaches a higher Best F1@K than fine-tuning on answers", mimic, (sft,), _best),
        ("MimicSFT reaches a higher Best F1@K than RL without it", mimic, (grpo, r2grpo), _best),
        ("R²GRPO has a higher Avg@K than the SFT it starts from", r2grpo, (sft,), _avg),
        ("R²GRPO after MimicSFT has a higher Avg@K than MimicSFT", both, (mimic,), _avg),
        ("R²GRPO is better than GRPO with a plain F1 reward", r2grpo, (grpo,), _greedy),
        ("MimicSFT with R²GRPO is the best of all", both, (sft, mimic, grpo, r2grpo), _greedy),
    )
    return tuple(Claim(f"{text}{where}", better, than, quantity) for text, better, than, quantity in said)


CLAIMS = (
    *_published("", ""),
    *_published("scier_", ", SciER"),
    Claim("RL of a model that reasons has a higher Avg@K than that model", ABLATED, (READER,), _avg),
    Claim("RL of it has a higher Avg@K than rejection sampling", ABLATED, ("reader_rft",), _avg),
    Claim("R²GRPO of it is better than GRPO with a plain F1 reward", ABLATED, ("reader_grpo",), _greedy),
)
"""The last three ask what reviewers asked: RL and rejection sampling without fine-tuning before."""


class Comparison(NamedTuple):
    """One arm beside another."""

    better: str
    than: str
    values: tuple[float | None, float | None]
    """Means over seeds."""
    found: PooledDifference | None


class Found(NamedTuple):
    """A claim, what there is on it, and what that makes of it."""

    claim: Claim
    split: str
    quantity: Quantity
    comparisons: tuple[Comparison, ...]
    verdict: Verdict


def verdict(comparisons: Sequence[Comparison], seeds: int) -> Verdict:
    """`confirmed` if every interval lies above 0; `not seen here` if one does not. `cannot be tested at this size` with
    fewer than two seeds, if an arm is missing, if no arm reaches `FLOOR`, or if all are above `CEILING`."""
    values = [v for c in comparisons for v in c.values if v is not None]
    untested = seeds < 2 or not comparisons or any(c.found is None or None in c.values for c in comparisons)
    if untested or max(values) < FLOOR or min(values) > CEILING:
        return "cannot be tested at this size"
    return "confirmed" if all(c.found is not None and c.found.low > 0 for c in comparisons) else "not seen here"


def found_of(claim: Claim, seeds: Sequence[Path], split: str) -> Found:
    """The claim on one test."""
    k = min(samples_of(seeds, arm, split) for arm in (claim.better, *claim.than))
    quantity = claim.quantity(max(k, 1))
    comparisons = tuple(
        Comparison(
            claim.better,
            than,
            (_mean(seeds, claim.better, split, quantity), _mean(seeds, than, split, quantity)),
            difference(seeds, claim.better, than, split, quantity),
        )
        for than in claim.than
    )
    return Found(claim, split, quantity, comparisons, verdict(comparisons, len(seeds)))


def _mean(seeds: Sequence[Path], arm: str, split: str, quantity: Quantity) -> float | None:
    return stats.mean(over_seeds(seeds, arm, split, quantity))


class ComponentFound(NamedTuple):
    """What taking a component out of the reward does."""

    component: str
    paid: float | None
    """Share of the rollouts of the whole reward in which it was paid."""
    comparison: Comparison
    verdict: Literal["helps", "harms", "no difference seen", "cannot be tested at this size"]


def component_verdicts(seeds: Sequence[Path], split: str) -> list[ComponentFound]:
    """`helps` if the interval of (whole reward − without it) in Avg@K lies above 0, `harms` if below; a component that
    was never paid, or figures of which `verdict` says so, can't be tested."""
    found = []
    for component in COMPONENTS:
        arm = next(a.name for a in ARMS.values() if a.without == component)
        paid = stats.mean(float(row["paid"][component]) for seed in seeds for row in rows_of(seed, ABLATED))
        quantity = Quantity("avg")
        values = _mean(seeds, ABLATED, split, quantity), _mean(seeds, arm, split, quantity)
        one = Comparison(ABLATED, arm, values, difference(seeds, ABLATED, arm, split, quantity))
        if not paid or verdict([one], len(seeds)) == "cannot be tested at this size" or one.found is None:
            said: Literal["helps", "harms", "no difference seen", "cannot be tested at this size"]
            said = "cannot be tested at this size"
        else:
            said = "helps" if one.found.low > 0 else "harms" if one.found.high < 0 else "no difference seen"
        found.append(ComponentFound(component, paid, one, said))
    return found
