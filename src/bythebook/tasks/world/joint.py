"""Joint extraction in the procedural world: entities and relations by guidelines with opaque names.

In domain (ID) are six fixed domains that training sees; out of domain (OOD) are guidelines of names that occur nowhere
in training. Four sentences in ten state no relation that the guideline knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from bythebook.tasks.base import Task
from bythebook.tasks.extraction import Passage, asked_sub_tasks, questions
from bythebook.tasks.mimic import EXTRACTION_TARGETS
from bythebook.tasks.world.drawing import mixed_by_guideline, options_of
from bythebook.tasks.world.joint_annotators import annotate_jointly, draw_joint_annotator
from bythebook.tasks.world.joint_rules import (
    JOINT_DOMAINS,
    fresh_joint_guideline,
    trained_joint_guideline,
    unseen_joint_guideline,
)
from bythebook.tasks.world.joint_sentences import make_joint_scene, to_joint_example
from bythebook.types import Example, Guideline, Noun, SubTask

__all__ = ["TASK", "JointOptions", "joint_stream", "load"]

Range = int | tuple[int, int]

_OTHERS: dict[str, Callable[[random.Random, int, int], Guideline]] = {
    "ood": unseen_joint_guideline,
    "fresh": fresh_joint_guideline,
}
_SIZES = {"entity_types": (2, 4), "k": (2, 6)}
"""The smallest and the largest guideline."""


def _ends(size: Range) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def joint_stream(
    split: str,
    *,
    seed: int,
    entity_types: Range = 3,
    k: Range = 3,
    per_guideline: int = 1,
    domains: int = JOINT_DOMAINS,
) -> Iterator[Example]:
    """Endless examples of a split (`train`, `id`: trained domains; `ood`: never-seen guidelines; `fresh`: new
    guidelines of trained names), `per_guideline` sentences under each; numbers of entity types and of relation types
    (`k`) fixed or drawn from inclusive ranges. Of the trained domains the first `domains` are used.

    Streams of different splits or seeds are independent; no sentence stands twice under the same guideline.
    """
    key = f"bythebook joint world/{split}/{seed}/{entity_types}/{k}/{per_guideline}"
    rng = random.Random(key if domains == JOINT_DOMAINS else f"{key}/{domains}")
    seen: set[tuple[str, str]] = set()
    number = 0
    while True:
        sizes = rng.randint(*_ends(entity_types)), rng.randint(*_ends(k))
        trained = split in ("train", "id")
        guideline = trained_joint_guideline(rng, *sizes, domains) if trained else _OTHERS[split](rng, *sizes)
        kept = 0
        while kept < per_guideline:
            scene = make_joint_scene(rng, guideline)
            if (guideline.hash, scene.text) in seen:
                continue
            seen.add((guideline.hash, scene.text))
            name = f"joint-{split}-{seed}-{number}"
            yield to_joint_example(scene, guideline, example_id=name, split=split, guideline_id=guideline.hash)
            kept += 1
            number += 1


class JointOptions(Noun):
    """How much of the world a run uses. Sizes are numbers of sentences; 0 leaves a split out."""

    seed: int = 0
    entity_types: Range = 3
    k: Range = 3
    """Relation types of a guideline, or an inclusive range to draw from."""
    domains: int = Field(default=JOINT_DOMAINS, ge=1, le=JOINT_DOMAINS)
    """How many of the trained domains are used. One, with all its types, is a guideline in changing order."""
    sub_tasks: tuple[SubTask, ...] = ("end2end",)
    train: int = Field(default=0, ge=0)
    fresh_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the training sentences under new guidelines instead of the trained domains: for the warm start."""
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)
    train_per_guideline: int = Field(default=1, ge=1)
    per_guideline: int = Field(default=4, ge=1)
    """Sentences under each guideline in the test splits."""

    @field_validator("sub_tasks", mode="before")
    @classmethod
    def _sub_tasks_exist(cls, names: Any) -> Any:
        return asked_sub_tasks(None, names)

    @field_validator("entity_types", "k")
    @classmethod
    def _sizes_are_in_range(cls, size: Range, info: Any) -> Range:
        (low, high), (least, most) = _ends(size), _SIZES[info.field_name]
        if not least <= low <= high <= most:
            raise ValueError(f"must lie in {least}…{most}, got {size}")
        return size


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`). RecipeError for an unknown option; the world needs no path."""
    o = options_of("world_joint", JointOptions, path, options)
    sizes: dict[str, Any] = {"seed": o.seed, "entity_types": o.entity_types, "k": o.k, "domains": o.domains}
    splits: dict[str, list[Example]] = {}
    if o.train:
        fresh = round(o.train * o.fresh_share)
        mixed = [
            example
            for split, n in (("fresh", fresh), ("train", o.train - fresh))
            for example in islice(joint_stream(split, **sizes, per_guideline=o.train_per_guideline), n)
        ]
        splits["train"] = mixed_by_guideline(mixed, f"bythebook joint world/order/{o.seed}")
    for split, n in (("id", o.id), ("ood", o.ood)):
        if n:
            splits[split] = list(islice(joint_stream(split, **sizes, per_guideline=o.per_guideline), n))
    return {split: _asked(rows, o.sub_tasks, split) for split, rows in splits.items()}


def _asked(rows: list[Example], sub_tasks: tuple[SubTask, ...], split: str) -> list[Example]:
    """The sentences as questions of these sub-tasks."""
    if sub_tasks == ("end2end",):
        return rows
    return [q for row in rows for q in questions([_passage(row)], row.guideline, sub_tasks, split=split)]


def _passage(row: Example) -> Passage:
    entities, relations = (row.extraction.entities, row.extraction.relations) if row.extraction else ((), ())
    return Passage(
        id=row.id, text=row.text, entities=entities, relations=relations, domain=row.domain, meta=dict(row.meta)
    )


TASK = Task(
    name="world_joint",
    summary="joint extraction by procedural guidelines with opaque names; in-domain and never-seen ones; needs no data",
    load=load,
    needs_path=False,
    targets={
        **EXTRACTION_TARGETS,
        "careful": lambda example, rng: annotate_jointly("careful", example, rng),
        "mixed": lambda example, rng: annotate_jointly(draw_joint_annotator(rng), example, rng),
    },
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
