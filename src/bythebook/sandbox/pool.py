"""Many programs through a few warm interpreters; none of them can hang, end or change the caller."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from bythebook.sandbox.launch import Namespaces
from bythebook.sandbox.nouns import Job, Layer, Limits, Outcome, Output
from bythebook.sandbox.worker import Worker

__all__ = ["SEEDS", "Sandbox"]

SEEDS = (1, 2, 3, 4)
"""Hash seeds of the processes that have to agree. Two find the order of a set of two strings in every other case only;
four miss one in eight."""
_GRACE_S = 5.0
"""How much longer than its program an interpreter may be silent."""


class Sandbox:
    """Runs jobs. A context manager; interpreters start with the first job and end with `close`.

    `lanes` jobs run at a time, each in as many processes as there are `seeds`. `namespaces`: `auto` uses bubblewrap
    where it works, `required` raises InputError where it does not. `checked=False` leaves out the allow-list, which is
    for tests of the layers below it, and for nothing else.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        lanes: int | None = None,
        seeds: Sequence[int] = SEEDS,
        namespaces: Namespaces = "auto",
        checked: bool = True,
    ) -> None:
        lanes = lanes if lanes is not None else os.cpu_count() or 1
        if lanes < 1 or not seeds:
            raise ValueError(f"{lanes} lanes, {len(seeds)} seeds: at least one of each")
        self.limits = limits or Limits()
        self.lanes = lanes
        self._checked = checked
        self._free: queue.SimpleQueue[list[Worker]] = queue.SimpleQueue()
        self._workers = [[Worker(seed, namespaces) for seed in seeds] for _ in range(lanes)]
        for lane in self._workers:
            self._free.put(lane)
        # Threads that last: an interpreter is killed when the thread that started it ends.
        self._threads = ThreadPoolExecutor(max_workers=lanes, thread_name_prefix="sandbox")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, jobs: Iterable[Job]) -> list[Outcome]:
        """The outcomes, in the order of the jobs. InputError where no interpreter can be started."""
        return list(self._threads.map(self._in_a_lane, jobs))

    def close(self) -> None:
        """End every interpreter."""
        self._threads.shutdown()
        for lane in self._workers:
            for worker in lane:
                worker.close()

    def _in_a_lane(self, job: Job) -> Outcome:
        too_long = self._too_long(job)
        if too_long:
            return Outcome(status="refused", detail=too_long, literals=(None,) * len(job.literals))
        lane = self._free.get()
        try:
            return self._decide(lane, job)
        except BaseException:
            # An answer that nobody fetched would be taken for that to the next job.
            for worker in lane:
                worker.close()
            raise
        finally:
            self._free.put(lane)

    def _too_long(self, job: Job) -> str:
        most = self.limits.source_characters
        if len(job.source or "") > most:
            return f"the program has more than {most} characters"
        data = sum(map(len, job.inputs)) + sum(map(len, job.literals))
        return f"inputs and literals have more than {most} characters" if data > most else ""

    def _decide(self, lane: list[Worker], job: Job) -> Outcome:
        """What one process says, if it is no result or the others say so, too."""
        first = self._ask(lane[:1], job)[0]
        if first.status != "ok" or job.source is None or not job.every_seed:
            return first
        others = self._ask(lane[1:], job)
        if all(o.outputs == first.outputs and o.status == "ok" for o in others):
            return first
        broken = next((o for o in others if o.status in ("timeout", "killed")), None)
        return broken or first.model_copy(
            update={"status": "nondeterministic", "detail": "processes disagree", "outputs": ()}
        )

    def _ask(self, workers: list[Worker], job: Job) -> list[Outcome]:
        message = {**job.model_dump(exclude={"every_seed"}), **self.limits.model_dump(), "checked": self._checked}
        patience = self.limits.wall_s + _GRACE_S
        taken = [worker.send(message, patience) for worker in workers]
        # What was not taken is answered by nobody; the interpreter is killed after a silence, and starts anew.
        said = [w.receive(patience if t else 0.0) for w, t in zip(workers, taken, strict=True)]
        return [self._outcome(s, worker, job) for s, worker in zip(said, workers, strict=True)]

    def _outcome(self, said: dict[str, Any] | None, worker: Worker, job: Job) -> Outcome:
        """What an interpreter said, checked: it comes from a process that a hostile program has run in."""
        layers: list[Layer] = ["syntax"] if self._checked else []
        layers += [layer for layer in ("limits", "user", "calls", "namespaces") if layer in worker.layers]
        try:
            if said is None:
                raise ValueError("silence")
            outputs = tuple(_output(*pair) for pair in said.get("outputs", []))
            literals = tuple(said.get("literals", [])) or (None,) * len(job.literals)
            outcome = Outcome(
                status=said["status"], detail=str(said.get("detail", ""))[:200], outputs=outputs, literals=literals
            )
            expected = len(job.inputs) if outcome.status == "ok" and job.source is not None else 0
            if len(outputs) != expected or len(literals) != len(job.literals):
                raise ValueError("another number of outputs")
        except (ValidationError, ValueError, KeyError, TypeError):
            outcome = Outcome(status="killed", detail="no answer", literals=(None,) * len(job.literals))
        return outcome.model_copy(update={"layers": tuple(layers)})


def _output(kind: str, text: str) -> Output:
    if kind not in ("ok", "error"):
        raise ValueError(kind)
    return Output(text=text) if kind == "ok" else Output(error=text)
