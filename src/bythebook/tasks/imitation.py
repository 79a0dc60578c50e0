"""Completions to imitate that any relation classification task has: the answer alone, or after filled-in steps."""

from __future__ import annotations

import random

from bythebook.errors import DataError
from bythebook.types import Example

__all__ = ["TARGETS", "answer_only", "quoting_reasoning", "templated_reasoning"]

_WORDS_BETWEEN = 8
_WORDS_QUOTED = 3


def answer_only(example: Example, _: random.Random) -> str:
    """The gold answer without reasoning. DataError if there is none."""
    if example.gold is None:
        raise DataError(f"example {example.id} has no gold", remedy="fine-tuning needs labelled examples")
    return f"<answer>{example.gold.text}</answer>"


def templated_reasoning(example: Example, rng: random.Random) -> str:
    """The steps of an annotator, filled in from the marks and the gold answer: the mentions, the words between them,
    the relation, and which mention is its first argument."""
    answer = answer_only(example, rng)
    one, two = (example.entity(name).span for name in ("e1", "e2"))
    first, second = (one, two) if one.start <= two.start else (two, one)
    between = " ".join(example.text[first.end : second.start].split()[-_WORDS_BETWEEN:]) or "nothing"
    steps = f"{first.of(example.text)} … {between} … {second.of(example.text)}: "
    gold = example.gold
    if gold is None or gold.direction is None:
        steps += "no definition fits"
    else:
        steps += f"{gold.name}, first argument {'e1' if gold.direction == '(e1,e2)' else 'e2'}"
    return f"<think>{steps}</think>{answer}"


def quoting_reasoning(example: Example, rng: random.Random) -> str:
    """The first words of the definition that fits: reasoning that names no label, so that it reads the same whatever
    the labels are called. DataError if there is no gold."""
    answer = answer_only(example, rng)
    gold = example.gold
    relation = example.guideline.relation(gold.name) if gold else None
    if gold is None or gold.direction is None or relation is None:
        return f"<think>no definition fits</think>{answer}"
    quoted = " ".join(relation.definition.split()[:_WORDS_QUOTED]).rstrip(",;:.")
    return f"<think>{quoted}</think>{answer}"


TARGETS = {"answer": answer_only, "templated": templated_reasoning, "quoting": quoting_reasoning}
