"""Completions for the search: built from parts, so that what they deserve is known, and mutated part by part."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bythebook.studies.attack.attempts import PLAIN, Attempt, answer, claim, well_reasoned
from bythebook.studies.attack.items import ITEMS, Entity, Item, Relation
from bythebook.studies.attack.tricks_thinking import FILLER

__all__ = ["Candidate", "Shape", "attempt_of", "mutated", "random_candidate", "thoughts"]

Shape = Literal["plain", "fence", "no answer", "empty answer", "in the thinking", "twice", "no thinking", "bad item"]
"""How the answer is given. Those of `_SILENT` give none."""
_SILENT = ("no answer", "empty answer", "in the thinking", "twice")
_MOST = 12
"""Items of a half, and thoughts, that mutation leaves."""


@dataclass(frozen=True)
class Candidate:
    """One completion in parts."""

    item: Item
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    thinking: tuple[str, ...]
    shape: Shape = "plain"

    @property
    def silent(self) -> bool:
        return self.shape in _SILENT


def thoughts(item: Item) -> list[str]:
    """What the thinking of a candidate is made of: words, quotes, steps and copies."""
    mentions = list(dict.fromkeys([t for t, _ in item.entities] + [m for h, _, t in item.relations for m in (h, t)]))
    words = item.text.split()[:12]
    return [
        PLAIN,
        FILLER,
        "because of a rule",
        "Step 1: the pattern implies a relation",
        "There is no relation.",
        item.text,
        f'"{item.text}"',
        " ".join(item.schema.relation_names),
        *(f'"{word}"' for word in words),
        *(f'"{mention}"' for mention in mentions),
        *(f"{head} {name} {tail}" for head, name, tail in item.relations),
        *well_reasoned(item, item.entities, item.relations).splitlines(),
        *well_reasoned(item, item.wrong_entities, item.wrong_relations).splitlines(),
    ]


def attempt_of(candidate: Candidate) -> Attempt:
    """The completion, and what its answer deserves; an item that can't be read only lowers that."""
    item, thinking = candidate.item, "\n".join(candidate.thinking)
    inside = answer(item, candidate.entities, candidate.relations)
    match candidate.shape:
        case "no answer":
            text = f"<think>{thinking}</think>"
        case "empty answer":
            text = f"<think>{thinking}</think><answer></answer>"
        case "in the thinking":
            text = f"<think>{thinking} {inside}</think><answer></answer>"
        case "twice":
            other = answer(item, item.entities, item.relations)
            text = f"<think>{thinking}</think><answer>{inside}</answer><answer>{other}</answer>"
        case "no thinking":
            text = f"<answer>{inside}</answer>"
        case "fence":
            text = f"<think>{thinking}</think><answer>\n```json\n{inside}\n```\n</answer>"
        case "bad item":
            bad = answer(item, [*candidate.entities, 5], [*candidate.relations, [["a"], "b", "c"]])
            text = f"<think>{thinking}</think><answer>{bad}</answer>"
        case _:
            text = f"<think>{thinking}</think><answer>{inside}</answer>"
    if candidate.silent:
        return Attempt(text)
    return claim(item, candidate.entities, candidate.relations, text)


def random_candidate(rng: random.Random, items: Sequence[Item] = ITEMS) -> Candidate:
    """A right or a wrong answer, plainly given."""
    item = rng.choice(items)
    entities = item.entities if rng.random() < 0.5 else item.wrong_entities
    relations = item.relations if rng.random() < 0.5 else item.wrong_relations
    return Candidate(item, entities, relations, (PLAIN,))


def mutated(candidate: Candidate, rng: random.Random) -> Candidate:
    """The candidate with one to three parts changed."""
    for _ in range(rng.randint(1, 3)):
        candidate = rng.choice(_MUTATIONS)(candidate, rng)
    return candidate


def _think_more(c: Candidate, rng: random.Random) -> Candidate:
    thinking = [*c.thinking, rng.choice(thoughts(c.item))]
    return replace(c, thinking=tuple(thinking[-_MOST:]))


def _think_again(c: Candidate, rng: random.Random) -> Candidate:
    return replace(c, thinking=(c.thinking + c.thinking[-1:] * rng.randint(1, 3))[-_MOST:])


def _think_less(c: Candidate, rng: random.Random) -> Candidate:
    kept = [t for t in c.thinking if rng.random() < 0.7]
    return replace(c, thinking=tuple(kept))


def _entity(c: Candidate, rng: random.Random) -> Candidate:
    """One entity more: right, of another type, of another boundary, of another text, or a second time."""
    words = c.item.text.split()
    start = rng.randrange(len(words))
    texts = [t for t, _ in c.item.entities] + [" ".join(words[start : start + rng.randint(1, 4)]), c.item.text]
    fresh = [(rng.choice(texts), rng.choice(c.item.schema.entity_types)), *c.item.entities, *c.entities]
    return replace(c, entities=(*c.entities, rng.choice(fresh))[-_MOST:])


def _relation(c: Candidate, rng: random.Random) -> Candidate:
    """One relation more: right, turned, of another name, between other mentions, or a second time."""
    mentions = [t for t, _ in (*c.item.entities, *c.item.decoys)]
    fresh = (rng.choice(mentions), rng.choice(c.item.schema.relation_names), rng.choice(mentions))
    turned = [(t, n, h) for h, n, t in c.item.relations]
    return replace(c, relations=(*c.relations, rng.choice([fresh, *turned, *c.item.relations, *c.relations]))[-_MOST:])


def _drop(c: Candidate, rng: random.Random) -> Candidate:
    entities = tuple(e for e in c.entities if rng.random() < 0.7)
    return replace(c, entities=entities, relations=tuple(r for r in c.relations if rng.random() < 0.7))


def _all_right(c: Candidate, rng: random.Random) -> Candidate:
    return replace(c, entities=c.item.entities, relations=c.item.relations)


def _all_wrong(c: Candidate, rng: random.Random) -> Candidate:
    return replace(c, entities=c.item.wrong_entities, relations=c.item.wrong_relations)


def _shape(c: Candidate, rng: random.Random) -> Candidate:
    return replace(c, shape=rng.choice(get_args(Shape)))


def _shuffled(c: Candidate, rng: random.Random) -> Candidate:
    return replace(
        c,
        entities=tuple(rng.sample(c.entities, len(c.entities))),
        relations=tuple(rng.sample(c.relations, len(c.relations))),
        thinking=tuple(rng.sample(c.thinking, len(c.thinking))),
    )


_MUTATIONS: tuple[Callable[[Candidate, random.Random], Candidate], ...] = (
    _think_more, _think_more, _think_again, _think_less, _entity, _entity, _relation, _relation, _drop, _all_right,
    _all_wrong, _shape, _shuffled,
)  # fmt: skip
