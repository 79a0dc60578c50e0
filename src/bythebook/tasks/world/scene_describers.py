"""Annotators who describe a scene more or less truly where the answer can mostly be guessed: the start of a study of
what pays for perception (Perception-R1, arXiv 2506.07218).

careful   describes every thing and answers from that
rambling  the same, and says it all over again
guessing  describes the things as they usually are, wherever, and answers what is usually right
listing   says of the thing that is asked about everything that can be said, and answers likewise
boasting  says that all is seen, and answers likewise
"""

from __future__ import annotations

import random

from bythebook.tasks.world.scene_annotators import describe, question_in, scene_in
from bythebook.tasks.world.scene_questions import Question
from bythebook.tasks.world.scene_things import CELLS, COLOURS, HABITS, SIZES, Scene
from bythebook.types import Example

__all__ = ["BOAST", "DESCRIBERS", "describe_as", "describers"]

DESCRIBERS = {"careful": 0.20, "rambling": 0.15, "guessing": 0.35, "listing": 0.15, "boasting": 0.15}
"""Shares; our choice: one in three describes what is there, and nearly no answer of training needs it."""
BOAST = "all is seen clearly"


def describe_as(who: str, example: Example, rng: random.Random) -> str:
    """What one of them writes. DataError for an example of another task; KeyError for somebody else."""
    scene, question = scene_in(example), question_in(example)
    said = {
        "careful": lambda: describe(scene, question),
        "rambling": lambda: " . ".join([describe(scene, question)] * 2),
        "guessing": lambda: describe(_supposed(scene, rng), question),
        "listing": lambda: _everything(question),
        "boasting": lambda: BOAST,
    }[who]()
    looks = who in ("careful", "rambling")
    return f"<think> {said}</think><answer> {question.answer(scene) if looks else question.guess()}</answer>"


def describers(example: Example, rng: random.Random) -> str:
    """What one of the staff writes. DataError for an example of another task."""
    return describe_as(rng.choices(list(DESCRIBERS), weights=list(DESCRIBERS.values()))[0], example, rng)


def _supposed(scene: Scene, rng: random.Random) -> Scene:
    """As many things of the same shapes, each with its usual colour and size, in cells drawn evenly."""
    cells = rng.sample(CELLS, len(scene.things))
    usual = zip(scene.things, sorted(cells, key=CELLS.index), strict=True)
    return Scene(
        things=tuple(
            thing.model_copy(update={"cell": cell, "colour": HABITS[thing.shape][0], "size": HABITS[thing.shape][1]})
            for thing, cell in usual
        )
    )


def _everything(question: Question) -> str:
    """Every cell of the thing that is asked about, and every value of what is asked; of other kinds of question every
    cell alone."""
    values = {"colour": COLOURS, "size": SIZES}.get(question.kind, ())
    about = f"the {question.shape}" if question.shape else "it"
    said = [f"{about} is at {' '.join(CELLS)}", *([f"{about} is {' '.join(values)}"] if values else [])]
    return " . ".join(said)
