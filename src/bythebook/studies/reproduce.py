"""A paper's claim in miniature, with its controls: what `bythebook reproduce` runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bythebook.errors import InputError

__all__ = ["SYSTEMS", "reproduce"]

Say = Callable[[str], None]


def reproduce(
    system: str,
    output: Path,
    *,
    seeds: int = 3,
    model: str | None = None,
    workers: int | None = None,
    quick: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Run a system's miniature into `output`, or what is left of it, and read its tables from the kept records.

    Returns `{"system", "run", "kept", "tables", "claims"}`: `tables` as Markdown, `claims` as far as the study judges
    any. InputError for an unknown system, or a folder that holds runs of another size.
    """
    if system not in SYSTEMS:
        raise InputError(f"no system {system!r}", remedy=f"there are: {', '.join(SYSTEMS)}")
    kept = output / "kept"
    tables, claims = SYSTEMS[system](output, kept, seeds, model, workers, quick, say)
    return {"system": system, "run": str(output), "kept": str(kept), "tables": tables, "claims": claims}


Outcome = tuple[str, list[dict[str, Any]]]


def _r1_re(
    output: Path, kept: Path, seeds: int, model: str | None, workers: int | None, quick: bool, say: Say
) -> Outcome:
    from bythebook.studies.r1_re.arms import StudySize
    from bythebook.studies.r1_re.experiments import QUICK, run_experiments
    from bythebook.studies.r1_re.results import keep_experiments, results

    size = QUICK if quick else StudySize()
    size = replace(size, model=model) if model else size
    run_experiments(output, seeds=seeds, size=size, workers=workers, say=say)
    keep_experiments(output, kept)
    return results(kept), []


def _r2grpo(
    output: Path, kept: Path, seeds: int, model: str | None, workers: int | None, quick: bool, say: Say
) -> Outcome:
    from bythebook.studies.r2grpo.experiments import run_experiments
    from bythebook.studies.r2grpo.results import keep_experiments, results, verdicts
    from bythebook.studies.r2grpo.size import QUICK, StudySize

    size = QUICK if quick else StudySize()
    size = replace(size, model=model) if model else size
    run_experiments(output, seeds=seeds, size=size, workers=workers, say=say)
    keep_experiments(output, kept)
    return results(kept), verdicts(kept)


SYSTEMS: dict[str, Callable[[Path, Path, int, str | None, int | None, bool, Say], Outcome]] = {
    "r1_re": _r1_re,
    "r2grpo": _r2grpo,
}
