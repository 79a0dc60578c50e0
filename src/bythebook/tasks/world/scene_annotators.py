"""Annotators of differing diligence who describe a scene and answer a question about it.

careful  describes every thing, says what the question turns on, and answers
sloppy   the same of the scene as seen at a glance, one thing of which is seen wrong
hasty    describes nothing and answers what is usually right
"""

from __future__ import annotations

import random

from bythebook.errors import DataError
from bythebook.tasks.world.scene_questions import Question
from bythebook.tasks.world.scene_things import Scene, slipped
from bythebook.types import Example

__all__ = ["SHARES", "answer_alone", "careful", "describe", "mixed", "question_in", "scene_in"]

SHARES = {"careful": 0.35, "sloppy": 0.35, "hasty": 0.30}
"""Of the mixed staff; our choice: the start can describe and often does not, or not well."""
_SCENE, _QUESTION = "_scene", "_question"


def scene_in(example: Example) -> Scene:
    """The scene behind an example. DataError for an example of another task."""
    return Scene.model_validate_json(_kept(example, _SCENE))


def question_in(example: Example) -> Question:
    """The question behind an example. DataError for an example of another task."""
    return Question.model_validate_json(_kept(example, _QUESTION))


def _kept(example: Example, name: str) -> str:
    if name not in example.meta:
        raise DataError(f"example {example.id} is none of world_scenes", remedy="use its own targets")
    return example.meta[name]


def describe(scene: Scene, question: Question) -> str:
    """Every thing, and what the question turns on, as sentences."""
    said = [f"{thing.cell} is a {thing.size} {thing.colour} {thing.shape}" for thing in scene.things]
    if question.kind == "count":
        said.append(question.total(scene))
    if question.kind == "relation":
        said += question.related(scene)
    return " . ".join(said)


def _written(thinking: str, answer: str) -> str:
    return f"<think> {thinking}</think><answer> {answer}</answer>"


def careful(example: Example, _: random.Random) -> str:
    """A full description and the right answer. DataError for an example of another task."""
    scene, question = scene_in(example), question_in(example)
    return _written(describe(scene, question), question.answer(scene))


def answer_alone(example: Example, _: random.Random) -> str:
    """The right answer without a description. DataError for an example of another task."""
    return f"<answer> {question_in(example).answer(scene_in(example))}</answer>"


def mixed(example: Example, rng: random.Random) -> str:
    """What one of the mixed staff writes. DataError for an example of another task."""
    who = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    scene, question = scene_in(example), question_in(example)
    if who == "hasty":
        return _written("a guess", question.guess())
    seen = slipped(scene, rng) if who == "sloppy" else scene
    return _written(describe(seen, question), question.answer(seen))
