"""The results page, recomputed from kept records:

python -m bythebook.studies.reward_bridge.results docs/results/reward_bridge      prints the tables
python -m bythebook.studies.reward_bridge.results --keep RUN docs/results/reward_bridge      keeps a run's records
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.errors import InputError
from bythebook.records import read_records
from bythebook.studies.kept import interval_text, keep_arms, points, results_script, share_text, table_row
from bythebook.studies.miniature.arms import QuantityName
from bythebook.studies.miniature.claims import claim_reports
from bythebook.studies.miniature.figures import Found, found_of, over_seeds
from bythebook.studies.reward_bridge.arms import ARMS, CLAIMS, SPLITS, VERIFIER

__all__ = ["keep_experiments", "results", "verdicts"]

_COLUMNS: tuple[tuple[str, str, QuantityName], ...] = (
    ("ID Avg@K", "id", "avg"),
    ("OOD Avg@K", "ood", "avg"),
    ("OOD greedy", "ood", "greedy"),
    ("OOD Pass@K", "ood", "pass"),
)
_JUDGES = ("teacher", "verifier", "substring", "jaccard", "exact")
_CURVES = ("step", "reward", "accuracy", "completion_length", "entropy")


def keep_experiments(run: Path, folder: Path) -> None:
    """Copy what the tables need of `<run>/seed*`."""
    for seed in sorted(run.glob("seed*")):
        keep_arms(seed, folder / seed.name, _CURVES)
        shutil.copyfile(seed / VERIFIER / "verifier.json", folder / seed.name / "verifier.json")


def results(folder: Path) -> str:
    """All tables, as Markdown. InputError where nothing is kept."""
    seeds = _seeds(folder)
    said = (
        f"{len(seeds)} seeds. Percentages are means over seeds, with Student's 95 % interval over seeds in brackets, "
        "cut at 0 and 100. An answer is right if the program says so that knows what is meant, which no reward but the "
        f"last one asks. ID: {SPLITS['id']}, OOD: {SPLITS['ood']}."
    )
    return "\n\n".join([said, _verifiers(seeds), _figures(seeds), _claims(seeds)])


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them."""
    return claim_reports(_found(_seeds(folder)), SPLITS)


def _seeds(folder: Path) -> list[Path]:
    seeds = sorted(p for p in folder.glob("seed*") if (p / "verifier.json").exists())
    if not seeds:
        raise InputError("holds no kept records of this study", file=folder, remedy="make them with --keep")
    return seeds


def _found(seeds: Sequence[Path]) -> list[Found]:
    return [found_of(claim, seeds) for claim in CLAIMS]


def _verifiers(seeds: Sequence[Path]) -> str:
    """How the judges agree with the truth on held-out questions."""
    head = ["judge", "accuracy", "on new pairs", "YES to wrong", "NO to right", "κ with the truth", "κ by seed"]
    lines = ["### Judges on held-out questions", "", table_row([*head, "κ with the teacher"])]
    lines.append(table_row(["---", *["--:"] * len(head)]))
    read = [json.loads((seed / "verifier.json").read_text(encoding="utf-8"))["judges"] for seed in seeds]
    for name in _JUDGES:
        rows = [judges[name] for judges in read]
        shares = [
            share_text([row[key] for row in rows if row[key] is not None])
            for key in ("accuracy", "accuracy_new", "false_yes", "false_no")
        ]
        by_seed = "; ".join(_kappa(row["kappa"]) for row in rows)
        lines.append(
            table_row([name, *shares, _mean_kappa(rows, "kappa"), by_seed, _mean_kappa(rows, "kappa_teacher")])
        )
    return "\n".join(lines)


def _mean_kappa(rows: Sequence[dict[str, Any]], key: str) -> str:
    found = [row[key]["kappa"] for row in rows if row[key] and row[key]["kappa"] is not None]
    return interval_text(found, times=1.0, digits=2, most=1.0)


def _kappa(found: dict[str, Any] | None) -> str:
    if not found or found["kappa"] is None or found["low"] is None:
        return "–"
    return f"{found['kappa']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _figures(seeds: Sequence[Path]) -> str:
    lines = ["### Answers", "", table_row(["paid by", *(c[0] for c in _COLUMNS), "lists, ID", "tokens, ID"])]
    lines.append(table_row(["---", *["--:"] * (len(_COLUMNS) + 2)]))
    for arm in ARMS:
        cells = [share_text(over_seeds(seeds, arm.name, split, q)) for _, split, q in _COLUMNS]
        lists, tokens = _written(seeds, arm.name)
        lines.append(table_row([arm.label, *cells, share_text(lists), interval_text(tokens, times=1.0)]))
    return "\n".join(lines)


def _written(seeds: Sequence[Path], arm: str) -> tuple[list[float], list[float]]:
    """By seed: the share of samples that list alternatives, and their mean length in tokens."""
    lists: list[float] = []
    tokens: list[float] = []
    for seed in seeds:
        file = seed / "records" / f"{arm}.id.jsonl.gz"
        drawn = [r for r in read_records(file) if r.sample >= 0] if file.exists() else []
        share = stats.mean(float(" or " in (r.answer or "")) for r in drawn)
        length = stats.mean(float(r.tokens) for r in drawn if r.tokens is not None)
        lists += [] if share is None else [share]
        tokens += [] if length is None else [length]
    return lists, tokens


def _claims(seeds: Sequence[Path]) -> str:
    head = ["claim", "test", "difference, points", "verdict"]
    lines = ["### Claims", "", table_row(head), table_row(["---"] * len(head))]
    for found in _found(seeds):
        differences = "; ".join(points(c.found) for c in found.comparisons)
        lines.append(table_row([found.claim.said, SPLITS[found.claim.split], differences, found.verdict]))
    return "\n".join(lines)


def main() -> int:
    """The script."""
    return results_script("Tables of the miniature of Reward Bridge.", results, keep_experiments)


if __name__ == "__main__":
    sys.exit(main())
