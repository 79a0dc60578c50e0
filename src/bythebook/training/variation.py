"""One rendering of the guideline a batch: relations and entity types in another order, under other names, and gold in
their words.

All prompts of a batch that have a guideline in common get the same rendering, so that they share their beginning as
before; another batch gets another one. Which one is a function of the recipe's seed and the number of the batch: every
process finds the same, and so does a run that is resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bythebook.guidelines import Variation, vary
from bythebook.recipe import PromptSection
from bythebook.types import Example

__all__ = ["RowVariation", "batch_variation"]


def batch_variation(prompt: PromptSection, seed: int, batch: int) -> Variation:
    """The rendering of the batch of that number, counted from 0."""
    key = f"{seed}/{batch}"
    return Variation(
        shuffle_relations=key if prompt.shuffle_relations else None,
        rename_labels=key if prompt.rename_labels == "opaque" else None,
        permute_labels=key if prompt.rename_labels == "permute" else None,
    )


class RowVariation:
    """Rows of an RL dataset, which were made before it was known which batch they get into, made again for theirs.

    A row names its example by its place, in the column `row`; `make` writes a row from an example.
    """

    def __init__(
        self, examples: Sequence[Example], make: Callable[[Example], dict[str, Any]], prompt: PromptSection, seed: int
    ) -> None:
        self.examples, self.make, self.prompt, self.seed = examples, make, prompt, seed

    @property
    def active(self) -> bool:
        """Whether the recipe asks for other renderings at all."""
        return not batch_variation(self.prompt, self.seed, 0).changes_nothing

    def __call__(self, rows: Sequence[dict[str, Any]], batch: int) -> list[dict[str, Any]]:
        """The rows under the rendering of that batch, which they name in the column `variation`."""
        variation = batch_variation(self.prompt, self.seed, batch)
        places = sorted({row["row"] for row in rows})
        shown = vary([self.examples[place] for place in places], variation)
        made = {place: self.make(e) | {"variation": variation.text} for place, e in zip(places, shown, strict=True)}
        return [{**row, **made[row["row"]]} for row in rows]
