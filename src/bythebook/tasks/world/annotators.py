"""Annotators of differing diligence, as text: what the warm start imitates.

careful   looks the verb up, checks the exception, notes who acts, then answers
hasty     looks the verb up where it stands between the mentions, skips exception and actor; guesses elsewhere
guessing  picks a relation of the guideline
"""

from __future__ import annotations

import random
from typing import Literal

from bythebook.tasks.world.rules import gold_under, rule_for
from bythebook.tasks.world.sentences import scene_of
from bythebook.types import Example

__all__ = ["Annotator", "annotate_as", "answer_only", "draw_annotator"]

Annotator = Literal["careful", "hasty", "guessing"]
MIXED_SHARES: dict[Annotator, float] = {"careful": 0.36, "hasty": 0.44, "guessing": 0.20}
"""Our choice, after trials: the start can read and often doesn't."""


def draw_annotator(rng: random.Random) -> Annotator:
    """One annotator of the mixed staff."""
    return rng.choices(list(MIXED_SHARES), weights=list(MIXED_SHARES.values()))[0]


def _completion(thinking: str, answer: str) -> str:
    return f"<think> {thinking}</think><answer> {answer}</answer>"


def answer_only(example: Example) -> str:
    """The gold answer without reasoning."""
    if example.gold is None:
        raise ValueError(f"example {example.id} has no gold")
    return f"<answer> {example.gold.text}</answer>"


def _guess(example: Example, rng: random.Random) -> str:
    relation = rng.choice(example.guideline.relation_types)
    return _completion("guess", f"{relation.name}{relation.fixed_direction}")


def _careful(example: Example) -> str:
    verb, adverb, inverted = scene_of(example)
    rule = rule_for(example.guideline, verb)
    answer = gold_under(example.guideline, verb, adverb, inverted).text
    if rule is None:
        return _completion("no rule", answer)
    thinking = f"{verb} {rule.name}{rule.direction}"
    if rule.exception is not None:
        fires = rule.exception == adverb
        thinking += f" unless {rule.exception}; saw {adverb or 'none'} {'yes' if fires else 'no'}"
        if fires:
            return _completion(thinking, answer)
    return _completion(f"{thinking}; {'e2' if inverted else 'e1'} acts", answer)


def annotate_as(annotator: Annotator, example: Example, rng: random.Random) -> str:
    """The completion this annotator writes for the example. `rng` decides the guesses."""
    if annotator == "careful":
        return _careful(example)
    verb, _, _ = scene_of(example)
    rule = rule_for(example.guideline, verb)
    if annotator == "guessing" or example.meta["between"] != "true":
        return _guess(example, rng)
    if rule is None:
        return _careful(example)
    exception = f" unless {rule.exception}" if rule.exception else ""
    return _completion(f"{verb} {rule.name}{rule.direction}{exception}", f"{rule.name}{rule.direction}")
