"""Annotators of joint extraction, as text: what the warm start imitates.

careful   looks every noun up, then every verb; checks the exception, who is head, and the type signature
hasty     looks up, and skips exception and signature
guessing  takes any listed noun for an entity of any type, and any two of them for related
"""

from __future__ import annotations

import random
from typing import Literal

from bythebook.schema import ExtractionSchema
from bythebook.tasks.world.joint_rules import Fact, relation_under, type_of
from bythebook.tasks.world.joint_sentences import JointScene
from bythebook.tasks.world.rules import Rule, rule_for
from bythebook.tasks.world.words import NOUNS
from bythebook.types import Example, ExtractedEntity, ExtractedRelation, Extraction, Guideline

__all__ = ["JointAnnotator", "annotate_jointly", "draw_joint_annotator", "scene_in"]

JointAnnotator = Literal["careful", "hasty", "guessing"]
JOINT_SHARES: dict[JointAnnotator, float] = {"careful": 0.36, "hasty": 0.44, "guessing": 0.20}
"""Our choice: those of relation classification."""
_NOUNS = frozenset(NOUNS)


def scene_in(example: Example) -> JointScene:
    """What the sentence of an example of this world says. KeyError for an example from elsewhere."""
    return JointScene.model_validate_json(example.meta["_scene"])


def draw_joint_annotator(rng: random.Random) -> JointAnnotator:
    """One annotator of the mixed staff."""
    return rng.choices(list(JOINT_SHARES), weights=list(JOINT_SHARES.values()))[0]


def annotate_jointly(annotator: JointAnnotator, example: Example, rng: random.Random) -> str:
    """The completion this annotator writes for an example of the sub-task `end2end`. `rng` decides the guesses."""
    guideline, facts = example.guideline, scene_in(example).facts
    if annotator == "guessing":
        thinking, answer = "guess", _guessed(example, rng)
    else:
        careful = annotator == "careful"
        entities = {n: ExtractedEntity(text=n, type=t) for n in _nouns_of(example.text) if (t := type_of(guideline, n))}
        steps = [f"{noun} {type_of(guideline, noun) or 'none'}" for noun in _nouns_of(example.text)]
        relations = []
        for fact in facts:
            step, found = _read(guideline, fact, careful=careful)
            steps.append(step)
            if found is not None and found[0] in entities and found[2] in entities:
                relations.append(ExtractedRelation(head=entities[found[0]], type=found[1], tail=entities[found[2]]))
        thinking = "; ".join(steps)
        answer = Extraction(entities=tuple(entities.values()), relations=tuple(relations))
    written = ExtractionSchema.of(guideline).write(answer, example.sub_task)
    return f"<think> {thinking}</think><answer>{written}</answer>"


def _nouns_of(text: str) -> list[str]:
    """The nouns of the world in a text, in order."""
    words = (word.strip(".,") for word in text.split())
    return [word for word in words if word in _NOUNS]


def _read(guideline: Guideline, fact: Fact, *, careful: bool) -> tuple[str, tuple[str, str, str] | None]:
    """(what the annotator notes of a clause, the relation that they find)"""
    rule = rule_for(guideline, fact.verb)
    if rule is None:
        return f"{fact.verb} no rule", None
    head, tail = _arguments(rule, fact)
    note = f"{fact.verb} {rule.name}{rule.direction}"
    if not careful:
        return f"{note} {head} {tail}", (head, rule.name, tail)
    if rule.exception is not None:
        fires = rule.exception == fact.adverb
        note += f" unless {rule.exception}, saw {fact.adverb or 'none'} {'yes' if fires else 'no'}"
        if fires:
            return note, None
    found = relation_under(guideline, fact)
    relation = guideline.relation(rule.name)
    note += f" {head} {tail}"
    if relation is not None and (relation.head_types or relation.tail_types):
        types = [type_of(guideline, noun) or "none" for noun in (head, tail)]
        note += f", {types[0]} {types[1]} {'no' if found is None else 'yes'}"
    return note, found


def _arguments(rule: Rule, fact: Fact) -> tuple[str, str]:
    """(head, tail) as the rule has them."""
    return (fact.actor, fact.target) if rule.direction == "(e1,e2)" else (fact.target, fact.actor)


def _guessed(example: Example, rng: random.Random) -> Extraction:
    guideline = example.guideline
    entities = [
        ExtractedEntity(text=noun, type=rng.choice(guideline.entity_types).name) for noun in _nouns_of(example.text)
    ]
    relations: list[ExtractedRelation] = []
    if len(entities) > 1:
        head, tail = rng.sample(entities, 2)
        relations.append(ExtractedRelation(head=head, type=rng.choice(guideline.relation_types).name, tail=tail))
    return Extraction(entities=tuple(entities), relations=tuple(relations))
