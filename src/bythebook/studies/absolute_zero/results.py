"""The results page, recomputed from kept records:

python -m bythebook.studies.absolute_zero.results docs/results/absolute_zero      prints the tables
python -m bythebook.studies.absolute_zero.results --keep RUN docs/results/absolute_zero      keeps a run's records
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.records import read_records
from bythebook.studies.absolute_zero.arms import ARMS, CLAIMS, KINDS_ASKED, SPLITS, START
from bythebook.studies.kept import keep_arms, metrics_of, results_script, share_text, table_row
from bythebook.studies.miniature.arms import QuantityName
from bythebook.studies.miniature.claims import claim_reports, claims_table
from bythebook.studies.miniature.figures import Found, found_of, over_seeds
from bythebook.studies.miniature.monitoring import metric_quarters

__all__ = ["keep_experiments", "results", "verdicts"]

_COLUMNS: tuple[tuple[str, str, QuantityName], ...] = (
    *((kind, kind, "avg") for kind in KINDS_ASKED),
    ("all", "id", "avg"),
    ("all, greedy", "id", "greedy"),
    ("all, Pass@K", "id", "pass"),
    ("longer", "ood", "avg"),
    ("form", "id", "format"),
)
_OF_CELLS = tuple(
    f"{role}_{kind}_{of}" for role in ("proposer", "solver") for kind in KINDS_ASKED for of in ("reward", "ok")
)
_CURVES = ("reward", "entropy", "completion_length", "grad_norm")


def keep_experiments(run: Path, folder: Path) -> None:
    """Copy what the tables need of `<run>/seed*`, the records of each kind in a file of their own."""
    for seed in sorted(run.glob("seed*")):
        kept = folder / seed.name
        keep_arms(seed, kept, ("step", *_CURVES, *_OF_CELLS))
        for arm in ARMS:
            _by_kind(kept / "records", arm.name)


def _by_kind(records: Path, arm: str) -> None:
    file = records / f"{arm}.id.jsonl.gz"
    if not file.exists():
        return
    rows = read_records(file)
    for kind in KINDS_ASKED:
        with gzip.GzipFile(records / f"{arm}.{kind}.jsonl.gz", "wb", mtime=0) as out:
            out.write("".join(r.to_line() + "\n" for r in rows if r.domain == kind).encode())


def results(folder: Path) -> str:
    """All tables, as Markdown, over `<folder>/seed*`. InputError where nothing is kept."""
    seeds = _seeds(folder)
    said = (
        f"{len(seeds)} seeds. Percentages are means over seeds, with Student's 95 % interval over seeds in brackets, "
        "cut at 0 and 100. Accuracy is Avg@K, of K samples at temperature 1, unless something else is said; the "
        f"sandbox judges. All: {SPLITS['id']}; longer: {SPLITS['ood']}. Differences are paired by exercise, with a "
        "95 % bootstrap interval over seeds × exercises."
    )
    return "\n\n".join([said, _figures(seeds), claims_table(_found(seeds), SPLITS), _players(seeds), _curves(seeds)])


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them."""
    return claim_reports(_found(_seeds(folder)), SPLITS)


def _seeds(folder: Path) -> list[Path]:
    seeds = [seed for seed in sorted(folder.glob("seed*")) if (seed / "records" / f"{START}.id.jsonl.gz").exists()]
    if not seeds:
        raise InputError("holds no kept records of this study", file=folder, remedy="make them with --keep")
    return seeds


def _found(seeds: Sequence[Path]) -> list[Found]:
    return [found_of(claim, seeds) for claim in CLAIMS]


def _head(title: str, columns: Sequence[str], align: str = "--:") -> list[str]:
    return [f"### {title}", "", table_row(["", *columns]), table_row(["---", *[align] * len(columns)])]


def _figures(seeds: Sequence[Path]) -> str:
    lines = _head("Accuracy of the solver", [name for name, _, _ in _COLUMNS])
    for arm in ARMS:
        cells = [share_text(over_seeds(seeds, arm.name, split, quantity)) for _, split, quantity in _COLUMNS]
        lines.append(table_row([arm.label, *cells]))
    return "\n".join(lines)


def _players(seeds: Sequence[Path]) -> str:
    """What proposers were paid and how many of their exercises teach, and what solvers solved, by quarters."""
    said = (
        "Means over quarters of the training. Of the proposer, its reward and the share of its proposals that the "
        "solver solves sometimes and not always; of the solver, the share that is right."
    )
    lines = ["### Proposer and solver, by quarters", "", said, ""]
    for kind in KINDS_ASKED:
        named = ("proposer's reward", "proposals that teach", "solved")
        lines += [f"{kind}:", "", table_row(["", *named]), table_row(["---"] * 4)]
        for arm in ARMS[1:]:
            names = (f"proposer_{kind}_reward", f"proposer_{kind}_ok", f"solver_{kind}_ok")
            lines.append(table_row([arm.label, *_quarters(seeds, arm.name, names)]))
        lines.append("")
    return "\n".join(lines[:-1])


def _curves(seeds: Sequence[Path]) -> str:
    lines = _head("Training, by quarters", _CURVES, "---")
    for arm in ARMS:
        lines.append(table_row([arm.label, *_quarters(seeds, arm.name, _CURVES)]))
    return "\n".join(lines)


def _quarters(seeds: Sequence[Path], arm: str, names: Sequence[str]) -> list[str]:
    return metric_quarters([rows for seed in seeds if (rows := metrics_of(seed, arm))], names)


def main() -> int:
    """The script."""
    return results_script("The tables of Absolute Zero in miniature.", results, keep_experiments)


if __name__ == "__main__":
    sys.exit(main())
