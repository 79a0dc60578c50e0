"""The results page of the demo over seeds, recomputed from kept records:

python -m bythebook.studies.demo_results docs/results/r1_re_demo          prints the tables
python -m bythebook.studies.demo_results --keep runs/demo-0 DIR           keeps a run's records, slim and gzipped
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bythebook import stats
from bythebook.records import read_records
from bythebook.report import markdown_summary
from bythebook.studies.kept import results_script, table_row
from bythebook.studies.sft_sweep import BUDGETS, LEARNING_RATES

__all__ = ["results"]


def results(folder: Path) -> str:
    """The tables, as Markdown: all seeds of `<folder>/seed*`, then the sweep in `<folder>/sweep/seed*`."""
    runs = sorted(folder.glob("seed*"))
    return "\n\n".join([markdown_summary(runs), _sweep_table(folder)])


def _sweep_table(folder: Path) -> str:
    seeds = sorted((folder / "sweep").glob("seed*"))
    head = ["learning rate", *(f"{split}, {b} steps" for b in BUDGETS for split in ("ID", "OOD"))]
    lines = [
        "### Answer-only SFT, greedy accuracy (%), mean over seeds",
        "",
        table_row(head),
        table_row(["---"] * len(head)),
    ]
    for rate in LEARNING_RATES:
        cells = [f"{rate:g}"]
        for budget in BUDGETS:
            cells += [_mean(seeds, f"sft_{rate:g}_{budget}.{split}") for split in ("id", "ood")]
        lines.append(table_row(cells))
    return "\n".join(lines)


def _mean(seeds: Sequence[Path], name: str) -> str:
    found = []
    for seed in seeds:
        file = seed / "records" / f"{name}.jsonl.gz"
        if file.exists():
            found.append(stats.mean(float(bool(r.correct)) for r in read_records(file)))
    value = stats.mean(found)
    return "–" if value is None else f"{100 * value:.1f}"


def main() -> int:
    """The script."""
    return results_script("The demo's results over seeds, from kept records.", results)


if __name__ == "__main__":
    sys.exit(main())
