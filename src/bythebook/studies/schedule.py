"""Arms over seeds, several processes side by side, those first that others start from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bythebook.studies.folders import claim, duration
from bythebook.studies.side_by_side import cores, worker_pool

__all__ = ["run_seeds"]

_Job = tuple[str, int]
"""An arm and a seed."""


def run_seeds(
    output: Path,
    names: Sequence[str],
    work: Callable[..., str],
    *,
    seeds: int,
    size: Any,
    done: Callable[[Path, str], bool],
    seconds: Callable[[str], float],
    ready: Callable[[Path, str], bool] = lambda *_: True,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    refusal: str = "another size or seed",
    **note: str,
) -> None:
    """Run what is not `done` of the arms `names` with seeds 0 … seeds − 1, each in a folder `<output>/seed<n>`.

    An arm is `work(name, folder, seed, size)` in another process. `size`, a dataclass, and `note` say what the folders
    are for. Whether an arm is done, or ready to begin, is asked of its folder and name. InputError for a folder that
    holds runs of something else, which is said as `refusal`.
    """
    folders = {seed: output / f"seed{seed}" for seed in range(seeds)}
    for seed, folder in folders.items():
        claim(folder, {**note, "seed": seed, "size": asdict(size)}, seed, refusal)
    _run_jobs(
        [(name, seed) for name in names for seed in folders if not done(folders[seed], name)],
        seeds * len(names),
        lambda pool, job: pool.submit(work, job[0], str(folders[job[1]]), job[1], size),
        seconds=seconds,
        ready=lambda job: ready(folders[job[1]], job[0]),
        workers=workers,
        say=say,
    )


def _run_jobs(
    jobs: Sequence[_Job],
    whole: int,
    submit: Callable[[ProcessPoolExecutor, _Job], Future[str]],
    *,
    seconds: Callable[[str], float],
    ready: Callable[[_Job], bool] = lambda _: True,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Run `jobs`, which are what is left of `whole`, each as soon as it is `ready`, so many at a time (None: one a
    core). `seconds` is what an arm takes on an idle core; `say` gets an estimate first, then a line for each job."""
    workers = max(1, min(workers or cores(), len(jobs)))
    expected = sum(seconds(name) for name, _ in jobs)
    say(
        f"{len(jobs)} of {whole} arms to run, {workers} at a time: about {duration(expected / workers)} on {workers} "
        "idle cores"
    )
    if not jobs:
        return
    started, done, finished, left = time.monotonic(), 0.0, 0, list(jobs)
    running: dict[Future[str], _Job] = {}
    with worker_pool(workers) as pool:
        while left or running:
            for job in [job for job in left if ready(job)][: workers - len(running)]:
                left.remove(job)
                running[submit(pool, job)] = job
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name, seed = running.pop(future)
                future.result()
                finished, done = finished + 1, done + seconds(name)
                # What is left is scaled by how long the arms so far took.
                rest = (time.monotonic() - started) * (expected - done) / done
                say(f"seed {seed}, {name}: done ({finished} of {len(jobs)}; about {duration(rest)} left)")
