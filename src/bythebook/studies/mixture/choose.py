"""Weights for the next run from the runs that are there, with the best seed run beside them:

    python -m bythebook.studies.mixture.choose RUNS.jsonl              prints tables
    python -m bythebook.studies.mixture.choose RUNS.jsonl --json       prints one JSON object

`readers.mixture_runs` says what a row of RUNS.jsonl holds. The method is that of MoDoMoDo (arXiv 2505.24871); what a
surrogate chose is a proposal until it was run beside the uniform mixture with the same seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.mixtures import OPTIMIZERS
from bythebook.readers.mixture_runs import MixtureRun, read_mixture_runs
from bythebook.studies.mixture.measured import Measured, measured_of, method_rows, mixture_rows
from bythebook.studies.mixture.proposals import SURROGATES, chosen, heuristic_rows, surrogate_row
from bythebook.studies.mixture.show import as_markdown

__all__ = ["Settings", "choose"]


@dataclass(frozen=True)
class Settings:
    """What may be chosen."""

    target: tuple[str, ...] = ()
    """Tests that are to become good. Default: `Out`, where there is one, else all that are not inside."""
    inside: tuple[str, ...] = ()
    """In-domain tests, which Alpha uses. Default: `In`, where there is one."""
    optimizers: tuple[str, ...] = ("gaussian",)
    top: int = 1
    """Mixtures of each search."""
    single: float = 1.0
    """Alpha: how much a run of one domain counts."""
    seed: int = 0


def choose(path: Path | str, settings: Settings = Settings()) -> dict[str, Any]:
    """`{"study", "domains", "target", "inside", "base", "best_seed", "uniform", "mixtures", "methods", "heuristics",
    "surrogates", "choices", "notes"}`; scores are fractions. DataError as of the reader; InputError for unknown tests
    and too few runs."""
    runs = read_mixture_runs(path)
    target, inside = _tests(runs[0], settings)
    try:
        measured = measured_of(runs, target, inside)
    except InputError as error:
        raise InputError(error.message, file=path, remedy=error.remedy) from None
    mixtures = mixture_rows(measured)
    by_name = {row["name"]: row for row in mixtures}
    surrogates, choices = _surrogates(measured, settings)
    return {
        "study": "mixture",
        "domains": list(measured.domains),
        "target": list(target),
        "inside": list(inside),
        "base": measured.base.mean if measured.base else None,
        "best_seed": by_name[measured.best_even.name] if measured.best_even else None,
        "uniform": by_name[measured.uniform.name] if measured.uniform else None,
        "mixtures": mixtures,
        "methods": method_rows(measured),
        "heuristics": heuristic_rows(measured, single=settings.single),
        "surrogates": surrogates,
        "choices": choices,
        "notes": _notes(runs, target, measured, surrogates, choices),
    }


def _tests(run: MixtureRun, settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(target, inside) of a run; every run has the same tests."""
    inside = settings.inside or tuple(test for test in ("In",) if test in run.scores)
    target = settings.target or tuple(test for test in ("Out",) if test in run.scores)
    target = target or tuple(test for test in run.scores if test not in inside)
    for test in (*target, *inside):
        if test not in run.scores:
            raise InputError(f"no test {test!r} in the runs", remedy=f"there are: {', '.join(run.scores)}")
    if not target:
        raise InputError("no test is left to become good at", remedy="name one with --target")
    return target, inside


def _surrogates(measured: Measured, settings: Settings) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows, choices = [], []
    for name in SURROGATES:
        row, fitted = surrogate_row(name, measured, seed=settings.seed)
        rows.append(row)
        if fitted is None:
            continue
        for optimizer in settings.optimizers:
            choices += chosen(name, fitted, optimizer, measured, top=settings.top, seed=settings.seed)
    return rows, choices


def _notes(
    runs: Sequence[MixtureRun],
    target: Sequence[str],
    measured: Measured,
    surrogates: Sequence[dict[str, Any]],
    choices: Sequence[dict[str, Any]],
) -> list[str]:
    """What to bear in mind."""
    notes = ["a predicted maximum is too good on average: run it beside the uniform mixture, with the same seeds"]
    if len(target) > 1 and not all(test in run.items for run in runs for test in target):
        notes.append("some run lacks `items` of a test: there the score is the plain mean over tests")
    if undrawn := sorted({name for run in runs for name in run.weights} - set(measured.domains)):
        notes.append(f"no run drew from {', '.join(undrawn)}: nothing is said of it")
    few = sum(len(m.scores) < 3 for m in measured.trained)
    if few:
        notes.append(f"{few} of {len(measured.trained)} mixtures have fewer than three seeds: luck is in their order")
    for row in surrogates:
        if row["why"] is None and row["rank"] < row["identifiable"]:
            told = f"the runs determine {row['rank']} of the {row['identifiable']} numbers of a quadratic"
            notes.append(f"{row['name']}: {told}, the rest is the fit's own choice")
        if row["why"] is None and row["error"] >= row["error_of_mean"]:
            notes.append(f"{row['name']}: predicts a run that it has not seen no better than the mean of the others")
    best = measured.best_even
    for row in choices:
        if best and row["why"] is None and row["predicted"] < best.mean:
            said = f"{row['surrogate']} by {row['optimizer']}: predicts {row['predicted']:.4f}"
            notes.append(f"{said}, less than the {best.mean:.4f} that the seed run {best.name!r} has")
    return notes


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="Weights of training domains, from runs of other weights.")
    parser.add_argument("runs", type=Path, help="a JSONL, one run a line")
    parser.add_argument("--target", action="append", default=[], help="a test to become good at; may be repeated")
    parser.add_argument("--inside", action="append", default=[], help="an in-domain test; may be repeated")
    parser.add_argument("--optimizer", action="append", choices=[*OPTIMIZERS], help="default: gaussian")
    parser.add_argument("--top", type=int, default=1, help="mixtures of each search, 1 to 100")
    parser.add_argument("--single", type=float, default=1.0, help="Alpha: weight of runs of one domain, at least 0")
    parser.add_argument("--seed", type=int, default=0, help="of splits and searches, at least 0")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    given = parser.parse_args()
    if not (1 <= given.top <= 100 and given.seed >= 0 and 0 <= given.single < float("inf")):
        parser.error("--top lies between 1 and 100, --seed and --single are at least 0")
    optimizers = tuple(dict.fromkeys(given.optimizer or ("gaussian",)))
    settings = Settings(tuple(given.target), tuple(given.inside), optimizers, given.top, given.single, given.seed)
    try:
        found = choose(given.runs, settings)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write((json.dumps(found, ensure_ascii=False) if given.json else as_markdown(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
