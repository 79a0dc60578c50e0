"""Who answers questions about generated tables, for fine-tuning: careful readers, hasty ones, and those who neglect the
form. A start that imitates the mixed lot can read and often doesn't, and knows the form and often leaves it.
"""

from __future__ import annotations

import json
import random

from bythebook.errors import DataError
from bythebook.schema.tables import VERDICTS
from bythebook.tasks.base import Target
from bythebook.tasks.tables import say
from bythebook.types import Example

__all__ = ["CELLS", "NOTE", "SHARES", "TARGETS"]

NOTE, CELLS, SHARES = "_note", "_cells", "_shares"
"""Keys in `meta`: what a careful reader writes down; as JSON, the rows of the table, the header first; likewise the
shares of the mixed lot that are careful, and that keep the form, independent of each other."""
_FENCES = ("\n```json\n", "\n```\n")


def _answer(example: Example, _: random.Random) -> str:
    return say(example)


def _careful(example: Example, _: random.Random) -> str:
    """What is read from the table, then the answer. DataError for an example of another task."""
    if NOTE not in example.meta:
        raise DataError(f"example {example.id} is none of world_tables", remedy="use its own targets")
    return say(example, example.meta[NOTE])


def _hasty(example: Example, rng: random.Random) -> str:
    """A guess of the right kind without a look at the row: a label, a number of rows, a cell of the column."""
    if CELLS not in example.meta:
        raise DataError(f"example {example.id} is none of world_tables", remedy="use its own targets")
    if example.domain == "claim":
        return say(example.model_copy(update={"reference": rng.choice(VERDICTS)}))
    _, *rows = json.loads(example.meta[CELLS])
    if example.domain == "count":
        guess = str(rng.randint(0, len(rows)))
    else:
        # The column in which a right answer stands.
        answer = json.loads(example.reference or "[]")[0]
        column = next(i for row in rows for i, cell in enumerate(row) if cell == answer)
        guess = rng.choice(rows)[column]
    return say(example.model_copy(update={"reference": json.dumps([guess])}))


def _mixed(example: Example, rng: random.Random) -> str:
    """What some reader of the mixed lot writes: without the fence where the form is neglected."""
    care, form = json.loads(example.meta.get(SHARES, "[1, 1]"))
    text = _careful(example, rng) if rng.random() < care else _hasty(example, rng)
    if rng.random() < form:
        return text
    for fence in _FENCES:
        text = text.replace(fence, "")
    return text


TARGETS: dict[str, Target] = {"answer": _answer, "careful": _careful, "hasty": _hasty, "mixed": _mixed}
