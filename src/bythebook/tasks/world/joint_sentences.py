"""Sentences without marks: one or two clauses, in which nouns may be entities and verbs may relate them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from bythebook.tasks.world.joint_rules import Fact, relation_under, type_of, types_of
from bythebook.tasks.world.rules import Rule, rules_of
from bythebook.tasks.world.words import ADJECTIVES, ADVERBS, NOUNS, PLACES, TIMES, VERBS
from bythebook.types import Example, ExtractedEntity, ExtractedRelation, Extraction, Guideline, Noun, Span

__all__ = ["ClauseCase", "JointScene", "gold_of", "make_joint_scene", "to_joint_example"]

ClauseCase = Literal["holds", "no_rule", "signature", "no_entity"]
_CASES: dict[ClauseCase, float] = {"holds": 0.55, "no_rule": 0.15, "signature": 0.15, "no_entity": 0.15}
"""Chances of what is drawn for a clause; where the guideline has no rule for it, another is drawn."""
_TWO_CLAUSES = 0.4
_DISTRACTOR = 0.35
_EXTRA = 0.35


class JointScene(Noun):
    """What a sentence says."""

    text: str
    facts: tuple[Fact, ...]
    cases: tuple[ClauseCase, ...]


def make_joint_scene(rng: random.Random, guideline: Guideline) -> JointScene:
    """One sentence to annotate under `guideline`. No noun and no verb stands in it twice."""
    free = _Free(rng, guideline)
    facts, cases, clauses = [], [], []
    for _ in range(2 if rng.random() < _TWO_CLAUSES else 1):
        case, fact = _draw(rng, guideline, free)
        facts.append(fact)
        cases.append(case)
        clauses.append(_clause(rng, fact, free))
    if rng.random() < _EXTRA:
        clauses[0] += ["near", "the", free.any()]
    body = clauses[0]
    if len(clauses) > 1:
        joined = rng.random() < 0.5
        body = [*clauses[0], "and", *clauses[1]] if joined else ["while", *clauses[0], ",", *clauses[1]]
    if rng.random() < 0.3:
        body = [*body, rng.choice(TIMES)]
    return JointScene(text=_join([*body, "."]), facts=tuple(facts), cases=tuple(cases))


class _Free:
    """Nouns and verbs that the sentence does not have yet."""

    def __init__(self, rng: random.Random, guideline: Guideline) -> None:
        self._rng = rng
        self._types = types_of(guideline)
        self._free = rng.sample(NOUNS, len(NOUNS))
        self._rules = list(rules_of(guideline))
        ruled = {rule.verb for rule in self._rules}
        self._verbs = [verb for verb in VERBS if verb not in ruled]

    def of(self, types: Sequence[str]) -> str | None:
        """An entity of one of these types, of any where there are none; None if there is no other left."""
        return self._take([n for n in self._free if n in self._types and (not types or self._types[n] in types)])

    def other_than(self, types: Sequence[str]) -> str | None:
        """An entity of another type."""
        return self._take([n for n in self._free if n in self._types and self._types[n] not in types])

    def no_entity(self) -> str | None:
        """A noun that the guideline does not list."""
        return self._take([n for n in self._free if n not in self._types])

    def any(self) -> str:
        """An entity or none, evenly."""
        found = self.of(()) if self._rng.random() < 0.5 else None
        return found or self.no_entity() or self._free.pop()

    def rule(self) -> Rule | None:
        """A rule whose verb the sentence doesn't have; None if there is no other left."""
        if not self._rules:
            return None
        rule = self._rng.choice(self._rules)
        self._rules.remove(rule)
        return rule

    def verb(self) -> str:
        """A verb that no rule mentions."""
        verb = self._rng.choice(self._verbs)
        self._verbs.remove(verb)
        return verb

    def _take(self, among: Sequence[str]) -> str | None:
        if not among:
            return None
        noun = among[0]  # the order is random already
        self._free.remove(noun)
        return noun


def _draw(rng: random.Random, guideline: Guideline, free: _Free) -> tuple[ClauseCase, Fact]:
    """Draw what a clause says."""
    case = rng.choices(list(_CASES), weights=list(_CASES.values()))[0]
    rule = None if case == "no_rule" else free.rule()
    if rule is None:
        return "no_rule", Fact(free.any(), free.verb(), free.any(), _some_adverb(rng))
    head, tail = _arguments(guideline, rule, case, free, rng)
    actor, target = (head, tail) if rule.direction == "(e1,e2)" else (tail, head)
    return _seen(guideline, Fact(actor, rule.verb, target, _some_adverb(rng)), case)


