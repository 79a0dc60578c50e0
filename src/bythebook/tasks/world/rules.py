"""Procedural guidelines, and the annotator who reads one literally: gold answers come from here."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache

from bythebook.errors import GuidelineError
from bythebook.tasks.world.words import ADVERBS, TRAINED_NAMES, UNSEEN_NAMES, VERBS
from bythebook.types import Direction, Guideline, Label, Noun, RelationType

__all__ = [
    "NO_RELATION",
    "Rule",
    "flip",
    "fresh_guideline",
    "gold_under",
    "make_guideline",
    "rule_for",
    "rules_of",
    "trained_domains",
    "trained_guideline",
    "unseen_guideline",
]

NO_RELATION = "Other"
_CLAUSE = re.compile(r"e1 ([a-z]+) e2\.?")
_RESTRICTION = re.compile(r"unless ([a-z]+)\.?")
_TRAINED_DOMAINS = 6
_TYPES_PER_DOMAIN = 8
_HAS_EXCEPTION = 0.4


class Rule(Noun):
    """One line of a guideline: who does what to whom is this relation, unless the sentence says `exception`."""

    name: str
    direction: Direction
    verb: str
    exception: str | None


def flip(direction: Direction) -> Direction:
    """The other direction."""
    return "(e2,e1)" if direction == "(e1,e2)" else "(e1,e2)"


@lru_cache(maxsize=4096)
def rules_of(guideline: Guideline) -> tuple[Rule, ...]:
    """Every rule, in order. GuidelineError if the guideline has other prose."""
    rules = []
    for relation in guideline.relation_types:
        direction = relation.fixed_direction
        exceptions = [_RESTRICTION.fullmatch(r) for r in relation.restrictions]
        clauses = [_CLAUSE.fullmatch(line.strip()) for line in relation.definition.splitlines()]
        if direction is None or len(exceptions) > 1 or None in exceptions or None in clauses:
            raise GuidelineError(
                f"relation {relation.name!r} is not written as the world's rules are",
                remedy="each definition line 'e1 VERB e2.', a fixed direction, at most one restriction 'unless ADVERB'",
            )
        exception = exceptions[0][1] if exceptions and exceptions[0] else None
        rules += [Rule(name=relation.name, direction=direction, verb=c[1], exception=exception) for c in clauses if c]
    return tuple(rules)


def rule_for(guideline: Guideline, verb: str) -> Rule | None:
    """The first rule about `verb`, None if no rule applies. GuidelineError if the guideline has other prose."""
    return next((r for r in rules_of(guideline) if r.verb == verb), None)


def gold_under(guideline: Guideline, verb: str, adverb: str | None, inverted: bool) -> Label:
    """What a literal reader answers: the sentence's verb is looked up; an exception that fires, or no rule, means
    `Other`; where e2 does it to e1 (`inverted`) the rule's direction is turned round."""
    rule = rule_for(guideline, verb)
    if rule is None or (rule.exception is not None and rule.exception == adverb):
        return Label(name=guideline.no_relation or NO_RELATION)
    return Label(name=rule.name, direction=flip(rule.direction) if inverted else rule.direction)


def _relation(rng: random.Random, name: str, verbs: Sequence[str], exception: str | None) -> RelationType:
    return RelationType(
        name=name,
        definition="\n".join(f"e1 {v} e2." for v in verbs),
        direction=rng.choice(("(e1,e2)", "(e2,e1)")),
        restrictions=(f"unless {exception}",) if exception else (),
    )


def make_guideline(rng: random.Random, k: int, *, names: Sequence[str], domain: str) -> Guideline:
    """A guideline of `k` relation types, each with one or two verbs, four in ten with an exception."""
    chosen = rng.sample(list(names), k)
    verbs = rng.sample(VERBS, 2 * k)
    adverbs = rng.sample(ADVERBS, k)
    types = [
        _relation(
            rng,
            name,
            verbs[2 * i : 2 * i + rng.randint(1, 2)],
            adverbs[i] if rng.random() < _HAS_EXCEPTION else None,
        )
        for i, name in enumerate(chosen)
    ]
    return _guideline(types, domain)


def _guideline(types: Sequence[RelationType], domain: str) -> Guideline:
    return Guideline(
        title="Who does what to whom",
        version="1",
        domain=domain,
        relation_types=tuple(types),
        no_relation=NO_RELATION,
        no_relation_definition="no rule applies.",
    )


@lru_cache(maxsize=1)
def trained_domains() -> tuple[Guideline, ...]:
    """The six fixed domains of eight relation types on which training happens: the in-domain (ID) ones."""
    rng = random.Random("bythebook world: trained domains")
    return tuple(
        make_guideline(rng, _TYPES_PER_DOMAIN, names=TRAINED_NAMES, domain=f"trained-{i + 1}")
        for i in range(_TRAINED_DOMAINS)
    )


def trained_guideline(rng: random.Random, k: int, domains: int = _TRAINED_DOMAINS) -> Guideline:
    """`k` relation types of one of the first `domains` trained domains, in random order."""
    domain = rng.choice(trained_domains()[:domains])
    return _guideline(rng.sample(list(domain.relation_types), k), domain.domain)


def fresh_guideline(rng: random.Random, k: int) -> Guideline:
    """A guideline with new assignments, of label names that training may use: for the warm start."""
    return make_guideline(rng, k, names=TRAINED_NAMES, domain="fresh")


def unseen_guideline(rng: random.Random, k: int) -> Guideline:
    """A guideline of label names that occur in no training guideline: out of domain (OOD)."""
    return make_guideline(rng, k, names=UNSEEN_NAMES, domain="unseen")
