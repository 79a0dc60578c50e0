"""Many pairs of reference and candidate at once: those of one reference in one run of the simulator, several runs side
by side, and nothing twice.

Groups of completions hold the same text again and again, and one completion is looked at by the reward and by the
record beside it: what was found is kept by the texts of both sides, of the latest pairs.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from bythebook.hardware.equivalence import Outcome, check_many
from bythebook.hardware.processes import Limits
from bythebook.hardware.simulator import need_simulator
from bythebook.hardware.stimuli import Plan

__all__ = ["check_pairs", "forget_checks"]

_KEPT = 50_000
"""Outcomes that are kept; each takes about a kilobyte."""
_found: OrderedDict[str, Outcome] = OrderedDict()
_lock = Lock()


def check_pairs(
    pairs: Sequence[tuple[str, str]], *, plan: Plan | None = None, limits: Limits | None = None
) -> list[Outcome]:
    """Whether each candidate does what its reference does: pairs (reference, candidate), an Outcome each.

    As `check_many`; InputError where Icarus Verilog is not installed.
    """
    need_simulator()
    plan, limits = plan or Plan(), limits or Limits()
    settings = plan.model_dump_json() + limits.model_dump_json()
    keys = [_key(settings, *pair) for pair in pairs]
    known = _known(keys)
    waiting: dict[str, dict[str, str]] = {}
    for key, (reference, candidate) in zip(keys, pairs, strict=True):
        if key not in known:
            waiting.setdefault(reference, {})[key] = candidate

    def checked(reference: str) -> list[Outcome]:
        return check_many(reference, list(waiting[reference].values()), plan=plan, limits=limits)

    if waiting:
        # Threads wait for processes of the simulator, which are what takes time.
        with ThreadPoolExecutor(max_workers=min(len(waiting), _workers())) as pool:
            for reference, outcomes in zip(waiting, pool.map(checked, waiting), strict=True):
                known.update(zip(waiting[reference], outcomes, strict=True))
        _keep(known)
    return [known[key] for key in keys]


def forget_checks() -> None:
    """Check everything anew from here on."""
    with _lock:
        _found.clear()


def _key(settings: str, reference: str, candidate: str) -> str:
    parts = (hashlib.sha256(t.encode("utf-8", "surrogatepass")).hexdigest() for t in (settings, reference, candidate))
    return "".join(parts)


def _known(keys: Iterable[str]) -> dict[str, Outcome]:
    with _lock:
        return {key: _found[key] for key in keys if key in _found}


def _keep(known: dict[str, Outcome]) -> None:
    with _lock:
        _found.update(known)
        while len(_found) > _KEPT:
            _found.popitem(last=False)


def _workers() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
