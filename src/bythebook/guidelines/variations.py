"""Other renderings of the same guideline: its relations in another order, under other names. Gold follows.

What a model learns from one order and one set of names it may learn by heart. A variation is a function of its seeds
and the guideline alone, so that all prompts that are made with the same seeds share their beginning, and a run that is
resumed shows what it would have shown.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from functools import lru_cache

from bythebook.guidelines.edits import rename_labels, shuffle_relations
from bythebook.types import Example, Guideline, Noun

__all__ = ["Variation", "varied_guideline", "varied_names", "vary"]

_CODE = re.compile(r"R\d+")
_FIRST_CODE, _LAST_CODE = 10, 99
"""Two digits, however many relations a guideline has: what is trained under nine is not to meet longer codes under
seventeen."""
_CODES_PER_LABEL = 2
"""At least so many codes to draw from, so that there are more of them where two digits are too few."""


class Variation(Noun):
    """Which rendering is shown; None leaves something as it is. A seed may be any number or text."""

    shuffle_relations: int | str | None = None
    """Seed of another order of the relations."""
    rename_labels: int | str | None = None
    """Seed of names that say nothing: `R37`, `R80`, …"""
    permute_labels: int | str | None = None
    """Seed of an exchange of the names among the relations: for models with a vocabulary of their own."""

    @property
    def changes_nothing(self) -> bool:
        """Whether every guideline is shown as it is."""
        return self == Variation()

    @property
    def text(self) -> str:
        """For records: `shuffle_relations=3 rename_labels=3`."""
        return " ".join(f"{key}={value}" for key, value in self.model_dump(exclude_none=True).items())


def _generator(kind: str, seed: int | str, guideline: Guideline) -> random.Random:
    # Seeding with a string hashes it (SHA-512), so neighbouring seeds share nothing.
    return random.Random(f"bythebook variation/{kind}/{seed}/{guideline.hash}")


def varied_names(guideline: Guideline, variation: Variation) -> dict[str, str]:
    """Old name → new name of every relation; empty where names stay. The no-relation label keeps its name: other
    answers have no direction, so it would be known by its form anyway."""
    names = [r.name for r in guideline.relation_types]
    new = list(names)
    if variation.permute_labels is not None:
        _generator("permute", variation.permute_labels, guideline).shuffle(new)
    if variation.rename_labels is not None:
        taken = set(_CODE.findall(guideline.model_dump_json()))
        last = max(_LAST_CODE, _FIRST_CODE + _CODES_PER_LABEL * len(names) + len(taken))
        free = [code for n in range(_FIRST_CODE, last + 1) if (code := f"R{n}") not in taken]
        new = _generator("rename", variation.rename_labels, guideline).sample(free, len(names))
    return dict(zip(names, new, strict=True)) if new != names else {}


@lru_cache(maxsize=2048)
def varied_guideline(guideline: Guideline, variation: Variation) -> Guideline:
    """The guideline in this rendering."""
    shown = rename_labels(guideline, names) if (names := varied_names(guideline, variation)) else guideline
    if variation.shuffle_relations is not None:
        shown = shuffle_relations(shown, _generator("shuffle", variation.shuffle_relations, guideline))
    return shown


def vary(examples: Iterable[Example], variation: Variation) -> list[Example]:
    """The same questions under their guidelines in this rendering, with the gold in its words. All examples of one
    guideline get the same rendering. `meta["variation"]` says which."""
    if variation.changes_nothing:
        return list(examples)
    names: dict[str, dict[str, str]] = {}
    out = []
    for e in examples:
        shown = varied_guideline(e.guideline, variation)
        if e.guideline.hash not in names:
            names[e.guideline.hash] = varied_names(e.guideline, variation)
        own = names[e.guideline.hash]
        gold = e.gold and e.gold.model_copy(update={"name": own.get(e.gold.name, e.gold.name)})
        meta = {**e.meta, "variation": variation.text}
        out.append(e.model_copy(update={"guideline": shown, "gold": gold, "meta": meta}))
    return out
