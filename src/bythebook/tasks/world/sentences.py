"""Sentences about two marked mentions: grammatical nonsense in which one verb relates them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from bythebook.tasks.world.rules import gold_under, rule_for, rules_of
from bythebook.tasks.world.words import ADJECTIVES, ADVERBS, NOUNS, PLACES, TIMES, VERBS
from bythebook.types import Entity, Example, Guideline, Noun, Span

__all__ = ["Case", "Scene", "make_scene", "scene_of", "to_example"]

Case = Literal["plain", "exception", "exception_not_fired", "no_rule"]

_NO_RULE = 0.15
_INVERTED = 0.3
_DISTRACTOR = 0.5
_APART = 0.35


class Scene(Noun):
    """What a sentence says. `text` carries `<e1>…</e1>` and `<e2>…</e2>`; `verb` is the one that relates them."""

    text: str
    verb: str
    adverb: str | None
    inverted: bool
    """Whether e2 does it to e1."""
    between: bool
    """Whether the verb stands between the two mentions."""
    case: Case


def _case(rng: random.Random, guideline: Guideline) -> tuple[Case, str, str | None]:
    """Draw case, verb and adverb."""
    own = rules_of(guideline)
    if rng.random() < _NO_RULE:
        used = {r.verb for r in own}
        verb = rng.choice([v for v in VERBS if v not in used])
        return "no_rule", verb, rng.choice(ADVERBS) if rng.random() < 0.4 else None
    relation = rng.choice(sorted({r.name for r in own}))
    rule = rng.choice([r for r in own if r.name == relation])
    if rule.exception is None:
        return "plain", rule.verb, rng.choice(ADVERBS) if rng.random() < 0.3 else None
    draw = rng.random()
    if draw < 0.5:
        return "exception", rule.verb, rule.exception
    other = rng.choice([a for a in ADVERBS if a != rule.exception])
    return "exception_not_fired", rule.verb, other if draw < 0.75 else None


def _join(parts: Sequence[str]) -> str:
    text = ""
    for part in parts:
        text += part if part in (",", ":", ".") or not text else f" {part}"
    return text[0].upper() + text[1:]


def _distractor(rng: random.Random, guideline: Guideline, verb: str) -> tuple[list[str], str]:
    """A clause about something else, whose verb no rule mentions, and where it goes."""
    if rng.random() >= _DISTRACTOR:
        return [], "nowhere"
    free = [v for v in VERBS if v != verb and rule_for(guideline, v) is None]
    clause = [rng.choice(free), rng.choice(("the", "a")), rng.choice(PLACES)]
    draw = rng.random()
    return clause, "before" if draw < 0.25 else "middle" if draw < 0.65 else "after"


def make_scene(rng: random.Random, guideline: Guideline) -> Scene:
    """One sentence to annotate under `guideline`."""
    case, verb, adverb = _case(rng, guideline)
    clause, place = _distractor(rng, guideline, verb)
    before: list[str] = []
    if place == "before":
        before = ["while", clause[1], rng.choice(PLACES), clause[0], "the", clause[2], ","]
    middle = [",", "which", *clause, ","] if place == "middle" else []
    after = [",", "which", *clause] if place == "after" else []

    def adjective() -> list[str]:
        return [rng.choice(ADJECTIVES)] if rng.random() < 0.5 else []

    first, second = rng.sample(NOUNS, 2)
    np1 = [rng.choice(("the", "this", "one")), *adjective(), f"<e1>{first}</e1>"]
    np2 = ["the", *adjective(), f"<e2>{second}</e2>"]
    inner: list[str] = []
    late: list[str] = []
    if adverb is not None:
        if rng.random() < 2 / 3:
            inner = [adverb]
        else:
            late = [",", adverb]
    time = [rng.choice(TIMES)] if rng.random() < 0.4 else []
    inverted = rng.random() < _INVERTED
    between = not inverted and rng.random() >= _APART
    act = [*inner, verb]
    if inverted and rng.random() < 0.5:
        more = ["and", *clause] if clause and not before else []
        body = [*np1, ",", "which", *np2, *act, ",", "is", rng.choice(ADJECTIVES), *more, *time]
    elif inverted:
        body = [*np1, *middle, "is", "what", *np2, *act, *after, *time]
    elif between:
        body = [*np1, *middle, *act, *np2, *after, *time]
    elif rng.random() < 0.6:
        body = [*np1, *middle, "and", *np2, *after, ":", "one", *act, "the", "other", *time]
    else:
        body = ["what", *act, "what", ":", *np1, *(middle or [","]), *np2, *after, *time]
    text = _join([*before, *body, *late, "."])
    return Scene(text=text, verb=verb, adverb=adverb, inverted=inverted, between=between, case=case)


def to_example(scene: Scene, guideline: Guideline, *, example_id: str, split: str, guideline_id: str) -> Example:
    """The scene as an `Example`; what it says is kept in `meta`, so that gold can be asked for again after an edit."""
    text, entities = scene.text, []
    for name in ("e1", "e2"):
        start = text.index(f"<{name}>")
        text = text.replace(f"<{name}>", "", 1)
        end = text.index(f"</{name}>")
        text = text.replace(f"</{name}>", "", 1)
        entities.append(Entity(id=name, span=Span(start=start, end=end)))
    return Example(
        id=example_id,
        text=text,
        entities=tuple(entities),
        gold=gold_under(guideline, scene.verb, scene.adverb, scene.inverted),
        guideline=guideline,
        domain=guideline.domain,
        split=split,
        meta={
            "verb": scene.verb,
            "adverb": scene.adverb or "",
            "inverted": str(scene.inverted).lower(),
            "between": str(scene.between).lower(),
            "case": scene.case,
            "guideline_id": guideline_id,
        },
    )


def scene_of(example: Example) -> tuple[str, str | None, bool]:
    """(verb, adverb or None, inverted) of an example of this world. KeyError for an example from elsewhere."""
    return example.meta["verb"], example.meta["adverb"] or None, example.meta["inverted"] == "true"
