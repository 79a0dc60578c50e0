"""How a step of GRPO grows with guideline, group and completion, and where sharing does not pay.

    bythebook bench growth --output bench
    python -m bythebook.studies.bench_growth_show bench/growth.jsonl docs/images/growth.png

One size is varied at a time, both sides in turns at every point; what twice the guideline costs is measured by itself,
all lengths of it in turns with each other. A second grid, of small groups and long completions
under short guidelines, looks for the point from which sharing costs more than it saves.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bythebook.records import append_jsonl, read_jsonl, write_jsonl, write_text
from bythebook.studies.bench import surroundings
from bythebook.studies.bench_sides import medians, take_turns, tell
from bythebook.studies.bench_train import compared, ours_of, sides, split_into, workload_of

__all__ = ["AXES", "bench_growth", "crossovers", "doublings", "points_of"]

AXES: dict[str, tuple[int, ...]] = {
    "guideline": (250, 500, 1_000, 2_000, 4_000),
    "group": (2, 4, 8, 16, 32),
    "completion": (32, 64, 128, 256, 512),
}
"""Sizes that are varied, in tokens or rollouts."""
_LARGER = "qwen2-0.5b"
"""What twice the guideline would cost there is counted, not measured."""
_GROUP = 16
"""Of the guideline's axis; doubling the guideline must cost little here."""
_LONG = {"group": 8}
"""Long completions are drawn in smaller groups."""
_PAYS = {"guideline": (50, 250, 1_000), "completion": (64, 256, 1_024)}
"""The second grid, at the smallest group there is."""
_QUICK_AXES = {"guideline": (16, 32), "group": (2, 4), "completion": (4, 8)}
_QUICK_PAYS = {"guideline": (8, 16), "completion": (4, 8)}
_MICRO_BATCH, _QUICK_MICRO_BATCH = 8, 4
"""TRL's, unless another is given."""
_ENOUGH = 60.0
"""Seconds of measured turns after which a side rests."""


