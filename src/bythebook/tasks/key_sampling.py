"""Subsets of keys to ask for: the sampling strategy of Efficient Medical VIE (arXiv 2506.13363, "strategy A").

Of every document a random subset of the keys that its gold states is drawn; the prompt describes these alone, and the
gold holds these alone. Answers get shorter and right ones come earlier. The paper gives no distribution: a size from 1
to all, each as likely, is our stand-in. Keys inside of objects and lists go with the outermost one.

So no key is asked for in vain, and nothing teaches to leave one out. Our variant draws from all keys that are declared,
one of them stated at least: an answer without a value can't be right by a match of pairs.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

from bythebook.metrics.key_values import pruned
from bythebook.schema.key_values import KeySchema
from bythebook.types import Example

__all__ = ["DRAW_MARK", "with_key_subsets", "with_some_keys"]

DRAW_MARK = "#keys"
"""Stands in an id between that of the document and the number of the draw."""


def with_key_subsets(
    examples: Iterable[Example], seed: int = 0, draws: int = 1, *, declared: bool = False
) -> list[Example]:
    """`draws` questions about every document, for keys that are stated or, with `declared`, for any of the guideline.
    What is drawn depends on seed, id and number of the draw alone. A document of which nothing is stated, or known, is
    asked for all keys, once, and keeps its id."""
    found: list[Example] = []
    for example in examples:
        stated = _stated(example)
        if not stated:
            found.append(example)
            continue
        for draw in range(draws):
            rng = random.Random(f"bythebook keys/{seed}/{example.id}/{draw}")
            among = KeySchema.of(example.guideline).names if declared else stated
            chosen = rng.sample(among, rng.randint(1, len(among)))
            if not set(chosen) & set(stated):
                chosen[0] = rng.choice(stated)
            found.append(with_some_keys(example, chosen, f"{example.id}{DRAW_MARK}{draw}"))
    return found


def with_some_keys(example: Example, names: Iterable[str], example_id: str) -> Example:
    """The example with these of its outermost keys only, in the guideline and in the gold. ValidationError if the
    guideline declares none of them."""
    schema = KeySchema.of(example.guideline).restricted(names)
    values = {} if example.reference is None else json.loads(example.reference)
    kept = {name: values[name] for name in values if name in schema.names}
    return example.model_copy(
        update={
            "id": example_id,
            "guideline": example.guideline.model_copy(update={"entity_types": schema.entity_types()}),
            "reference": None if example.reference is None else json.dumps(kept, ensure_ascii=False),
        }
    )


def _stated(example: Example) -> list[str]:
    """The outermost keys of which the gold states something, in the guideline's order."""
    values = {} if example.reference is None else json.loads(example.reference)
    stated = pruned(values)
    if not isinstance(stated, dict):
        return []
    return [name for name in KeySchema.of(example.guideline).names if name in stated]
