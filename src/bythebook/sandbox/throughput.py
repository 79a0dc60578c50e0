"""How many programs a second the sandbox runs.

    python -m bythebook.sandbox.throughput [--programs 400] [--lanes N] [--namespaces auto|required|off] [--json]

The programs are small functions over strings and lists, each with one input; one in twenty is refused. `checked` runs
every program under all hash seeds, `answers` under one, as the answers to a task that has passed before.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any, cast, get_args

from bythebook.sandbox.launch import Namespaces
from bythebook.sandbox.nouns import Job
from bythebook.sandbox.pool import SEEDS, Sandbox

__all__ = ["main", "measure", "programs"]

_SOURCES = (
    'def f(a):\n    return {c: a.count(c) for c in a if c != " "}',
    "def f(a):\n    out = []\n    for i, c in enumerate(a):\n        out.append(c * (i % 3))\n    return out[::-1]",
    "import math\ndef f(a):\n    return [math.isqrt(ord(c)) for c in a]",
    "import re\ndef f(a):\n    return re.sub('[aeiou]', '', a), len(a)",
)


def programs(number: int, every_seed: bool) -> list[Job]:
    """Jobs that differ from one another; every twentieth may not run."""
    jobs = []
    for i in range(number):
        source = "import os\ndef f(a):\n    return a" if i % 20 == 19 else _SOURCES[i % len(_SOURCES)]
        jobs.append(Job(source=source, inputs=(repr(f"program number {i}"),), every_seed=every_seed))
    return jobs


def measure(number: int, lanes: int | None = None, namespaces: Namespaces = "auto") -> dict[str, Any]:
    """Programs per second, after the interpreters have started. ValueError if an outcome is not what it should be."""
    found: dict[str, Any] = {"programs": number, "cores": os.cpu_count(), "seeds": len(SEEDS)}
    with Sandbox(lanes=lanes, namespaces=namespaces) as sandbox:
        found["lanes"] = sandbox.lanes
        found["layers"] = list(sandbox.run(programs(4 * sandbox.lanes, True))[0].layers)
        for name, every_seed in (("checked_per_s", True), ("answers_per_s", False)):
            jobs = programs(number, every_seed)
            begun = time.perf_counter()
            outcomes = sandbox.run(jobs)
            found[name] = round(number / (time.perf_counter() - begun), 1)
            if sum(o.status == "ok" for o in outcomes) != number - number // 20:
                raise ValueError("an outcome is not what it should be")
    return found


def main(arguments: list[str] | None = None) -> None:
    """Print it."""
    parser = argparse.ArgumentParser(prog="python -m bythebook.sandbox.throughput")
    parser.add_argument("--programs", type=int, default=400)
    parser.add_argument("--lanes", type=int, default=None)
    parser.add_argument("--namespaces", choices=get_args(Namespaces), default="auto")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = measure(given.programs, given.lanes, cast(Namespaces, given.namespaces))
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['checked_per_s']} programs per second under {found['seeds']} hash seeds")
    print(f"{found['answers_per_s']} programs per second under one")
    print(f"{found['lanes']} lanes, {found['cores']} cores; layers: {', '.join(found['layers'])}")


if __name__ == "__main__":
    main()
