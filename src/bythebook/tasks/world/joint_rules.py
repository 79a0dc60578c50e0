"""Procedural guidelines of joint extraction: opaque entity types that list their nouns, relation types with type
signatures; and the annotator who reads one literally.

Exceptions ("unless …") and clauses turned round are the subject of `world`; a guideline here has none of the first.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bythebook.errors import GuidelineError
from bythebook.tasks.world.rules import NO_RELATION, rule_for
from bythebook.tasks.world.words import NOUNS, TRAINED_NAMES, UNSEEN_NAMES, VERBS
from bythebook.types import EntityType, Guideline, RelationType

__all__ = [
    "JOINT_DOMAINS",
    "Fact",
    "fresh_joint_guideline",
    "joint_domains",
    "make_joint_guideline",
    "relation_under",
    "trained_joint_guideline",
    "type_of",
    "types_of",
    "unseen_joint_guideline",
]

_NOUN = re.compile(r"an? ([a-z]+)\.?")
JOINT_DOMAINS = 6
_DOMAIN_TYPES, _DOMAIN_RELATIONS = 4, 6
_NOUNS_OF_A_TYPE = (2, 4)


class Fact(NamedTuple):
    """What a clause says: `actor` does `verb` to `target`, in the manner of `adverb`."""

    actor: str
    verb: str
    target: str
    adverb: str | None


@lru_cache(maxsize=4096)
def types_of(guideline: Guideline) -> dict[str, str]:
    """Noun → entity type. GuidelineError if the guideline has other prose."""
    found: dict[str, str] = {}
    for kind in guideline.entity_types:
        for line in kind.definition.splitlines():
            noun = _NOUN.fullmatch(line.strip())
            if noun is None:
                raise GuidelineError(
                    f"entity type {kind.name!r} is not written as the world's are", remedy="a line for each: 'a NOUN.'"
                )
            found.setdefault(noun[1], kind.name)
    return found


def type_of(guideline: Guideline, noun: str) -> str | None:
    """The entity type that lists `noun`; None: it is no entity."""
    return types_of(guideline).get(noun)


def relation_under(guideline: Guideline, fact: Fact) -> tuple[str, str, str] | None:
    """(head, relation type, tail) that a literal reader finds in a clause, as nouns. None if no rule has its verb, the
    exception fires, one of the two is no entity, or their types are not those of the signature."""
    rule = rule_for(guideline, fact.verb)
    relation = guideline.relation(rule.name) if rule else None
    if rule is None or relation is None or (rule.exception is not None and rule.exception == fact.adverb):
        return None
    head, tail = (fact.actor, fact.target) if rule.direction == "(e1,e2)" else (fact.target, fact.actor)
    types = types_of(guideline)
    if head not in types or tail not in types:
        return None
    if relation.head_types and types[head] not in relation.head_types:
        return None
    if relation.tail_types and types[tail] not in relation.tail_types:
        return None
    return head, relation.name, tail


def _relation(rng: random.Random, name: str, verbs: Sequence[str], types: Sequence[str]) -> RelationType:
    return RelationType(
        name=name,
        definition="\n".join(f"e1 {v} e2." for v in verbs),
        direction=rng.choice(("(e1,e2)", "(e2,e1)")),
        head_types=(rng.choice(types),),
        tail_types=(rng.choice(types),),
    )


def make_joint_guideline(
    rng: random.Random, entity_types: int, relation_types: int, *, names: Sequence[str], domain: str
) -> Guideline:
    """Entity types of 2 to 4 nouns each; relation types of one or two verbs each, with one type of head and of tail."""
    chosen = rng.sample(list(names), entity_types + relation_types)
    types, relations = chosen[:entity_types], chosen[entity_types:]
    nouns = iter(rng.sample(NOUNS, entity_types * _NOUNS_OF_A_TYPE[1]))
    verbs = rng.sample(VERBS, 2 * relation_types)
    return _guideline(
        [
            EntityType(
                name=name, definition="\n".join(f"a {next(nouns)}." for _ in range(rng.randint(*_NOUNS_OF_A_TYPE)))
            )
            for name in types
        ],
        [_relation(rng, name, verbs[2 * i : 2 * i + rng.randint(1, 2)], types) for i, name in enumerate(relations)],
        domain,
    )


def _guideline(types: Sequence[EntityType], relations: Sequence[RelationType], domain: str) -> Guideline:
    return Guideline(
        title="What is there, and who does what to whom",
        version="1",
        domain=domain,
        entity_types=tuple(types),
        relation_types=tuple(relations),
        no_relation=NO_RELATION,
        no_relation_definition="no rule applies.",
    )


@lru_cache(maxsize=1)
def joint_domains() -> tuple[Guideline, ...]:
    """The six fixed domains on which training happens: the in-domain (ID) ones."""
    rng = random.Random("bythebook world: joint domains")
    return tuple(
        make_joint_guideline(rng, _DOMAIN_TYPES, _DOMAIN_RELATIONS, names=TRAINED_NAMES, domain=f"trained-{number + 1}")
        for number in range(JOINT_DOMAINS)
    )


def trained_joint_guideline(
    rng: random.Random, entity_types: int, relation_types: int, domains: int = JOINT_DOMAINS
) -> Guideline:
    """Relation types of one of the first so many trained domains, every entity type that their signatures name, and
    others up to `entity_types`; in random order."""
    domain = rng.choice(joint_domains()[:domains])
    relations = rng.sample(list(domain.relation_types), min(relation_types, _DOMAIN_RELATIONS))
    named = {t for r in relations for t in (*r.head_types, *r.tail_types)}
    types = list(domain.entity_types)
    rng.shuffle(types)
    types.sort(key=lambda t: t.name not in named)  # stable: those named first, each group in its random order
    types = types[: max(entity_types, len(named))]
    rng.shuffle(types)
    return _guideline(types, relations, domain.domain)


def fresh_joint_guideline(rng: random.Random, entity_types: int, relation_types: int) -> Guideline:
    """A guideline with new assignments, of names that training may use: for the warm start."""
    return make_joint_guideline(rng, entity_types, relation_types, names=TRAINED_NAMES, domain="fresh")


def unseen_joint_guideline(rng: random.Random, entity_types: int, relation_types: int) -> Guideline:
    """A guideline of names that occur in no training guideline: out of domain (OOD)."""
    return make_joint_guideline(rng, entity_types, relation_types, names=UNSEEN_NAMES, domain="unseen")
