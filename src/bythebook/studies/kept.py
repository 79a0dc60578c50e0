"""Records kept beside the documents whose figures they give: slim, gzipped, without text."""

from __future__ import annotations

import argparse
import gzip
import math
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bythebook import stats
from bythebook.records import Record, read_jsonl, read_records, write_jsonl
from bythebook.stats import Difference, PooledDifference

__all__ = [
    "difference_report",
    "interval_text",
    "keep",
    "keep_arms",
    "metrics_of",
    "points",
    "results_script",
    "share_text",
    "table_row",
]

_KEPT_TAGS = ("case", "guideline_id", "gold_before", "correct_before", "inverted", "between", "quoted")
_KEPT_FIGURES = ("perceived", "recall", "hedged", "repeated", "assured")
"""Tags of `studies.miniature.perception_notes`."""


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


def keep_arms(seed: Path, folder: Path, metrics: Sequence[str]) -> None:
    """`keep`, with what `size.json` says, and of every arm these metrics of each step."""
    keep(seed, folder)
    shutil.copyfile(seed / "size.json", folder / "size.json")
    for file in sorted((seed / "arms").glob("*/metrics.jsonl")):
        rows = [{k: row[k] for k in metrics if k in row} for _, row in read_jsonl(file) if "loss" in row]
        write_jsonl(folder / "metrics" / f"{file.parent.name}.jsonl", rows)


def metrics_of(seed: Path, arm: str) -> list[dict[str, Any]]:
    """What `keep_arms` kept of the metrics of an arm, step by step; empty where there is nothing."""
    file = seed / "metrics" / f"{arm}.jsonl"
    return [row for _, row in read_jsonl(file)] if file.exists() else []


def _slim(record: Record) -> Record:
    tags = {name: value for name, value in record.tags.items() if name in (*_KEPT_TAGS, *_KEPT_FIGURES)}
    return record.model_copy(update={"completion": None, "text": None, "entities": None, "errors": (), "tags": tags})


def table_row(cells: Sequence[str]) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def interval_text(
    values: Sequence[float], times: float = 100.0, digits: int = 1, sign: str = "", most: float = math.inf
) -> str:
    """The mean with Student's 95 % interval over seeds, cut at `most`; a dash without values. `sign` is `+` for
    differences."""
    middle, bounds = stats.mean(values), stats.interval(values)
    if middle is None:
        return "–"
    low_high = [f"{times * min(bound, most):{sign}.{digits}f}" for bound in bounds or ()]
    return f"{times * middle:{sign}.{digits}f}" + (f" [{', '.join(low_high)}]" if low_high else "")


def share_text(values: Sequence[float]) -> str:
    """The mean of shares in %, with Student's 95 % interval over seeds, cut at 0 and 100; a dash without values."""
    middle, bounds = stats.mean(values), stats.interval(values)
    if middle is None:
        return "–"
    text = f"{100 * middle:.1f}"
    return text if bounds is None else f"{text} [{100 * max(0.0, bounds[0]):.1f}, {100 * min(1.0, bounds[1]):.1f}]"


def points(found: Difference | PooledDifference | None) -> str:
    """A difference in points, with its interval; a dash where there is none."""
    if found is None:
        return "–"
    return f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def difference_report(of: str, to: str, found: Difference | None) -> dict[str, Any]:
    """One difference of a claim, as `bythebook reproduce --json` prints it."""
    fields = dict.fromkeys(Difference._fields) if found is None else found._asdict()
    return {"of": of, "to": to, **fields}


def results_script(
    description: str,
    results: Callable[[Path], str],
    keeping: Callable[[Path, Path], None] = keep,
    draw: Callable[[Path, Path], Path] | None = None,
) -> int:
    """The command of a results page: print its tables, or with `--keep RUN` keep the records of a run; with `--plot
    FILE` draw its curves, where it has any."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--keep", type=Path, help="a run whose records are kept in FOLDER")
    if draw:
        parser.add_argument("--plot", type=Path, help="where to draw the curves, a PNG")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.keep:
        keeping(given.keep, given.folder)
    elif draw and given.plot:
        draw(given.folder, given.plot)
    else:
        sys.stdout.write(results(given.folder) + "\n")
    return 0
