"""Questions about scenes in symbols, each with the facts that have to be seen to answer it: where a description is paid
beside the answer (Perception-R1, arXiv 2506.07218).

A scene lists its things by signs, which the guideline explains; describing it is saying the signs in words. In domain
(`train`, `id`) most answers can be guessed from the question alone, since shapes have their usual colours and sizes; in
`unusual` they have not. Out of domain (`ood`) they have not either, a scene has one thing more, and the questions are
put in other turns of phrase. The scenes of `id` and `unusual` are none of those of `train`. With `images` a scene is
its picture (`scene_picture`).
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from pydantic import Field, FiniteFloat

from bythebook.tasks.asking import how_to_answer
from bythebook.tasks.base import Task
from bythebook.tasks.shown import scene_picture_of
from bythebook.tasks.world.drawing import options_of
from bythebook.tasks.world.scene_annotators import answer_alone, careful, mixed
from bythebook.tasks.world.scene_describers import describers
from bythebook.tasks.world.scene_questions import KINDS, Kind, draw_question
from bythebook.tasks.world.scene_things import COLOURS, SHAPES, SIZES, Scene, draw_scene
from bythebook.types import Example, Noun

__all__ = ["TASK", "SceneOptions", "load"]

_HELD_OUT = 4
"""One scene in so many is kept for `id`."""
_SIGNS = ", ".join(f"{sign} {name}" for names in (COLOURS, SHAPES, SIZES) for name, sign in names.items())
_HOW = f"A scene is a list of things on a grid, each as its cell and three signs: {_SIGNS}. "
_HOW_SEEN = (
    "The picture shows things on a grid of three by three cells, with the columns a, b, c and the rows 1, 2, 3. "
)
_HOW_TO_ANSWER = (
    "The letter of a cell is its column, the digit its row, counted from the top. First describe in words what is to "
    "be seen, thing by thing, between <think> and </think>. Say only what the scene shows. Then write the answer "
    "alone between <answer> and </answer>."
)


class SceneOptions(Noun):
    """How many questions a run uses; 0 leaves a split out."""

    seed: int = 0
    habit: FiniteFloat = Field(default=0.7, ge=0.0, le=1.0)
    """How often, in `train` and `id`, things are as they usually are."""
    things: int = Field(default=3, ge=2, le=len(SHAPES) - 1)
    """In a scene of `train` and `id`; out of domain there is one more."""
    kinds: tuple[Kind, ...] = Field(default=KINDS, min_length=1)
    """Of questions, one after the other."""
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    unusual: int = Field(default=0, ge=0)
    """Questions as those of `id` about scenes in which no colour and no size is more usual than another."""
    ood: int = Field(default=0, ge=0)
    images: bool = False
    """Scenes are pictures, and the text is the question alone."""


def _fits(scene: Scene, split: str) -> bool:
    """Whether a scene may stand in a split: those of `train` are none of `id` or `unusual`."""
    first = hashlib.sha256(scene.symbols.encode()).digest()[0]
    return split == "ood" or (first % _HELD_OUT == 0) == (split != "train")


def _example(number: int, split: str, o: SceneOptions, rng: random.Random) -> Example:
    strange = split == "ood"
    habit = 0.0 if strange or split == "unusual" else o.habit
    while not _fits(scene := draw_scene(rng, o.things + strange, habit), split):
        pass
    question = draw_question(o.kinds[number % len(o.kinds)], scene, rng, habit)
    asked, reference = question.text(rng, strange=strange), question.answer(scene)
    return Example(
        id=f"scenes-{split}-{o.seed}-{number}",
        text=asked if o.images else f"{scene.symbols}\n{asked}",
        guideline=how_to_answer("scenes", (_HOW_SEEN if o.images else _HOW) + _HOW_TO_ANSWER),
        domain=question.kind,
        split=split,
        meta={
            "guideline_id": question.kind,
            "guessable": str(reference == question.guess()).lower(),
            "annotations": json.dumps(question.facts(scene)),
            "accepted": json.dumps(question.accepted(scene)),
            "_scene": scene.model_dump_json(),
            "_question": question.model_dump_json(exclude_defaults=True),
            **(scene_picture_of(o.seed) if o.images else {}),
        },
        sub_task="question",
        reference=reference,
    )


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `unusual`, `ood`), no question about a scene twice in one.

    RecipeError for an unknown option; the world needs no path.
    """
    o = options_of("world_scenes", SceneOptions, path, options)
    splits: dict[str, list[Example]] = {}
    for split, n in (("train", o.train), ("id", o.id), ("unusual", o.unusual), ("ood", o.ood)):
        rng = random.Random(f"bythebook scenes/{split}/{o.seed}/{o.things}/{o.habit}")
        rows: dict[str, Example] = {}
        while len(rows) < n:
            example = _example(len(rows), split, o, rng)
            rows.setdefault(f"{example.meta['_scene']}\n{example.text}", example)
        if n:
            splits[split] = list(rows.values())
    return splits


TASK = Task(
    name="world_scenes",
    summary="questions about scenes in symbols, with the facts to describe; needs no data",
    load=load,
    needs_path=False,
    targets={"answer": answer_alone, "careful": careful, "mixed": mixed, "describers": describers},
    test_options={"id": 256, "ood": 256},
    in_domain=("id",),
    out_of_domain=("ood",),
)
