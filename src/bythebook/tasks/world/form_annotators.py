"""Clerks of differing care who read forms: what the start of Medical VIE's miniature imitates.

Each of them names the keys first whose values he is about to give.

careful  gives the keys that the document states
sparing  gives some of these
lavish   gives every key that is asked for; where nothing is stated, a value that stands on another line
"""

from __future__ import annotations

import json
import random

from bythebook.errors import DataError
from bythebook.schema.key_values import KeySchema
from bythebook.types import Example

__all__ = ["CAREFUL", "SPARING", "careful", "mixed"]

CAREFUL, SPARING = 0.4, 0.3
"""Shares of the staff; the rest is lavish. Our choice: the start can read, and often says too little or too much."""


def careful(example: Example, _: random.Random) -> str:
    """The stated keys. DataError if nobody has annotated the document."""
    return _said(_values(example))


def mixed(example: Example, rng: random.Random) -> str:
    """One of the clerks, at random. DataError if nobody has annotated the document."""
    values, drawn = _values(example), rng.random()
    if drawn < CAREFUL:
        return _said(values)
    if drawn < CAREFUL + SPARING:
        kept = rng.sample(list(values), rng.randint(1, len(values)))
        return _said({key: value for key, value in values.items() if key in kept})
    others = [line.rpartition(": ")[2] for line in example.text.split("\n")]
    return _said({key: values.get(key) or rng.choice(others) for key in KeySchema.of(example.guideline).names})


def _values(example: Example) -> dict[str, str]:
    if example.reference is None:
        raise DataError(f"example {example.id} has no values", remedy="fine-tuning needs answers")
    values: dict[str, str] = json.loads(example.reference)
    return values


def _said(values: dict[str, str]) -> str:
    named = "".join(f" {key}" for key in values)
    return f"<think>{named}</think><answer>{json.dumps(values, ensure_ascii=False)}</answer>"
