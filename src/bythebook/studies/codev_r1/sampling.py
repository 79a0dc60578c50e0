"""What filling an update costs under each rule: measured in the runs of the miniature, and simulated beside it.

An update wants B groups with a signal. A rule says how many prompts each round draws (`stats.draws`); rounds are what
takes time where prompts of a round are generated side by side, tokens where they are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bythebook import stats
from bythebook.recipe import load_recipe
from bythebook.records import read_jsonl
from bythebook.stats import Difference
from bythebook.stats.draws import RuleName, draw_rule, simulate_draws
from bythebook.studies.kept import difference_report, interval_text, table_row
from bythebook.studies.miniature.codev_r1 import CODEV_R1, FIXED

__all__ = ["ARMS", "SamplingClaim", "sampling_table", "sampling_verdicts"]

ARMS: dict[str, RuleName] = {FIXED: "fixed", "window": "window", "minimum": "running_minimum"}
"""The arms whose updates are filled, and by which rule."""
_COLUMNS = ("prompts_drawn", "rounds_of_sampling", "tokens_generated")
_UPDATES, _WANTED = 300, 128
"""The simulation of the release's setting: updates, B."""
_BLOCK = 5
"""Neighbouring updates that are resampled together: their shares of prompts with a signal are alike."""
_SAID = (
    "Means over the updates of a run; over seeds, with Student's 95 % interval. All three learn from {target} groups "
    "of {group} completions an update; *kept* says how many of these had a signal (the last may be missing where "
    "{most} prompts of an update are used up). *Signal*: share of all prompts drawn."
)
_SIMULATED = (
    "The same rules in simulation: with the shares that the runs with fixed refill had, update by update "
    "(B = {target}), and with a share of .35 + .35 exp(−u / 100) in update u of {updates} (B = {batch})."
)


class SamplingClaim(NamedTuple):
    """An adaptive arm needs less of something than fixed refill does."""

    said: str
    arm: str
    metric: str
    quantity: str


CLAIMS = (
    SamplingClaim(
        "The running minimum needs fewer rounds than fixed refill", "minimum", "rounds_of_sampling", "rounds"
    ),
    SamplingClaim("The window needs fewer rounds than fixed refill", "window", "rounds_of_sampling", "rounds"),
    SamplingClaim("The running minimum draws fewer prompts", "minimum", "prompts_drawn", "prompts"),
    SamplingClaim("The window draws fewer prompts", "window", "prompts_drawn", "prompts"),
)


def sampling_table(seeds: Sequence[Path]) -> str:
    """The section of the page, as Markdown; empty where no arm was trained."""
    if not any(_updates(seed, arm) for seed in seeds for arm in ARMS):
        return ""
    rollout = load_recipe("codev_r1_tiny").rollout
    assert rollout is not None
    assert rollout.refill is not None
    target, group, most = rollout.prompts_per_step, rollout.num_generations, rollout.refill.max_prompts
    lines = ["### What an update costs, by rule of sampling", "", _SAID.format(target=target, group=group, most=most)]
    head = ["", "kept", "signal, %", "prompts", "rounds", "tokens"]
    lines += ["", table_row(head), table_row(["---", *["--:"] * (len(head) - 1)])]
    for arm in ARMS:
        kept = [target * (1 - short) for short in _means(seeds, arm, "groups_not_refilled")]
        signal = [float(np.mean(_signal(rows))) for seed in seeds if (rows := _updates(seed, arm))]
        costs = [_means(seeds, arm, metric) for metric in _COLUMNS]
        cells = [
            interval_text(kept, 1, 1),
            interval_text(signal),
            *(interval_text(c, 1, d) for c, d in zip(costs, (1, 2, 0), strict=True)),
        ]
        lines.append(table_row([CODEV_R1.arm(arm).label, *cells]))
    return "\n".join([*lines, "", *_claims(seeds), "", *_simulations(seeds, target)])


