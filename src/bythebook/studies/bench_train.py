"""A step of GRPO, generation included: ours beside TRL's own trainer, same weights, same prompts.

    bythebook bench train --json > bench/train.json
    python -m bythebook.studies.bench_tables bench docs/performance.md

TRL's batch is split in several ways, and its fastest one tried with activation checkpointing, too; the best of them is
the peer. Then both sides step in turns, each in a process of its own. A recorded generation goes through both losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from bythebook.errors import InputError
from bythebook.studies.bench import surroundings
from bythebook.studies.bench_sides import Side, medians, opened, take_turns, tell

__all__ = [
    "MICRO_BATCHES",
    "bench_train",
    "best_split",
    "compared",
    "ours_of",
    "sides",
    "split_into",
    "splits_of",
    "workload_of",
]

MICRO_BATCHES = (2, 4, 8, 16, 32, 64)
"""Rollouts of a micro-batch that are tried for the peer."""
QUICK = {"model": "tiny", "guideline": 48, "tail": 8, "prompts": 2, "group": 4, "completion": 6}
"""Does it run at all?"""
_BENCHES = "bythebook.training.benches"
_STEP = f"{_BENCHES}.steps:step"
_WARM_UP = 2
_FAR_SLOWER = 1.3


def bench_train(*, rounds: int = 5, micro_batch: int | None = None, **options: Any) -> dict[str, Any]:
    """The contract of `studies.bench`. Beside it `peer_splits` (seconds and peak of every configuration of TRL that was
    tried), `leanest_peer_memory_ratio` (against that of them which needs the least), `peak_bytes` and `turns`.

    `micro_batch` sets TRL's split, else the best is searched. `max_relative_error` is the larger of the loss's and of
    the gradients' (`relative_errors`). Other options are those of `workload_of`. InputError for sizes or a device that
    can't be.
    """
    workload = workload_of(**options)
    tried = [] if micro_batch else splits_of(workload)
    best = best_split(tried) if tried else split_into(workload, micro_batch)
    errors = compared(workload, best["micro_batch"])
    with ExitStack() as stack:
        ours, peer = sides(stack, workload, best)
        measured = take_turns([ours, peer], rounds, warm_up=_WARM_UP)
        ours_s, peer_s = medians(measured)
        peaks = {"ours": ours.peak, "peer": peer.peak}
    leanest = min([peaks["peer"], *(split["peak"] for split in tried)])
    return {
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_ratio": peaks["peer"] / peaks["ours"],
        "max_relative_error": max(errors["loss"], errors["gradient"]),
        "setting": _setting(workload, rounds, best),
        "relative_errors": errors,
        "peer_splits": tried,
        "leanest_peer_memory_ratio": leanest / peaks["ours"],
        "peak_bytes": peaks,
        "turns": {name: [t.seconds for t in turns] for name, turns in zip(peaks, measured, strict=True)},
    }


def workload_of(
    *,
    quick: bool = False,
    guideline_tokens: int | None = None,
    completion_tokens: int | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The workload of both sides, in the terms of `training.benches.workload.Workload`; what is None is left open.
    InputError for what can't be."""
    from bythebook.training.benches.workload import Workload, check

    asked = {"guideline": guideline_tokens, "completion": completion_tokens, **options}
    given = {**(QUICK if quick else {}), **{name: value for name, value in asked.items() if value is not None}}
    workload = Workload(**given)
    check(workload)
    return dict(vars(workload))


def splits_of(workload: Mapping[str, Any], micro_batches: Sequence[int] = MICRO_BATCHES) -> list[dict[str, Any]]:
    """What TRL was tried with: `micro_batch`, `checkpointing`, `seconds` of the second step, `peak` bytes of two.

    Sizes are tried in their order, up to one that is far slower than the best: from there on they only get slower.
    """
    rollouts = workload["prompts"] * workload["group"]
    tried: list[dict[str, Any]] = []
    for size in micro_batches:
        if size <= rollouts and rollouts % size == 0:
            tried.append(_tried(workload, size, checkpointing=False))
            if tried[-1]["seconds"] > _FAR_SLOWER * best_split(tried)["seconds"]:
                break
    return [*tried, _tried(workload, best_split(tried)["micro_batch"], checkpointing=True)]


def best_split(tried: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The fastest."""
    return min(tried, key=lambda split: float(split["seconds"]))


def split_into(workload: Mapping[str, Any], micro_batch: int | None) -> dict[str, Any]:
    """That split, activations kept. InputError unless it divides the rollouts."""
    rollouts = workload["prompts"] * workload["group"]
    if not micro_batch or rollouts % micro_batch:
        raise InputError(f"{rollouts} rollouts are not split into micro-batches of {micro_batch}")
    return {"micro_batch": micro_batch, "checkpointing": False}


def _tried(workload: Mapping[str, Any], micro_batch: int, *, checkpointing: bool) -> dict[str, Any]:
    split = {"micro_batch": micro_batch, "checkpointing": checkpointing}
    with Side(_STEP, side="trl", **split, workload=workload) as side:
        side.turn()
        seconds = side.turn().seconds
        kept = "recomputed" if checkpointing else "kept"
        tell(f"TRL in micro-batches of {micro_batch}, activations {kept}: {seconds:.2f} s")
        return {**split, "seconds": seconds, "peak": side.peak}


def sides(stack: ExitStack, workload: Mapping[str, Any], split: Mapping[str, Any]) -> tuple[Side, Side]:
    """(ours, the peer with that split)"""
    ours = ours_of(stack, workload)
    how = {name: split[name] for name in ("micro_batch", "checkpointing")}
    peer = opened(stack, _STEP, side="trl", **how, workload=workload)
    peer.load()
    return ours, peer


def ours_of(stack: ExitStack, workload: Mapping[str, Any]) -> Side:
    """Ours, loaded."""
    whole = workload["prompts"] * workload["group"]
    ours = opened(stack, _STEP, side="ours", micro_batch=whole, checkpointing=False, workload=workload)
    ours.load()
    return ours


def compared(workload: Mapping[str, Any], peer: int) -> dict[str, float]:
    """Relative errors of loss and gradients, the peer in micro-batches of `peer`, ours in one."""
    whole = workload["prompts"] * workload["group"]
    with Side(f"{_BENCHES}.replay:compare", ours=whole, peer=peer, workload=workload) as side:
        found: dict[str, float] = side.turn().value
    return found


def _setting(workload: Mapping[str, Any], rounds: int, best: Mapping[str, Any]) -> dict[str, Any]:
    rollouts = workload["prompts"] * workload["group"]
    found = surroundings("torch", "transformers", "trl")
    split = f"{rollouts // best['micro_batch']} × {best['micro_batch']} rollouts"
    checkpointing = "with" if best["checkpointing"] else "without"
    return {
        **workload,
        "rounds": rounds,
        "ours": "SharingTrainer, one micro-batch",
        "peer": f"TRL's GRPOTrainer, {split}, {checkpointing} activation checkpointing",
        **found,
    }
