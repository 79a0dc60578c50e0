"""The rollouts of a step: our engine beside `generate` at its best batch size, and beside transformers' cached prefix.

    bythebook bench rollout --json > bench/rollout.json

Timed are sampled rollouts, every group from one prompt, as training draws them. That both sides compute the same is
seen in greedy decoding of as many different prompts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from bythebook.studies.bench import surroundings
from bythebook.studies.bench_sides import Side, medians, opened, take_turns, tell
from bythebook.studies.bench_train import workload_of

__all__ = ["BATCH_SIZES", "bench_rollout", "share_that_differs"]

BATCH_SIZES = (8, 16, 32, 64)
"""Rows at once that are tried for a peer."""
PEERS = ("generate", "cached")
_ROLLOUTS = "bythebook.training.benches.decoding:rollouts"


def bench_rollout(*, rounds: int = 5, **options: Any) -> dict[str, Any]:
    """The contract of `studies.bench`, the peer being `generate`; beside it `cached_prefix` (the same figures of
    transformers' recipe), `batch_sizes` (seconds of each that was tried), `peak_bytes` and `greedy`.

    `max_relative_error` is the share of greedy completions in which ours differ from those of `generate`. Options are
    those of `workload_of`.
    """
    workload = workload_of(**options)
    rollouts = workload["prompts"] * workload["group"]
    sizes = [size for size in BATCH_SIZES if size <= rollouts] or [rollouts]
    tried = {peer: {str(size): _seconds(workload, peer, size) for size in sizes} for peer in PEERS}
    best = {peer: int(min(found, key=lambda size: found[size])) for peer, found in tried.items()}
    with ExitStack() as stack:
        working = [_side(stack, workload, "ours", rollouts)]
        working += [_side(stack, workload, peer, best[peer]) for peer in PEERS]
        ours_s, peer_s, cached_s = medians(take_turns(working, rounds))
        peaks = [side.peak for side in working]
    greedy = _greedy(workload, best)
    return {
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_ratio": peaks[1] / peaks[0],
        "max_relative_error": greedy["differing"]["generate"],
        "setting": {
            **workload,
            "rounds": rounds,
            "ours": "TransformersModel, prefixes shared",
            "peer": f"generate, {best['generate']} rows at once",
            **surroundings("torch", "transformers"),
        },
        "cached_prefix": {
            "peer_s": cached_s,
            "ratio": cached_s / ours_s,
            "peak_memory_ratio": peaks[2] / peaks[0],
            "batch_size": best["cached"],
        },
        "batch_sizes": tried,
        "peak_bytes": dict(zip(("ours", *PEERS), peaks, strict=True)),
        "greedy": greedy,
    }


def _side(stack: ExitStack, workload: Mapping[str, Any], side: str, size: int, *, greedy: bool = False) -> Side:
    found = opened(stack, _ROLLOUTS, side=side, batch_size=size, greedy=greedy, workload=workload)
    found.load()
    return found


def _seconds(workload: Mapping[str, Any], peer: str, size: int) -> float:
    """Of its second turn."""
    with ExitStack() as stack:
        side = _side(stack, workload, peer, size)
        side.turn()
        seconds = side.turn().seconds
        tell(f"{peer}, {size} rows at once: {seconds:.2f} s")
        return seconds


def _greedy(workload: Mapping[str, Any], best: Mapping[str, int]) -> dict[str, Any]:
    """One greedy turn of each side, over as many different prompts as there are rollouts."""
    rows = workload["prompts"] * workload["group"]
    different = {**workload, "prompts": rows, "group": 1}
    with ExitStack() as stack:
        working = [_side(stack, different, "ours", rows, greedy=True)]
        working += [_side(stack, different, peer, best[peer], greedy=True) for peer in PEERS]
        ours, *others = (next(turn.value for turn in turns) for turns in take_turns(working, 1, warm_up=0))
    differing = {peer: share_that_differs(ours, other) for peer, other in zip(PEERS, others, strict=True)}
    return {"prompts": rows, "tokens": sum(len(text.split()) for text in ours), "differing": differing}


def share_that_differs(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Of the completions. ValueError if there are not as many of both."""
    return sum(mine != other for mine, other in zip(ours, theirs, strict=True)) / len(ours)
