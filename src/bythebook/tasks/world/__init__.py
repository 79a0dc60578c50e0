"""The procedural world: endless guidelines with opaque labels, and sentences to annotate under them.

In domain (ID) are six fixed domains that training sees; out of domain (OOD) are guidelines whose label names and
assignments occur nowhere in training.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from bythebook.tasks.base import Task
from bythebook.tasks.world.annotators import annotate_as, answer_only, draw_annotator
from bythebook.tasks.world.drawing import mixed_by_guideline, options_of
from bythebook.tasks.world.rules import (
    fresh_guideline,
    gold_under,
    trained_domains,
    trained_guideline,
    unseen_guideline,
)
from bythebook.tasks.world.sentences import make_scene, scene_of, to_example
from bythebook.types import Example, Guideline, Noun

__all__ = [
    "MAX_RELATIONS",
    "MIN_RELATIONS",
    "TASK",
    "TRAINED_DOMAINS",
    "WorldOptions",
    "annotate_as",
    "answer_only",
    "draw_annotator",
    "examples",
    "gold_under",
    "load",
    "scene_of",
    "stream",
]

MIN_RELATIONS, MAX_RELATIONS = 2, 8

TRAINED_DOMAINS = len(trained_domains())

_SOURCES: dict[str, Callable[[random.Random, int], Guideline]] = {
    "train": trained_guideline,
    "id": trained_guideline,
    "ood": unseen_guideline,
    "fresh": fresh_guideline,
}


def _k_range(k: int | tuple[int, int]) -> tuple[int, int]:
    low, high = (k, k) if isinstance(k, int) else k
    if not MIN_RELATIONS <= low <= high <= MAX_RELATIONS:
        raise ValueError(f"K must lie in {MIN_RELATIONS}…{MAX_RELATIONS}, got {k}")
    return low, high


def stream(
    split: str, *, seed: int, k: int | tuple[int, int] = 4, per_guideline: int = 1, domains: int = TRAINED_DOMAINS
) -> Iterator[Example]:
    """Endless examples of a split (`train`, `id`: trained domains; `ood`: never-seen guidelines; `fresh`: new
    guidelines of trained names), `per_guideline` sentences under each, K fixed or drawn from an inclusive range.
    `train` draws from the first `domains` of the trained domains.

    Streams of different splits or seeds are independent; no sentence stands twice under the same guideline.
    """
    # Seeding with a string hashes it (SHA-512), so neighbouring seeds share nothing.
    rng = random.Random(f"bythebook world/{split}/{seed}/{k}/{per_guideline}")
    source = partial(trained_guideline, domains=domains) if split == "train" else _SOURCES[split]
    low, high = _k_range(k)
    seen: set[tuple[str, str]] = set()
    number = 0
    while True:
        guideline = source(rng, rng.randint(low, high))
        kept = 0
        while kept < per_guideline:
            scene = make_scene(rng, guideline)
            if (guideline.hash, scene.text) in seen:
                continue
            seen.add((guideline.hash, scene.text))
            yield to_example(
                scene,
                guideline,
                example_id=f"world-{split}-{seed}-{number}",
                split=split,
                guideline_id=guideline.hash,
            )
            kept += 1
            number += 1


def examples(
    split: str,
    n: int,
    *,
    seed: int,
    k: int | tuple[int, int] = 4,
    per_guideline: int = 1,
    domains: int = TRAINED_DOMAINS,
) -> list[Example]:
    """The first `n` examples of a stream."""
    source = stream(split, seed=seed, k=k, per_guideline=per_guideline, domains=domains)
    return [next(source) for _ in range(n)]


class WorldOptions(Noun):
    """How much of the world a run uses. Sizes are numbers of sentences; 0 leaves a split out."""

    seed: int = 0
    k: int | tuple[int, int] = 4
    """Relation types of a guideline, or an inclusive range to draw from."""
    train: int = 0
    domains: int = Field(default=TRAINED_DOMAINS, ge=1, le=TRAINED_DOMAINS)
    """How many of the trained domains training sees; the in-domain test has all."""
    fresh_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the training sentences under new guidelines instead of the trained domains: for the warm start."""
    id: int = 0
    ood: int = 0
    train_per_guideline: int = Field(default=1, ge=1)
    per_guideline: int = Field(default=4, ge=1)
    """Sentences under each guideline, in training (neighbours) and in the test splits."""

    @field_validator("k")
    @classmethod
    def _k_is_in_range(cls, k: int | tuple[int, int]) -> int | tuple[int, int]:
        _k_range(k)
        return k


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`). RecipeError for an unknown option; the world needs no path."""
    o = options_of("world", WorldOptions, path, options)
    splits: dict[str, list[Example]] = {}
    if o.train:
        fresh = round(o.train * o.fresh_share)
        of_each: dict[str, Any] = {"seed": o.seed, "k": o.k, "per_guideline": o.train_per_guideline}
        mixed = examples("fresh", fresh, **of_each) + examples("train", o.train - fresh, **of_each, domains=o.domains)
        splits["train"] = mixed_by_guideline(mixed, f"bythebook world/order/{o.seed}")
    for split, n in (("id", o.id), ("ood", o.ood)):
        if n:
            splits[split] = examples(split, n, seed=o.seed, k=o.k, per_guideline=o.per_guideline)
    return splits


def _mixed(example: Example, rng: random.Random) -> str:
    return annotate_as(draw_annotator(rng), example, rng)


TASK = Task(
    name="world",
    summary="procedural guidelines with opaque labels; in-domain and never-seen ones; needs no data",
    load=load,
    needs_path=False,
    targets={
        "answer": lambda example, _: answer_only(example),
        "careful": lambda example, rng: annotate_as("careful", example, rng),
        "mixed": _mixed,
    },
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
