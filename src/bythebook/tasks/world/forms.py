"""Procedural forms: documents as text recognition hands them on, to be read into JSON under keys with descriptions.

Every document is drawn anew: some keys have no line, labels vary, lines that no key asks for hold values that look
right, and recognition has blurred some words and digits (`form_noise`). In domain (ID) are pharmacy slips and delivery
notes, as in training; out of domain (OOD) are lab sheets and repair tickets, whose keys training never has. With
`images` nothing has recognised the text: the document is a page to look at (`form_page`).
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from pydantic import Field, JsonValue

from bythebook.schema.key_values import key_guideline
from bythebook.tasks.base import Task
from bythebook.tasks.key_values import AskedKeys, asked_keys, values_alone, values_with_lines
from bythebook.tasks.shown import page_picture
from bythebook.tasks.world.drawing import options_of
from bythebook.tasks.world.form_annotators import careful, mixed
from bythebook.tasks.world.form_kinds import FORMS, OOD_FORMS, Form, schema_of
from bythebook.tasks.world.form_noise import blurred, mended, misread
from bythebook.tasks.world.form_values import drawn
from bythebook.tasks.world.plain_forms import PLAIN_FORMS, PLAIN_OOD_FORMS, drawn_plain
from bythebook.types import Example, Guideline, Noun

__all__ = ["TASK", "FormOptions", "load"]

_DECOYS, _ENDINGS = 2, 0.5


class FormOptions(Noun):
    """How many documents a run uses; 0 leaves a split out."""

    seed: int = 0
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)
    rows: int = Field(default=3, ge=0, le=8)
    """Items of a list at most."""
    absent: float = Field(default=0.25, ge=0.0, le=1.0)
    """How often a key has no line."""
    misread: float = Field(default=0.1, ge=0.0, le=1.0)
    """How often a digit that looks like a letter is taken for it."""
    blurred: float = Field(default=0.1, ge=0.0, le=1.0)
    """How often a word of a label is damaged."""
    keys: AskedKeys = "all"
    """`subset` asks in training for a random part of the keys that a document states, `declared` for one of all."""
    draws: int = Field(default=1, ge=1)
    images: bool = False
    """Documents are pictures of pages, without the noise of text recognition."""
    wear: float = Field(default=0.5, ge=0.0, le=1.0)
    """How far pages are folded, turned and stained."""
    plain: bool = False
    """One word a value, no list, no numbers: see `plain_forms`. Out of domain are new schemas of known keys then."""


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for (`train`, `id`, `ood`); kinds of forms take turns. RecipeError for an unknown option; the
    world needs no path."""
    o = options_of("world_forms", FormOptions, path, options)
    if o.images:
        o = o.model_copy(update={"misread": 0.0, "blurred": 0.0})
    splits: dict[str, list[Example]] = {}
    known, other = (PLAIN_FORMS, PLAIN_OOD_FORMS) if o.plain else (FORMS, OOD_FORMS)
    for split, n, forms in (("train", o.train, known), ("id", o.id, known), ("ood", o.ood, other)):
        if n:
            guidelines = [_guideline(form) for form in forms]
            splits[split] = [
                _document(forms[i % len(forms)], guidelines[i % len(forms)], f"forms-{split}-{o.seed}-{i}", split, o)
                for i in range(n)
            ]
    return asked_keys(splits, o.keys, o.draws, o.seed)


def _guideline(form: Form) -> Guideline:
    return key_guideline(schema_of(form), title=form.name.capitalize(), domain=form.name)


def _document(form: Form, guideline: Guideline, name: str, split: str, options: FormOptions) -> Example:
    rng = random.Random(f"bythebook forms/{name}")
    values, lines = _scalars(form, options, rng)
    items, block = _rows(form, options, rng)
    for label, kind in rng.sample(form.decoys, rng.randint(0, _DECOYS)):
        lines.insert(rng.randint(0, len(lines)), _line(label, _value(kind, options, rng), options, rng))
    heading = [blurred(rng.choice(form.headings), options.blurred, rng)] if form.headings else []
    text = [*heading, *lines, *block]
    if form.endings and rng.random() < _ENDINGS:
        text.append(blurred(rng.choice(form.endings), options.blurred, rng))
    if items:
        values[form.rows.key] = items
    return Example(
        id=name,
        text="\n".join(text),
        guideline=guideline,
        domain=form.name,
        split=split,
        # Documents of one kind are independent of each other.
        meta={"guideline_id": name} | (page_picture(options.seed, options.wear) if options.images else {}),
        sub_task="key_values",
        reference=json.dumps(values, ensure_ascii=False),
    )


def _scalars(form: Form, options: FormOptions, rng: random.Random) -> tuple[dict[str, JsonValue], list[str]]:
    """The values of the keys that have a line, and these lines in an order of their own. One has a line at least."""
    stated = [field for field in form.fields if rng.random() >= options.absent] or [rng.choice(form.fields)]
    values: dict[str, JsonValue] = {field.key: _value(field.kind, options, rng) for field in stated}
    lines = [_line(rng.choice(field.labels), str(values[field.key]), options, rng) for field in stated]
    rng.shuffle(lines)
    return values, lines


def _rows(form: Form, options: FormOptions, rng: random.Random) -> tuple[list[JsonValue], list[str]]:
    """The items of the list and their lines under its heading; neither where there is no item."""
    count = rng.randint(0, options.rows) if form.rows.columns else 0
    items = [{column.key: drawn(column.kind, rng) for column in form.rows.columns} for _ in range(count)]
    lines = [misread(" | ".join(item.values()), options.misread, rng) for item in items]
    heading = [blurred(form.rows.heading, options.blurred, rng)] if items else []
    return [dict[str, JsonValue](item) for item in items], heading + lines


def _value(kind: str, options: FormOptions, rng: random.Random) -> str:
    return drawn_plain(kind, rng) if options.plain else drawn(kind, rng)


def _line(label: str, value: str, options: FormOptions, rng: random.Random) -> str:
    mark = ": " if options.plain else rng.choice((": ", " ", " : "))
    return blurred(label, options.blurred, rng) + mark + misread(value, options.misread, rng)


TASK = Task(
    name="world_forms",
    summary="forms of the procedural world, to be read into JSON under keys with descriptions; needs no data",
    load=load,
    needs_path=False,
    targets={
        "answer": values_alone,
        "lines": lambda example, rng: values_with_lines(example, rng, mended),
        "careful": careful,
        "mixed": mixed,
    },
    test_options={"id": 128, "ood": 128},
    in_domain=("id",),
    out_of_domain=("ood",),
)