def bench_growth(
    *,
    rounds: int = 5,
    micro_batch: int | None = None,
    quick: bool = False,
    output: Path | str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The contract of `studies.bench` for the base point (guideline 1,000, group 16, completions of 64 tokens). Beside
    it `points` (every point measured), `doublings` of the guideline, `crossovers` and the `file` of the points.

    Points are written to `<output>/growth.jsonl` as they are measured, each side in `rounds` turns or in those that
    took a minute together (`turns`); those that a stopped run of the same setting left there are kept. TRL steps in
    micro-batches of `micro_batch`. Other options are those of `workload_of`.
    """
    from bythebook.studies.bench_growth_show import draw

    folder = Path(output or "runs/bench_growth")
    base = workload_of(quick=quick, **{**options, **({} if quick else {"group": _GROUP})})
    split = split_into(base, micro_batch or (_QUICK_MICRO_BATCH if quick else _MICRO_BATCH))
    setting = {**base, "rounds": rounds, "split": dict(split), **surroundings("torch", "transformers", "trl")}
    errors = compared(base, split["micro_batch"])
    lengths = (_QUICK_AXES if quick else AXES)["guideline"]
    points = _kept(folder, setting, len(lengths))
    if not points:
        points = _by_guideline(base, lengths, rounds)
        append_jsonl(folder / "growth.jsonl", points)
    kept = [(p["axis"], _sizes(p["workload"])) for p in points]
    for point in points_of(base, quick=quick):
        if (point["axis"], {**_sizes(base), **point["sizes"]}) in kept:
            continue
        tell(", ".join(f"{name} {size}" for name, size in {**_sizes(base), **point["sizes"]}.items()))
        found = _measured(point["axis"], {**base, **point["sizes"]}, split, rounds)
        points.append(found)
        append_jsonl(folder / "growth.jsonl", [found])
    draw(points, folder / "growth.png")
    at_base = next(p for p in points if p["axis"] != "doubling" and _sizes(p["workload"]) == _sizes(base))
    return {
        **{key: at_base[key] for key in ("ours_s", "peer_s", "ratio", "peak_memory_ratio")},
        "max_relative_error": max(errors["loss"], errors["gradient"]),
        "setting": setting,
        "doublings": doublings(points),
        "crossovers": crossovers(points),
        "points": points,
        "file": str(folder / "growth.jsonl"),
    }


def _kept(folder: Path, setting: Mapping[str, Any], lengths: int) -> list[dict[str, Any]]:
    """The points that an earlier run of this setting measured; without them, or with an unfinished first step, the
    folder is made ready for a new run."""
    file, note = folder / "growth.jsonl", folder / "growth.setting.json"
    said = json.dumps(setting, indent=2, sort_keys=True) + "\n"
    if file.exists() and note.exists() and note.read_text(encoding="utf-8") == said:
        points: list[dict[str, Any]] = [row for _, row in read_jsonl(file)]
        if sum(p["axis"] == "doubling" for p in points) == lengths:
            tell(f"{len(points)} points kept from {folder}")
            return points
    write_jsonl(file, [])
    write_text(note, said)
    return []


def _sizes(workload: Mapping[str, Any]) -> dict[str, int]:
    return {name: workload[name] for name in AXES}


def points_of(base: Mapping[str, Any], *, quick: bool = False) -> Iterator[dict[str, Any]]:
    """The points: `axis` and the `sizes` that differ from the base."""
    for axis, sizes in (_QUICK_AXES if quick else AXES).items():
        for size in sizes:
            yield {"axis": axis, "sizes": {**(_LONG if axis == "completion" and not quick else {}), axis: size}}
    if quick:
        yield {"axis": "guideline", "sizes": {}}
    grid = _QUICK_PAYS if quick else _PAYS
    for guideline in grid["guideline"]:
        for completion in grid["completion"]:
            yield {"axis": "pays", "sizes": {"group": 2, "guideline": guideline, "completion": completion}}


def _by_guideline(base: Mapping[str, Any], lengths: Sequence[int], rounds: int) -> list[dict[str, Any]]:
    """Ours under guidelines of every length, in turns with each other: what is compared is measured side by side.
    Beside it multiplications, `counted` for the shape and for a larger one."""
    from bythebook.training.benches.counting import multiplications
    from bythebook.training.benches.workload import Workload

    def counted(workload: Mapping[str, Any]) -> dict[str, float]:
        return {
            name: multiplications(Workload(**{**workload, "model": model}))["all"]
            for name, model in (("ours", workload["model"]), ("larger", _LARGER))
        }

    tell(f"guidelines of {', '.join(map(str, lengths))}, in turns")
    workloads = [{**base, "guideline": length} for length in lengths]
    with ExitStack() as stack:
        measured = take_turns([ours_of(stack, workload) for workload in workloads], rounds)
    return [
        {
            "axis": "doubling",
            "workload": dict(workload),
            "ours_s": seconds,
            "counted": counted(workload),
            "turns": {"ours": len(turns)},
        }
        for workload, seconds, turns in zip(workloads, medians(measured), measured, strict=True)
    ]


def _measured(axis: str, workload: Mapping[str, Any], split: Mapping[str, Any], rounds: int) -> dict[str, Any]:
    rollouts = workload["prompts"] * workload["group"]
    fitting = {**split, "micro_batch": math.gcd(split["micro_batch"], rollouts)}
    with ExitStack() as stack:
        ours, peer = sides(stack, workload, fitting)
        measured = take_turns([ours, peer], rounds, enough=_ENOUGH)
        ours_s, peer_s = medians(measured)
        return {
            "axis": axis,
            "workload": dict(workload),
            "ours_s": ours_s,
            "peer_s": peer_s,
            "ratio": peer_s / ours_s,
            "peak_memory_ratio": peer.peak / ours.peak,
            "peak_bytes": {"ours": ours.peak, "peer": peer.peak},
            "turns": {"ours": len(measured[0]), "peer": len(measured[1])},
        }


def doublings(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Cost of twice the guideline in steps of before: `ours` as measured, `counted` and `larger` by multiplications."""
    at = {p["workload"]["guideline"]: p for p in points if p["axis"] == "doubling"}
    return [
        {
            "from": size,
            "to": 2 * size,
            "ours": at[2 * size]["ours_s"] / before["ours_s"],
            "counted": at[2 * size]["counted"]["ours"] / before["counted"]["ours"],
            "larger": at[2 * size]["counted"]["larger"] / before["counted"]["larger"],
        }
        for size, before in sorted(at.items())
        if 2 * size in at
    ]


def crossovers(points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each guideline of the second grid the length of completions from which sharing costs more than it saves, by
    interpolation of the logarithms; None where there is none up to the longest that was measured."""
    grid = [p for p in points if p["axis"] == "pays"]
    found = []
    for guideline in sorted({p["workload"]["guideline"] for p in grid}):
        those = [p for p in grid if p["workload"]["guideline"] == guideline]
        line = sorted((p["workload"]["completion"], p["ratio"]) for p in those)
        found.append({"guideline": guideline, "completion": _crossing(line), "measured_to": line[-1][0]})
    return found


def _crossing(line: Sequence[tuple[int, float]]) -> float | None:
    if line[0][1] < 1:
        return float(line[0][0])
    for (x, above), (next_x, below) in itertools.pairwise(line):
        if below < 1:
            share = math.log(above) / (math.log(above) - math.log(below))
            return math.exp(math.log(x) + share * (math.log(next_x) - math.log(x)))
    return None
