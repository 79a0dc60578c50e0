"""The page on CodeV-R1, recomputed from kept records:

python -m bythebook.studies.codev_r1.results docs/results/codev_r1                        prints the tables
python -m bythebook.studies.codev_r1.results --keep runs/codev_r1 docs/results/codev_r1   keeps the records of a run

Beside the records of the miniature the folder holds those of `codev_r1.verilog_eval` (`verilog_eval.jsonl`,
`rtllm.jsonl`) and of `codev_r1.round_trip` (`round_trip.json`), where they were made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.records import read_jsonl
from bythebook.studies.codev_r1.round_trip import round_trip_table
from bythebook.studies.codev_r1.sampling import sampling_table, sampling_verdicts
from bythebook.studies.codev_r1.verifier_tables import benchmark_table
from bythebook.studies.kept import results_script
from bythebook.studies.miniature import results as miniature
from bythebook.studies.miniature.results import keep_experiments

__all__ = ["keep_experiments", "results", "verdicts"]

_BENCHMARKS = ("verilog_eval", "rtllm")
_ROUND_TRIP = "round_trip.json"


def results(folder: Path) -> str:
    """All tables, as Markdown: those of the miniature where a run of it is kept, and those of the verifier. InputError
    where nothing is."""
    seeds = _seeds(folder)
    parts = [miniature.results(folder), sampling_table(seeds)] if seeds else []
    files = {name: folder / f"{name}.jsonl" for name in _BENCHMARKS}
    found = {name: [row for _, row in read_jsonl(file)] for name, file in files.items() if file.exists()}
    parts += [benchmark_table(found)] if found else []
    trip = folder / _ROUND_TRIP
    parts += [round_trip_table(json.loads(trip.read_text(encoding="utf-8")))] if trip.exists() else []
    if not parts:
        raise InputError("holds no kept records of CodeV-R1", file=folder, remedy="make them with --keep")
    return "\n\n".join(part for part in parts if part)


def verdicts(folder: Path) -> list[dict[str, Any]]:
    """The claims, as `bythebook reproduce --json` prints them; none without a run of the miniature."""
    seeds = _seeds(folder)
    return [*miniature.verdicts(folder), *sampling_verdicts(seeds)] if seeds else []


def _seeds(folder: Path) -> list[Path]:
    return sorted(folder.glob("seed*"))


def main() -> int:
    """The script."""
    return results_script("The tables on CodeV-R1, from kept records.", results, keep_experiments)


if __name__ == "__main__":
    sys.exit(main())
