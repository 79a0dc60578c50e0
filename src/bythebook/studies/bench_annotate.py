"""Sentences under one guideline: `annotate` beside batched `generate`, and beside transformers' cached prefix.

    bythebook bench annotate --json > bench/annotate.json

The guideline is our library's for SemEval-2010 task 8 at about 1,000 tokens, the sentences are the procedural world's.
Ours is measured whole, from sentences to predictions; the peers from prompts to texts, without rendering or parsing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from bythebook.studies.bench import surroundings
from bythebook.studies.bench_rollout import PEERS, share_that_differs
from bythebook.studies.bench_sides import Side, Turns, medians, opened, take_turns, tell
from bythebook.studies.bench_train import workload_of

__all__ = ["BATCH_SIZES", "annotated", "bench_annotate"]

BATCH_SIZES = (8, 16, 32, 64)
"""Rows at once that are tried for a peer."""
_SENTENCES, _NEW_TOKENS, _TRIED = 200, 32, 64
_PEER = "bythebook.training.benches.sentences:completed"
_OURS = "bythebook.studies.bench_annotate:annotated"
_SETTING = ("model", "vocabulary", "device", "dtype", "threads", "seed")


def bench_annotate(*, rounds: int = 5, quick: bool = False, **options: Any) -> dict[str, Any]:
    """The contract of `studies.bench`, the peer being batched `generate`; beside it `cached_prefix` (the same figures
    of transformers' recipe), `batch_sizes` (seconds of each for the first sentences) and `peak_bytes`.

    `max_relative_error` is the share of completions in which ours differ from those of `generate`, over all rounds.
    Options are those of `workload_of`.
    """
    from bythebook.training.benches.sentences import GUIDELINE, sentences

    workload = workload_of(**{**({"model": "tiny", "vocabulary": 1024} if quick else {}), **options})
    texts = sentences(12 if quick else _SENTENCES, workload["seed"])
    asked: dict[str, Any] = {"new_tokens": 4 if quick else _NEW_TOKENS, "workload": workload}
    sizes = {str(size): size for size in BATCH_SIZES if size <= len(texts)}
    tried = {peer: {k: _seconds(peer, size, texts[:_TRIED], asked) for k, size in sizes.items()} for peer in PEERS}
    best = {peer: int(min(found, key=lambda size: found[size])) for peer, found in tried.items()}
    with ExitStack() as stack:
        working = [opened(stack, _OURS, texts=texts, **asked)]
        working += [opened(stack, _PEER, peer=peer, batch_size=best[peer], texts=texts, **asked) for peer in PEERS]
        for side in working:
            side.load()
        measured, peaks = take_turns(working, rounds), [side.peak for side in working]
    ours_s, peer_s, cached_s = medians(measured)
    mine, *theirs = ([text for turn in turns for text in turn.value] for turns in measured)
    differing = dict(zip(PEERS, (share_that_differs(mine, other) for other in theirs), strict=True))
    return {
        "ours_s": ours_s,
        "peer_s": peer_s,
        "ratio": peer_s / ours_s,
        "peak_memory_ratio": peaks[1] / peaks[0],
        "max_relative_error": differing["generate"],
        "setting": {
            **{name: workload[name] for name in _SETTING},
            "guideline": GUIDELINE,
            "sentences": len(texts),
            "new_tokens": asked["new_tokens"],
            "rounds": rounds,
            "ours": "annotate, prefixes shared",
            "peer": f"generate, {best['generate']} rows at once",
            **surroundings("torch", "transformers"),
        },
        "cached_prefix": {
            "peer_s": cached_s,
            "ratio": cached_s / ours_s,
            "peak_memory_ratio": peaks[2] / peaks[0],
            "batch_size": best["cached"],
        },
        "differing": differing,
        "batch_sizes": tried,
        "peak_bytes": dict(zip(("ours", *PEERS), peaks, strict=True)),
    }


def _seconds(peer: str, size: int, texts: list[str], asked: Mapping[str, Any]) -> float:
    """Of its second turn."""
    with Side(_PEER, peer=peer, batch_size=size, texts=texts, **asked) as side:
        side.turn()
        seconds = side.turn().seconds
        tell(f"{peer}, {size} rows at once: {seconds:.2f} s for {len(texts)} sentences")
        return seconds


def annotated(turns: Turns, *, texts: list[str], new_tokens: int, workload: dict[str, Any]) -> None:
    """Our side: what the model wrote of each sentence."""
    from bythebook.annotation import annotate
    from bythebook.training.benches.sentences import GUIDELINE, shared_model
    from bythebook.training.benches.turns import measured_on
    from bythebook.training.benches.workload import Workload, set_up

    given = Workload(**workload)
    set_up(given)
    fresh = shared_model(given)
    measured_on(turns, given.device)
    while True:
        turns.begin()
        found = annotate(texts, GUIDELINE, model=fresh(), max_new_tokens=new_tokens)
        turns.end([prediction["completion"] for prediction in found])
