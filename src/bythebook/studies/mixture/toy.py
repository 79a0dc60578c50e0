"""The whole method on toy domains, in ten seconds: seed runs, heuristics, surrogates, and the choice put to the test:

    python -m bythebook.studies.mixture.toy RUNS.jsonl              runs all of it, keeps the runs, prints the tables
    python -m bythebook.studies.mixture.choose RUNS.jsonl           prints them again

The rounds are MoDoMoDo's (arXiv 2505.24871): 11 seed mixtures of five domains, the heuristics' weights, then what the
surrogates choose from both. What the paper lacks: three seeds a mixture, and a last round with seeds that no fit has
seen, the same for the choices, the heuristics, the best seed mixture and the uniform one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bythebook.records import write_jsonl
from bythebook.studies.mixture.choose import Settings, choose
from bythebook.studies.mixture.show import as_markdown
from bythebook.studies.mixture.toy_world import ToyWorld

__all__ = ["WORLD", "run_toy", "seed_mixtures"]

WORLD = ToyWorld({"a": 0.8, "b": 0.5, "c": 0.3, "d": 0.0, "e": -0.3})
SEEDS = 3
CONFIRMED = 5
_LATER = 1000
"""Seeds of the last round begin here."""


def seed_mixtures(domains: Sequence[str]) -> dict[str, dict[str, float]]:
    """Each domain alone, all but each, all: by name."""
    alone = {f"{name} alone": {name: 1.0} for name in domains}
    rest = {name: [other for other in domains if other != name] for name in domains}
    without = {f"without {name}": dict.fromkeys(others, 1 / len(others)) for name, others in rest.items()}
    return {**alone, **without, "uniform": dict.fromkeys(domains, 1 / len(domains))}


def run_toy(
    path: Path,
    world: ToyWorld = WORLD,
    *,
    optimizers: tuple[str, ...] = ("gaussian",),
    seeds: int = SEEDS,
    confirmed: int = CONFIRMED,
) -> dict[str, Any]:
    """Write every run to `path` and return what `choose` finds there at the end. OSError where `path` can't be
    written."""
    settings, first, later = Settings(optimizers=optimizers), range(seeds), range(_LATER, _LATER + confirmed)
    rows = [row for name, w in seed_mixtures(tuple(world.target)).items() for row in _runs(world, name, w, first)]
    write_jsonl(path, rows)
    heuristics = _weights_of(choose(path, settings)["heuristics"])
    for name, weights in heuristics.items():
        rows += _runs(world, name, weights, first, "heuristic")
    write_jsonl(path, rows)
    found = choose(path, settings)
    beside = {row["name"]: row["weights"] for row in (found["uniform"], found["best_seed"])}
    last: dict[str | None, dict[str, dict[str, float]]] = {
        None: beside,
        "heuristic": heuristics,
        "surrogate": _weights_of(found["choices"]),
    }
    for method, mixtures in last.items():
        for name, weights in mixtures.items():
            rows += _runs(world, name, weights, later, method)
    write_jsonl(path, rows)
    return choose(path, settings)


def _runs(
    world: ToyWorld, name: str, weights: Mapping[str, float], seeds: Sequence[int], method: str | None = None
) -> list[dict[str, Any]]:
    about = {"method": method} if method else {}
    drawn = {domain: share for domain, share in weights.items() if share}
    return [
        {"name": name, "weights": drawn, "scores": {"Out": world.score(drawn, seed)}, "seed": seed, **about}
        for seed in seeds
    ]


def _weights_of(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    named = {row.get("name") or f"{row['surrogate']}, {row['optimizer']}": row["weights"] for row in rows}
    return {name: weights for name, weights in named.items() if weights}


def main() -> int:
    """The script."""
    parser = argparse.ArgumentParser(description="Mixtures of toy domains: run, fit, choose, confirm.")
    parser.add_argument("runs", type=Path, help="where the runs are kept, a JSONL")
    given = parser.parse_args()
    try:
        found = run_toy(given.runs)
    except OSError as error:
        sys.stderr.write(f"{given.runs}: can't be written: {error.strerror}\n")
        return 1
    sys.stdout.write(as_markdown(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
