"""Every claim that a miniature has judged, in one table, recomputed from the kept records:

python -m bythebook.studies.overview docs/results
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from bythebook.errors import InputError
from bythebook.studies.kept import table_row
from bythebook.studies.miniature.arms import QuantityName

__all__ = ["ROOMS", "overview"]

ROOMS = {
    "r2grpo": "r2grpo",
    "archer": "miniature",
    "rlpr": "miniature",
    "rlpr_fields": "miniature",
    "spurious": "miniature",
    "one_shot": "miniature",
    "med_rlvr": "miniature",
    "perception_r1": "miniature",
    "medical_vie": "miniature",
    "table_r1": "miniature",
    "reward_bridge": "reward_bridge",
    "invisible_leash": "leash",
    "modomodo": "mixture",
    "codev_r1": "codev_r1",
    "absolute_zero": "absolute_zero",
}
"""Systems whose claims are judged → the room of the study."""

_SHARES = set(get_args(QuantityName)) - {"length"}
"""Quantities that are shares, and told in points."""
_SAID = (
    "Differences are in points, of lengths, entropies, perplexities and NSCR as they are, with a 95 % interval over "
    "seeds × guidelines. How each verdict follows from them stands on the page of the system."
)
_VERDICTS = ("confirmed", "not seen here", "cannot be tested at this size")


def overview(folder: Path) -> str:
    """The table, as Markdown, of the systems whose records are kept in `<folder>/<system>`. InputError for none."""
    judged = {system: _verdicts(system, folder / system) for system in ROOMS if (folder / system).is_dir()}
    found = {system: claims for system, claims in judged.items() if claims}
    if not found:
        raise InputError("holds no kept records of a study", file=folder, remedy="name the folder of the results")
    every = [claim["verdict"] for claims in found.values() for claim in claims]
    counts = ", ".join(f"{every.count(verdict)} {verdict}" for verdict in _VERDICTS)
    head = ["claim", "test", "difference", "verdict"]
    lines = [f"{len(every)} claims: {counts}.", "", _SAID]
    for system, claims in found.items():
        lines += ["", f"### [{system}]({system}.md)", "", table_row(head), table_row(["---", "---", "--:", "---"])]
        lines += [table_row([c["claim"], _test(c), _differences(c), c["verdict"]]) for c in claims]
    return "\n".join(lines)


def _verdicts(system: str, folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = import_module(f"bythebook.studies.{ROOMS[system]}.results").verdicts(folder)
    return found


def _test(claim: dict[str, Any]) -> str:
    return str(claim.get("test") or claim.get("split") or "–")


def _differences(claim: dict[str, Any]) -> str:
    times, form = (100, "+.1f") if claim.get("quantity", "avg") in _SHARES else (1, "+.3f")
    return "; ".join(_difference(found, times, form) for found in claim["differences"]) or "–"


def _difference(found: dict[str, Any], times: float, form: str) -> str:
    if found["difference"] is None:
        return "–"
    middle, low, high = (format(times * found[name], form) for name in ("difference", "low", "high"))
    return f"{middle} [{low}, {high}]"


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="Every claim that a miniature has judged.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/results"))
    try:
        sys.stdout.write(overview(parser.parse_args().folder) + "\n")
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
