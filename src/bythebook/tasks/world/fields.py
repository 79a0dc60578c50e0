"""Free-text fields in the procedural world: under a guideline, what happens in a sentence, in whatever words.

Sentences and guidelines are those of `world`. The annotator notes the same, but fills in a phrase instead of a label,
and the reference is one of several that mean the same: a comparison with it calls most right answers wrong. A reward
that reads how probable the reference is needs no comparison (RLPR, arXiv 2506.18254).
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import DataError
from bythebook.prompts import PromptStyle, render
from bythebook.tasks import world
from bythebook.tasks.asking import reference_of
from bythebook.tasks.base import Task
from bythebook.tasks.world.annotators import Annotator, annotate_as, draw_annotator
from bythebook.tasks.world.drawing import options_of
from bythebook.types import Example, Label

__all__ = ["TASK", "fill_as", "load", "phrases"]

_SENTENCE, _ACCEPTED = "_sentence", "accepted"
_STYLE = PromptStyle(template="short", rendering="rules")
_ANSWER, _END = "<answer> ", "</answer>"


def phrases(label: Label) -> Sequence[str]:
    """Every phrase that says what a label says."""
    if label.direction is None:
        return (label.name, "no rule", f"{label.name}; no rule")
    first, second = label.direction[1:-1].split(",")
    return (
        f"{label.name}({first},{second})",
        f"{first} {label.name} {second}",
        f"{first} {second} {label.name}",
        f"{label.name} {first} {second}",
    )


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`), with the options of `world`. RecipeError for an unknown one; the
    world needs no path."""
    o = options_of("world_fields", world.WorldOptions, path, options)
    return {
        split: [_field(e, random.Random(f"bythebook fields/{e.id}")) for e in rows]
        for split, rows in world.load(**o.model_dump(exclude_unset=True)).items()
    }


def _field(sentence: Example, rng: random.Random) -> Example:
    assert sentence.gold is not None
    said = phrases(sentence.gold)
    return Example(
        id=sentence.id.replace("world", "fields", 1),
        text=render(sentence, _STYLE)[0]["content"],
        guideline=sentence.guideline,
        domain=sentence.domain,
        split=sentence.split,
        meta={**sentence.meta, _SENTENCE: sentence.model_dump_json(), _ACCEPTED: json.dumps(said)},
        sub_task="question",
        reference=rng.choice(said),
    )


def fill_as(annotator: Annotator | None, example: Example, rng: random.Random) -> str:
    """The completion of an annotator of `world` (None: one of the mixed staff), the answer in some phrase.

    DataError for an example of another task.
    """
    if _SENTENCE not in example.meta:
        raise DataError(f"example {example.id} is none of world_fields", remedy="use its own targets")
    sentence = Example.model_validate_json(example.meta[_SENTENCE])
    notes, _, rest = annotate_as(annotator or draw_annotator(rng), sentence, rng).partition(_ANSWER)
    name, bracket, order = rest.removesuffix(_END).partition("(")
    label = Label.model_validate({"name": name, "direction": bracket + order or None})
    return f"{notes}{_ANSWER}{rng.choice(phrases(label))}{_END}"


def _reference(example: Example, _: random.Random) -> str:
    """The reference without reasoning. DataError where there is none."""
    return f"{_ANSWER}{reference_of(example)}{_END}"


TASK = Task(
    name="world_fields",
    summary="the sentences of world, annotated in phrases that have many wordings; needs no data",
    load=load,
    needs_path=False,
    targets={
        "answer": _reference,
        "careful": lambda example, rng: fill_as("careful", example, rng),
        "mixed": lambda example, rng: fill_as(None, example, rng),
    },
    test_options={"id": 256, "ood": 512},
    in_domain=("id",),
    out_of_domain=("ood",),
)