def _simulations(seeds: Sequence[Path], target: int) -> list[str]:
    """Lines of the table beside it."""
    said = _SIMULATED.format(target=target, updates=_UPDATES, batch=_WANTED)
    beside = f"B = {_WANTED}"
    head = ["rule", "prompts, run's shares", "rounds, run's shares", f"prompts, {beside}", f"rounds, {beside}"]
    lines = [said, "", table_row(head), table_row(["---", *["--:"] * (len(head) - 1)])]
    shares = [[max(s, 1e-3) for s in _signal(rows)] for seed in seeds if (rows := _updates(seed, FIXED))]
    decline = (0.35 + 0.35 * np.exp(-3 * np.arange(_UPDATES) / _UPDATES)).tolist()
    for arm, rule in ARMS.items():
        own = [simulate_draws(draw_rule(rule), run, target, seed) for seed, run in enumerate(shares)]
        other = simulate_draws(draw_rule(rule), decline, _WANTED)
        cells = [stats.mean(s.prompts for s in own), stats.mean(s.rounds for s in own), other.prompts, other.rounds]
        digits = (1, 2, 0, 2)
        lines.append(
            table_row(
                [
                    CODEV_R1.arm(arm).label,
                    *("–" if c is None else f"{c:.{d}f}" for c, d in zip(cells, digits, strict=True)),
                ]
            )
        )
    return lines


def sampling_verdicts(seeds: Sequence[Path]) -> list[dict[str, Any]]:
    """The claims, in the form of the other ones; `differences` are those of fixed refill to the adaptive rule."""
    return [
        {
            "claim": claim.said,
            "test": "updates of the training",
            "quantity": claim.quantity,
            "verdict": _verdict(found, seeds),
            "differences": [difference_report(FIXED, claim.arm, found)],
        }
        for claim in CLAIMS
        for found in (_saved(claim, seeds),)
    ]


def _verdict(found: Difference | None, seeds: Sequence[Path]) -> str:
    if found is None or len(seeds) < 2:
        return "cannot be tested at this size"
    return "confirmed" if found.low > 0 else "not seen here"


def _saved(claim: SamplingClaim, seeds: Sequence[Path]) -> Difference | None:
    """Fixed refill minus the arm, update by update, with an interval over seeds × blocks of updates."""
    fixed: list[float] = []
    other: list[float] = []
    runs: list[str] = []
    blocks: list[int] = []
    for seed in seeds:
        theirs = {row["step"]: row[claim.metric] for row in _updates(seed, claim.arm)}
        for row in _updates(seed, FIXED):
            if row["step"] in theirs:
                fixed.append(row[claim.metric])
                other.append(theirs[row["step"]])
                runs.append(seed.name)
                blocks.append((row["step"] - 1) // _BLOCK)
    return stats.paired_bootstrap(fixed, other, runs, blocks)


def _claims(seeds: Sequence[Path]) -> list[str]:
    head = ["claim", "fixed minus adaptive, an update", "verdict"]
    lines = [table_row(head), table_row(["---"] * len(head))]
    for claim in CLAIMS:
        found = _saved(claim, seeds)
        text = "–" if found is None else f"{found.difference:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
        lines.append(table_row([claim.said, f"{text} {claim.quantity}", f"**{_verdict(found, seeds)}**"]))
    return lines


def _means(seeds: Sequence[Path], arm: str, metric: str) -> list[float]:
    return [float(np.mean([row[metric] for row in rows])) for seed in seeds if (rows := _updates(seed, arm))]


def _signal(rows: Sequence[dict[str, Any]]) -> list[float]:
    """Of each update, the share of prompts whose group had a signal."""
    without = ("groups_all_right", "groups_all_wrong", "groups_all_equal")
    return [1 - sum(row.get(name) or 0.0 for name in without) for row in rows]


def _updates(seed: Path, arm: str) -> tuple[dict[str, Any], ...]:
    """Metrics of the updates of an arm; none where it was not trained."""
    file = seed / "metrics" / f"{arm}.jsonl"
    return _read(file, file.stat().st_mtime_ns) if file.exists() else ()


@lru_cache(maxsize=64)
def _read(file: Path, _: int) -> tuple[dict[str, Any], ...]:
    return tuple(row for _, row in read_jsonl(file) if row.get("prompts_drawn") is not None)
