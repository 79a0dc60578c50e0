"""The results page of the demo over seeds, recomputed from kept records:

python -m bythebook.studies.demo_results docs/results/r1_re_demo          prints the tables
python -m bythebook.studies.demo_results --keep runs/demo-0 DIR           keeps a run's records, slim and gzipped
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bythebook import stats
from bythebook.records import Record, read_records
from bythebook.report import markdown_summary
from bythebook.studies.sft_sweep import BUDGETS, LEARNING_RATES

__all__ = ["keep", "results"]

_KEPT_TAGS = ("case", "guideline_id", "gold_before", "correct_before", "inverted", "between")


def keep(run: Path, folder: Path) -> None:
    """Copy what the tables need of a run: records without completions, metrics, `demo.json`, `environment.json`."""
    (folder / "records").mkdir(parents=True, exist_ok=True)
    for name in ("demo.json", "environment.json", "scores.json"):
        if (run / name).exists():
            shutil.copyfile(run / name, folder / name)
    for file in sorted((run / "records").glob("*.jsonl")):
        if file.stem == "rollouts":
            continue
        # A fixed time stamp: equal records give equal files.
        with gzip.GzipFile(folder / "records" / f"{file.name}.gz", "wb", mtime=0) as out:
            for record in read_records(file):
                out.write((_slim(record).to_line() + "\n").encode())


def _slim(record: Record) -> Record:
    tags = {name: value for name, value in record.tags.items() if name in _KEPT_TAGS}
    return record.model_copy(update={"completion": None, "errors": (), "tags": tags})


def results(folder: Path) -> str:
    """The tables, as Markdown: all seeds of `<folder>/seed*`, then the sweep in `<folder>/sweep/seed*`."""
    runs = sorted(folder.glob("seed*"))
    return "\n\n".join([markdown_summary(runs), _sweep_table(folder)])


def _sweep_table(folder: Path) -> str:
    seeds = sorted((folder / "sweep").glob("seed*"))
    head = ["learning rate", *(f"{split}, {b} steps" for b in BUDGETS for split in ("ID", "OOD"))]
    lines = ["### Answer-only SFT, greedy accuracy (%), mean over seeds", "", _row(head), _row(["---"] * len(head))]
    for rate in LEARNING_RATES:
        cells = [f"{rate:g}"]
        for budget in BUDGETS:
            cells += [_mean(seeds, f"sft_{rate:g}_{budget}.{split}") for split in ("id", "ood")]
        lines.append(_row(cells))
    return "\n".join(lines)


def _mean(seeds: Sequence[Path], name: str) -> str:
    found = []
    for seed in seeds:
        file = seed / "records" / f"{name}.jsonl.gz"
        if file.exists():
            found.append(stats.mean(float(bool(r.correct)) for r in read_records(file)))
    value = stats.mean(found)
    return "–" if value is None else f"{100 * value:.1f}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="The demo's results over seeds, from kept records.")
    parser.add_argument("--keep", type=Path, help="a run whose records are kept in FOLDER")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.keep:
        keep(given.keep, given.folder)
    else:
        sys.stdout.write(results(given.folder) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
