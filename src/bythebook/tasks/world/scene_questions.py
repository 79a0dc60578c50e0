"""Questions about scenes: their answers, what has to be seen to answer them, and what one guesses without looking."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from bythebook.tasks.world.scene_things import COLOURS, HABITS, Scene, Thing
from bythebook.types import Noun

__all__ = ["KINDS", "Kind", "Question", "draw_question"]

Kind = Literal["colour", "size", "shape", "count", "relation"]
KINDS: tuple[Kind, ...] = ("colour", "size", "shape", "count", "relation")
_NUMBERS = ("zero", "one", "two", "three", "four")
_ASKED = {
    "colour": ("what colour is the {shape} ?", "which colour is the {shape} ?", "the {shape} is what colour ?"),
    "size": ("what size is the {shape} ?", "which size is the {shape} ?", "the {shape} is what size ?"),
    "shape": ("what shape is at {cell} ?", "which shape is at {cell} ?", "at {cell} is what shape ?"),
    "count": (
        "how many things are {colour} ?",
        "how many {colour} things are there ?",
        "how many are {colour} things ?",
    ),
    "relation": (
        "is the {shape} {beside} the {other} ?",
        "is it true that the {shape} is {beside} the {other} ?",
        "that the {shape} is {beside} the {other} is true ?",
    ),
}
"""Of each kind the last one is asked out of domain alone."""
_COUNT_GUESS, _SHAPE_GUESS = 1, "circle"


class Question(Noun):
    """What is asked; which of the fields count says the kind."""

    kind: Kind
    shape: str = ""
    other: str = ""
    """The second shape of a relation."""
    beside: str = ""
    """`left of` or `above`."""
    cell: str = ""
    colour: str = ""

    def text(self, rng: random.Random, *, strange: bool) -> str:
        """The question in some wording: one of training, or the `strange` one."""
        wordings = _ASKED[self.kind]
        return (wordings[-1] if strange else rng.choice(wordings[:-1])).format(**self.model_dump())

    def answer(self, scene: Scene) -> str:
        """The answer; `nothing` for the shape in an empty cell. KeyError for a shape that the scene does not have."""
        match self.kind:
            case "colour" | "size":
                return str(getattr(scene.of_shape(self.shape), self.kind))
            case "shape":
                found = scene.at(self.cell)
                return found.shape if found else "nothing"
            case "count":
                return _NUMBERS[scene.coloured(self.colour)]
            case _:
                holds = _beside(scene.of_shape(self.shape), scene.of_shape(self.other), self.beside)
                return "yes" if holds else "no"

    def accepted(self, scene: Scene) -> tuple[str, ...]:
        """Every wording of the answer."""
        said = self.answer(scene)
        return (said, str(_NUMBERS.index(said))) if self.kind == "count" else (said,)

    def guess(self) -> str:
        """What answers it most often in training, whatever the scene."""
        match self.kind:
            case "colour":
                return HABITS[self.shape][0]
            case "size":
                return HABITS[self.shape][1]
            case "shape":
                return _SHAPE_GUESS
            case "count":
                return _NUMBERS[_COUNT_GUESS]
            case _:
                return "yes"

    def facts(self, scene: Scene) -> tuple[str, ...]:
        """What has to be seen, each fact a sentence: the annotations of the question. None is what a question suggests
        by itself, so that repeating the question states none; that things are related follows from where they are."""
        match self.kind:
            case "colour" | "size":
                return _placed(scene.of_shape(self.shape)), f"the {self.shape} is {self.answer(scene)}"
            case "shape":
                found = scene.at(self.cell)
                return (_placed(found) if found else f"{self.cell} is empty",)
            case "count":
                seen = [f"the {thing.shape} is {thing.colour}" for thing in scene.things]
                return (*seen, self.total(scene))
            case _:
                one, two = (scene.of_shape(shape) for shape in (self.shape, self.other))
                return _placed(one), _placed(two)

    def total(self, scene: Scene) -> str:
        """The sentence that counts."""
        number = scene.coloured(self.colour)
        verb, noun = ("is", "thing") if number == 1 else ("are", "things")
        return f"there {verb} {_NUMBERS[number] if number else 'no'} {self.colour} {noun}"

    def related(self, scene: Scene) -> tuple[str, ...]:
        """The sentence that relates the two things, in the order in which it is true; none where they are level."""
        one, two = (scene.of_shape(shape) for shape in (self.shape, self.other))
        if _beside(one, two, self.beside):
            return (f"the {one.shape} is {self.beside} the {two.shape}",)
        turned = _beside(two, one, self.beside)
        return (f"the {two.shape} is {self.beside} the {one.shape}",) if turned else ()


def draw_question(kind: Kind, scene: Scene, rng: random.Random, habit: float) -> Question:
    """A question of a kind about a scene; `habit` is the probability that one is looked for whose answer is the guess.

    Colours and sizes are guessable as the scene has them, and need no such preference.
    """
    if kind in ("colour", "size"):
        return Question(kind=kind, shape=rng.choice(scene.things).shape)
    options = _OPTIONS[kind](scene)
    usual = [one for one in options if one.answer(scene) == one.guess()]
    return rng.choice(usual if usual and rng.random() < habit else options)


def _placed(thing: Thing) -> str:
    return f"the {thing.shape} is at {thing.cell}"


def _beside(one: Thing, two: Thing, beside: str) -> bool:
    axis = 0 if beside == "left of" else 1
    return one.place[axis] < two.place[axis]


def _shape_options(scene: Scene) -> list[Question]:
    return [Question(kind="shape", cell=thing.cell) for thing in scene.things]


def _count_options(scene: Scene) -> list[Question]:
    return [Question(kind="count", colour=colour) for colour in COLOURS]


def _relation_options(scene: Scene) -> list[Question]:
    shapes = [thing.shape for thing in scene.things]
    pairs = [(one, two) for one in shapes for two in shapes if one != two]
    return [
        Question(kind="relation", shape=one, other=two, beside=beside)
        for one, two in pairs
        for beside in ("left of", "above")
    ]


_OPTIONS: dict[str, Callable[[Scene], list[Question]]] = {
    "shape": _shape_options,
    "count": _count_options,
    "relation": _relation_options,
}
