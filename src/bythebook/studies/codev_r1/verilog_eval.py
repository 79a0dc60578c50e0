"""The verifier on VerilogEval or RTLLM, run in place:

python -m bythebook.studies.codev_r1.verilog_eval PATH --output runs/verilog_eval.jsonl
python -m bythebook.studies.codev_r1.verilog_eval PATH --benchmark rtllm --output runs/rtllm.jsonl

PATH is a checkout of the benchmark, or its folder of problems. What is done is kept in the output, a line a circuit;
the same command goes on where it was stopped, and prints the table of all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bythebook.errors import BythebookError
from bythebook.hardware import need_simulator
from bythebook.readers.faults import Faults
from bythebook.readers.verilog import Circuit, read_rtllm, read_verilog_eval
from bythebook.records import append_jsonl, drop_torn_line, read_jsonl
from bythebook.studies.codev_r1.measured import MUTANTS, measured
from bythebook.studies.codev_r1.verifier_tables import benchmark_table

__all__ = ["BENCHMARKS", "measure"]

_FOLDER = "dataset_spec-to-rtl"
"""In a checkout of VerilogEval 2: the problems whose descriptions are the task."""
BENCHMARKS: dict[str, Callable[[Path, Faults], list[Circuit]]] = {
    "verilog_eval": lambda path, faults: read_verilog_eval(
        path / _FOLDER if (path / _FOLDER).is_dir() else path, faults
    ),
    "rtllm": read_rtllm,
}


def measure(
    benchmark: str,
    path: Path,
    output: Path,
    *,
    most: int = MUTANTS,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """The records of all circuits of a benchmark, or of the first `limit`: those in `output`, and the others made and
    added there. InputError for a path that holds none, and without Icarus Verilog; DataError for what can't be read."""
    need_simulator()
    faults = Faults()
    circuits = BENCHMARKS[benchmark](path, faults)[:limit]
    faults.refuse()
    output.parent.mkdir(parents=True, exist_ok=True)
    done: dict[str, dict[str, Any]] = {}
    if output.exists():
        drop_torn_line(output)
        done = {row["id"]: row for _, row in read_jsonl(output)}
    for place, circuit in enumerate(circuits, 1):
        if circuit.id not in done:
            done[circuit.id] = measured(circuit, most=most)
            append_jsonl(output, [done[circuit.id]])
            row = done[circuit.id]
            say(f"{place} of {len(circuits)}: {row['id']} {row['self']} {row['reason']} ({row['seconds']} s)")
    return [done[circuit.id] for circuit in circuits]


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="The verifier of circuits on a published benchmark.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--benchmark", choices=list(BENCHMARKS), default="verilog_eval")
    parser.add_argument("--output", type=Path, required=True, help="JSON lines, a line a circuit")
    parser.add_argument("--mutants", type=int, default=MUTANTS, help="of each circuit at most")
    parser.add_argument("--limit", type=int, help="the first circuits alone")
    given = parser.parse_args()

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")

    try:
        rows = measure(given.benchmark, given.path, given.output, most=given.mutants, limit=given.limit, say=say)
    except BythebookError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command goes on\n")
        return 130
    sys.stdout.write(benchmark_table({given.benchmark: rows}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
