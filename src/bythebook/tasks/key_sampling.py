"""Subsets of keys to ask for: the sampling strategy of Efficient Medical VIE (arXiv 2506.13363, "strategy A").

Of every document a random subset of the keys that its gold states is drawn; the prompt describes these alone, and the
gold holds these alone. Answers get shorter and right ones come earlier. The paper gives no distribution: a size from 1
to all, each as likely, is our stand-in. Keys inside of objects and lists go with the outermost one.
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


def with_key_subsets(examples: Iterable[Example], seed: int = 0, draws: int = 1) -> list[Example]:
    """`draws` questions about every document. What is drawn depends on seed, id and number of the draw alone. A
    document of which nothing is stated, or known, is asked for all keys, once, and keeps its id."""
    found: list[Example] = []
    for example in examples:
        stated = _stated(example)
        if not stated:
            found.append(example)
            continue
        for draw in range(draws):
            rng = random.Random(f"bythebook keys/{seed}/{example.id}/{draw}")
            chosen = rng.sample(stated, rng.randint(1, len(stated)))
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
