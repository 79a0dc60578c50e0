"""The results page of a miniature, recomputed from kept records:

python -m bythebook.studies.miniature.results docs/results/archer                      prints the tables
python -m bythebook.studies.miniature.results --keep runs/archer docs/results/archer   keeps the records of a run
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.errors import InputError
from bythebook.studies.kept import interval_text, keep_arms, metrics_of, results_script, share_text, table_row
from bythebook.studies.miniature.arms import SPLITS, Miniature, QuantityName
from bythebook.studies.miniature.claims import claim_reports, claims_table
from bythebook.studies.miniature.figures import Found, found_of, kinds_of, over_seeds
from bythebook.studies.miniature.mcnemar_table import mcnemar_tables, noted_table
from bythebook.studies.miniature.monitoring import keep_monitoring, metric_quarters, monitoring_table
from bythebook.studies.miniature.systems import MINIATURES

__all__ = ["keep_experiments", "results", "verdicts"]

_COLUMNS: tuple[tuple[str, str, QuantityName], ...] = (
    ("ID Avg@K", "id", "avg"),
    ("OOD Avg@K", "ood", "avg"),
    ("OOD greedy", "ood", "greedy"),
    ("OOD Pass@K", "ood", "pass"),
    ("ID format", "id", "format"),
    ("OOD format", "ood", "format"),
)
_SAID = "Avg@K is the mean accuracy of K samples at temperature 1."
_WINDOW = 10
"""Steps over which arXiv 2506.10947 smooths its curves, whose last values it reports."""
_SMOOTHED = (
    "Accuracy of the rollouts of a batch, at the last one and over the last ones: the paper reports the end of a "
    "smoothed curve."
)
_REMEDY = "make them with --keep"


def keep_experiments(run: Path, folder: Path) -> None:
    """Copy what the tables need of `<run>/seed*`: slim records, metrics, size and environment."""
    for seed in sorted(run.glob("seed*")):
        miniature = _miniature(seed)
        keep_arms(seed, folder / seed.name, ("step", "accuracy", *miniature.curves, *miniature.also_kept))
        keep_monitoring(seed, folder / seed.name)


def results(folder: Path) -> str:
    """All tables, as Markdown, over `<folder>/seed*`. InputError where nothing is kept."""
    miniature, seeds = _kept(folder)
    splits = miniature.questions.splits
    said = (
        f"{len(seeds)} seeds. Percentages are means over seeds, with Student's 95 % interval over seeds in brackets, "
        "cut at 0 and 100. "
        f"ID: {splits['id']}, OOD: {splits['ood']}; {miniature.said or _SAID} "
        "Differences are paired by sentence, with a 95 % bootstrap interval over seeds × guidelines."
    )
    noticed = [noted_table(miniature, seeds), mcnemar_tables(miniature, seeds)] if miniature.paired else []
    noticed += [_by_kind(miniature, seeds)] if miniature.by_kind else []
    parts = [
        said,
        _figures(miniature, seeds),
        *noticed,
        claims_table(_found(miniature, seeds), splits),
        _curves(miniature, seeds),
    ]
    parts += [_last_values(miniature, seeds)] if miniature.smoothed else []
    return "\n\n".join([*parts, *([monitoring_table(miniature, seeds)] if miniature.monitored else [])])


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them."""
    miniature, seeds = _kept(folder)
    return claim_reports(_found(miniature, seeds), miniature.questions.splits)


def _found(miniature: Miniature, seeds: Sequence[Path]) -> list[Found]:
    return [found_of(claim, seeds) for claim in miniature.claims]


def _kept(folder: Path) -> tuple[Miniature, list[Path]]:
    seeds = sorted(folder.glob("seed*"))
    try:
        return _miniature(seeds[0]), seeds
    except IndexError:
        raise InputError("holds no kept records of a miniature", file=folder, remedy=_REMEDY) from None


def _miniature(seed: Path) -> Miniature:
    """That of the runs in a folder of one seed."""
    try:
        return MINIATURES[json.loads((seed / "size.json").read_text(encoding="utf-8"))["system"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError("holds no kept records of a miniature", file=seed, remedy=_REMEDY) from None


def _figures(miniature: Miniature, seeds: Sequence[Path]) -> str:
    columns = miniature.columns or _COLUMNS
    lines = [
        "### Figures" if miniature.columns else "### Accuracy",
        "",
        table_row(["", *(c[0] for c in columns)]),
        table_row(["---", *["--:"] * len(columns)]),
    ]
    for arm in miniature.arms:
        cells = [_figure_text(over_seeds(seeds, arm.name, split, q), q) for _, split, q in columns]
        lines.append(table_row([arm.label, *cells]))
    return "\n".join(lines)


def _figure_text(values: Sequence[float], quantity: QuantityName) -> str:
    return interval_text(values, times=1.0) if quantity == "length" else share_text(values)


def _by_kind(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """Avg@K of each kind of question."""
    columns = [(split, kind) for split in SPLITS for kind in kinds_of(seeds)]
    lines = ["### Avg@K by kind of question", ""]
    lines += [table_row(["", *(f"{split.upper()} {kind}" for split, kind in columns)])]
    lines += [table_row(["---", *["--:"] * len(columns)])]
    for arm in miniature.arms:
        cells = [share_text(over_seeds(seeds, arm.name, split, "avg", (kind,))) for split, kind in columns]
        lines.append(table_row([arm.label, *cells]))
    return "\n".join(lines)


def _curves(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """Means over quarters of the training, over seeds."""
    curves = miniature.curves
    lines = ["### Training, by quarters", "", table_row(["", *curves]), table_row(["---", *["---"] * len(curves)])]
    for arm in miniature.arms:
        runs = [rows for seed in seeds if (rows := metrics_of(seed, arm.name))]
        if runs:
            known = any(row.get(name) is not None for rows in runs for row in rows for name in curves)
            lines += [table_row([arm.label, *metric_quarters(runs, curves)])] if known else []
    return "\n".join(lines)


def _last_values(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """Accuracy of rollouts where training ends, as it is and as a curve that is smoothed ends."""
    lines = ["### The last value, and the smoothed one", "", _SMOOTHED, ""]
    lines += [table_row(["", "last", f"mean of the last {_WINDOW}"]), table_row(["---", "--:", "--:"])]
    for arm in (arm for arm in miniature.arms if arm.recipe is not None):
        curves = [
            [accuracy for row in metrics_of(seed, arm.name) if (accuracy := row.get("accuracy")) is not None]
            for seed in seeds
        ]
        ends = ([stats.trailing_mean(curve, window) for curve in curves] for window in (1, _WINDOW))
        cells = [share_text([value for value in values if value is not None]) for values in ends]
        lines.append(table_row([arm.label, *cells]))
    return "\n".join(lines)


def main() -> int:
    """The script."""
    return results_script("The tables of a miniature, from kept records.", results, keep_experiments)


if __name__ == "__main__":
    sys.exit(main())