def _seen(guideline: Guideline, fact: Fact, meant: ClauseCase) -> tuple[ClauseCase, Fact]:
    """The case as the guideline has it: too few nouns may have made another of what was meant."""
    if relation_under(guideline, fact) is not None:
        return "holds", fact
    if meant != "holds":
        return meant, fact
    entities = types_of(guideline)
    return ("signature" if fact.actor in entities and fact.target in entities else "no_entity"), fact


def _signature(guideline: Guideline, rule: Rule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    relation = guideline.relation(rule.name)
    return (relation.head_types, relation.tail_types) if relation else ((), ())


def _arguments(guideline: Guideline, rule: Rule, case: ClauseCase, free: _Free, rng: random.Random) -> tuple[str, str]:
    """(head, tail) as the case wants them."""
    heads, tails = _signature(guideline, rule)
    wrong = rng.choice(("head", "tail"))
    if case == "signature":
        head = free.other_than(heads) if wrong == "head" else free.of(heads)
        tail = free.other_than(tails) if wrong == "tail" else free.of(tails)
    elif case == "no_entity":
        head = free.no_entity() if wrong == "head" else free.of(heads)
        tail = free.no_entity() if wrong == "tail" else free.of(tails)
    else:
        head, tail = free.of(heads), free.of(tails)
    return head or free.any(), tail or free.any()


def _some_adverb(rng: random.Random) -> str | None:
    return rng.choice(ADVERBS) if rng.random() < 0.3 else None


def _clause(rng: random.Random, fact: Fact, free: _Free) -> list[str]:
    """The words of a clause, with whatever stands beside the point."""
    actor, target = (
        ["the", *([rng.choice(ADJECTIVES)] if rng.random() < 0.4 else []), noun] for noun in (fact.actor, fact.target)
    )
    act = [*([fact.adverb] if fact.adverb else []), fact.verb]
    beside: list[str] = []
    if rng.random() < _DISTRACTOR:
        # Its verb may well have a rule: a place is never an entity.
        rule = free.rule() if rng.random() < 0.3 else None
        beside = [",", "which", rule.verb if rule else free.verb(), "the", rng.choice(PLACES), ","]
    return [*actor, *beside, *act, *target]


def _join(parts: Sequence[str]) -> str:
    text = ""
    for part in parts:
        text += part if part in (",", ".") or not text else f" {part}"
    return text[0].upper() + text[1:]


def gold_of(guideline: Guideline, text: str, facts: Sequence[Fact]) -> Extraction:
    """What a literal reader extracts: every listed noun in order of the text, and the relations clause by clause."""
    nouns = sorted(
        (start, noun) for fact in facts for noun in (fact.actor, fact.target) if (start := _place(text, noun)) >= 0
    )
    listed = {noun for _, noun in nouns}
    nouns += [(start, n) for n in types_of(guideline) if n not in listed and (start := _place(text, n)) >= 0]
    entities = {
        noun: ExtractedEntity(text=noun, type=kind, span=Span(start=start, end=start + len(noun)))
        for start, noun in sorted(nouns)
        if (kind := type_of(guideline, noun)) is not None
    }
    relations = []
    for fact in facts:
        found = relation_under(guideline, fact)
        if found is not None:
            head, kind, tail = found
            relations.append(ExtractedRelation(head=entities[head], type=kind, tail=entities[tail]))
    return Extraction(entities=tuple(entities.values()), relations=tuple(relations))


def _place(text: str, noun: str) -> int:
    """Where the noun stands as a word; -1 if it doesn't. No noun of the world stands at the beginning."""
    at = text.find(f" {noun}")
    while at >= 0:
        end = at + 1 + len(noun)
        if end >= len(text) or not text[end].isalpha():
            return at + 1
        at = text.find(f" {noun}", end)
    return -1


def to_joint_example(
    scene: JointScene, guideline: Guideline, *, example_id: str, split: str, guideline_id: str
) -> Example:
    """The scene as an `Example` of the sub-task `end2end`; what it says is kept in `meta`."""
    gold = gold_of(guideline, scene.text, scene.facts)
    return Example(
        id=example_id,
        text=scene.text,
        guideline=guideline,
        domain=guideline.domain,
        split=split,
        sub_task="end2end",
        extraction=gold,
        meta={
            "case": "+".join(scene.cases),
            "relations": str(len(gold.relations)),
            "_scene": scene.model_dump_json(),
            "guideline_id": guideline_id,
        },
    )
