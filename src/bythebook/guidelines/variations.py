"""Other renderings of the same guideline: relations and entity types in another order, under other names. Gold follows.

What a model learns from one order and one set of names it may learn by heart. A variation is a function of its seeds
and the guideline alone, so that all prompts that are made with the same seeds share their beginning, and a run that is
resumed shows what it would have shown.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from bythebook.guidelines.edits import shuffle_entity_types, shuffle_relations
from bythebook.guidelines.renaming import Renaming
from bythebook.types import Example, Guideline, Noun

__all__ = ["Variation", "varied_guideline", "varied_names", "vary"]

_FIRST_CODE, _LAST_CODE = 10, 99
"""Two digits, however many relations a guideline has: what is trained under nine is not to meet longer codes under
seventeen."""
_CODES_PER_NAME = 2
"""At least so many codes to draw from, so that there are more of them where two digits are too few."""


class Variation(Noun):
    """Which rendering is shown; None leaves something as it is. A seed may be any number or text."""

    shuffle_relations: int | str | None = None
    """Seed of another order of the relations, and of the entity types."""
    rename_labels: int | str | None = None
    """Seed of names that say nothing: `R37`, `R80`, … for relations, `T12`, `T61`, … for entity types."""
    permute_labels: int | str | None = None
    """Seed of an exchange of the names among the relations, and among the entity types: for models with a vocabulary
    of their own."""

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


def varied_names(guideline: Guideline, variation: Variation) -> Renaming:
    """The new names of relations and entity types; without any where names stay. The no-relation label keeps its name:
    other labels have a direction, so it would be known by its form anyway."""
    return Renaming(
        relations=_new_names([r.name for r in guideline.relation_types], "R", guideline, variation),
        entity_types=_new_names([t.name for t in guideline.entity_types], "T", guideline, variation),
    )


def _new_names(declared: Sequence[str], letter: str, guideline: Guideline, variation: Variation) -> dict[str, str]:
    """Old name → new name; empty where all stay. Names are exchanged, or codes of `letter` take their place."""
    names = list(dict.fromkeys(declared))
    new = list(names)
    kind = "" if letter == "R" else " types"
    if variation.permute_labels is not None:
        _generator(f"permute{kind}", variation.permute_labels, guideline).shuffle(new)
    if variation.rename_labels is not None:
        taken = set(re.findall(rf"{letter}\d+", guideline.model_dump_json()))
        last = max(_LAST_CODE, _FIRST_CODE + _CODES_PER_NAME * len(names) + len(taken))
        free = [code for n in range(_FIRST_CODE, last + 1) if (code := f"{letter}{n}") not in taken]
        new = _generator(f"rename{kind}", variation.rename_labels, guideline).sample(free, len(names))
    return dict(zip(names, new, strict=True)) if new != names else {}


@lru_cache(maxsize=2048)
def varied_guideline(guideline: Guideline, variation: Variation) -> Guideline:
    """The guideline in this rendering."""
    shown = varied_names(guideline, variation).guideline(guideline)
    if variation.shuffle_relations is not None:
        shown = shuffle_relations(shown, _generator("shuffle", variation.shuffle_relations, guideline))
        shown = shuffle_entity_types(shown, _generator("shuffle types", variation.shuffle_relations, guideline))
    return shown


def vary(examples: Iterable[Example], variation: Variation) -> list[Example]:
    """The same questions under their guidelines in this rendering, with gold of either kind, and what is given beside
    the text, in its words. All examples of one guideline get the same rendering. `meta["variation"]` says which."""
    if variation.changes_nothing:
        return list(examples)
    names: dict[str, Renaming] = {}
    out = []
    for e in examples:
        shown = varied_guideline(e.guideline, variation)
        if e.guideline.hash not in names:
            names[e.guideline.hash] = varied_names(e.guideline, variation)
        meta = {**e.meta, "variation": variation.text}
        out.append(names[e.guideline.hash].example(e, shown).model_copy(update={"meta": meta}))
    return out
