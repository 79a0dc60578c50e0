"""Edits of a guideline under an example, with the gold that follows: does a model obey what it is shown?

Every edit here changes the gold answer, so a model that answers from memory is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bythebook.guidelines import (
    add_restriction,
    drop_restrictions,
    flip_direction,
    rotate_names,
    swap_names,
)
from bythebook.tasks.world.rules import gold_under, rule_for
from bythebook.tasks.world.sentences import scene_of
from bythebook.types import Example, Guideline

__all__ = ["EDITS", "edited", "under"]


def _rotated(example: Example, _: random.Random) -> Guideline | None:
    return rotate_names(example.guideline) if len(example.guideline.relation_types) > 1 else None


def _swapped(example: Example, rng: random.Random) -> Guideline | None:
    rule = rule_for(example.guideline, example.meta["verb"])
    others = [r.name for r in example.guideline.relation_types if rule and r.name != rule.name]
    return swap_names(example.guideline, rule.name, rng.choice(others)) if rule and others else None


def _flipped(example: Example, _: random.Random) -> Guideline | None:
    rule = rule_for(example.guideline, example.meta["verb"])
    return flip_direction(example.guideline, rule.name) if rule else None


def _exception_dropped(example: Example, _: random.Random) -> Guideline | None:
    rule = rule_for(example.guideline, example.meta["verb"])
    return drop_restrictions(example.guideline, rule.name) if rule and rule.exception else None


def _exception_added(example: Example, _: random.Random) -> Guideline | None:
    """The adverb of the sentence becomes the exception of its rule, in place of another one if there is one."""
    rule, adverb = rule_for(example.guideline, example.meta["verb"]), example.meta["adverb"]
    if rule is None or not adverb or rule.exception == adverb:
        return None
    return add_restriction(drop_restrictions(example.guideline, rule.name), rule.name, f"unless {adverb}")


EDITS: dict[str, Callable[[Example, random.Random], Guideline | None]] = {
    "rotated_names": _rotated,
    "swapped_names": _swapped,
    "flipped_direction": _flipped,
    "dropped_exception": _exception_dropped,
    "added_exception": _exception_added,
}


def under(example: Example, guideline: Guideline) -> Example:
    """The same sentence under another guideline, with the gold of that guideline."""
    gold = gold_under(guideline, *scene_of(example))
    before = example.gold.text if example.gold else ""
    return Example.model_validate(
        {
            **example.model_dump(),
            "guideline": guideline,
            "gold": gold,
            "meta": {**example.meta, "gold_before": before},
        }
    )


def edited(example: Example, edit: str, rng: random.Random) -> Example | None:
    """The example under its guideline after the named edit; None where the edit can't be made or the gold stays."""
    guideline = EDITS[edit](example, rng)
    if guideline is None:
        return None
    after = under(example, guideline)
    return after if after.gold != example.gold else None
