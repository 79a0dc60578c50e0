"""The filter of the data synthesis, where the truth is known: circuits of the procedural world are described, written
again from the description by designers of differing care, and kept where the test bench finds the two equivalent.

python -m bythebook.studies.codev_r1.round_trip docs/results/codev_r1/round_trip.json

What is right is worked out from the words alone, without simulator (`tasks.world.gates.truth`).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from bythebook.errors import InputError
from bythebook.hardware import Filter, RoundTrip, check_pairs, kept_rows
from bythebook.parsing.verilog_answer import read_verilog_answer
from bythebook.records import write_text
from bythebook.studies.kept import table_row
from bythebook.tasks import task_named
from bythebook.tasks.world.circuits import Designer, design_as, understood
from bythebook.tasks.world.gates import truth

__all__ = ["round_trip", "round_trip_table"]

_SAID = (
    "{circuits} circuits of the world, each described by its template and written again by three designers. *Kept*: "
    "equivalent, as the test bench says; *right*: of those kept, the ones that have the truth table of the original; "
    "*lost*: right ones that were not kept."
)


def round_trip(circuits: int = 200, seed: int = 0) -> dict[str, Any]:
    """`circuits`, and by designer how many modules were `written`, `kept`, kept and `right`, and right and `lost`.
    InputError where Icarus Verilog is not installed."""
    examples = task_named("world_circuits").read(None, ood=circuits, seed=seed)["ood"]
    found: dict[str, Any] = {"circuits": circuits, "seed": seed}
    for designer in get_args(Designer):
        pairs, right = [], {}
        for example in examples:
            text = design_as(designer, example, random.Random(f"{seed}/{example.id}/{designer}"))
            meant = understood(designer, example, random.Random(f"{seed}/{example.id}/{designer}"))
            pairs.append((example.reference or "", read_verilog_answer(text).code or ""))
            right[example.id] = truth(meant) == truth(understood("careful", example, random.Random()))
        rows = [
            RoundTrip(id=example.id, regenerated=(outcome.kind,))
            for example, outcome in zip(examples, check_pairs(pairs), strict=True)
        ]
        kept = {row.id for row in kept_rows(rows, Filter())[0]}
        found[designer] = {
            "written": len(rows),
            "kept": len(kept),
            "right": sum(right[name] for name in kept),
            "lost": sum(right.values()) - sum(right[name] for name in kept),
        }
    return found


def round_trip_table(found: Mapping[str, Any]) -> str:
    """The section of the page, as Markdown."""
    head = ["designer", "written", "kept", "right", "lost", "precision, %"]
    lines = ["### The round trip", "", _SAID.format(circuits=found["circuits"]), "", table_row(head)]
    lines += [table_row(["---", *["--:"] * (len(head) - 1)])]
    rows = {name: found[name] for name in get_args(Designer)}
    every = {key: sum(row[key] for row in rows.values()) for key in ("written", "kept", "right", "lost")}
    for name, row in {**rows, "all": every}.items():
        share = f"{100 * row['right'] / row['kept']:.1f}" if row["kept"] else "–"
        lines.append(table_row([name, *(str(row[key]) for key in ("written", "kept", "right", "lost")), share]))
    return "\n".join(lines)


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="The precision of the round trip's filter.")
    parser.add_argument("output", type=Path, help="a JSON file")
    parser.add_argument("--circuits", type=int, default=200)
    given = parser.parse_args()
    try:
        found = round_trip(given.circuits)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    write_text(given.output, json.dumps(found, indent=2) + "\n")
    sys.stdout.write(round_trip_table(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
