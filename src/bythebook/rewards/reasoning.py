"""Whether the thinking of an extraction supports its answer: quotes and rules, item by item.

Nothing is paid for words as such. A quote counts only for a right entity that it holds, a rule only for a right
relation that the same step of the thinking names together with its head and its tail; each item counts once. So what
can be gained is bounded by what is right in the answer, and a thinking that says more than the answer loses.

A step is a line, or a sentence of one. Time is linear in the thinking times the items of the *gold*: only items that
are right are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bythebook.types import ExtractedEntity, ExtractedRelation

__all__ = ["NO_RELATION", "Rule", "Step", "quotes_of", "steps_of", "supported_entities", "supporting_steps"]

NO_RELATION = "no relation"
"""What a step says where there is none, as in the release."""
MAX_STEPS = 512
"""Steps of a thinking that are read, and quotes: more than an honest one has."""

_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^“”\n]+)”|(?<!\w)'([^'\n]+)'(?!\w)")
_STEP_END = re.compile(r"\n|(?<=[.;!?])(?<!\d\.)[ \t]+")
_MARKER = re.compile(r"[ \t]*(?:step[ \t]*\d{1,3}\b|\d{1,3}[.)]|\(?[a-z]\)|[-•*][ \t])", re.IGNORECASE)
_INFERS = re.compile(
    r"\b(?:impl(?:y|ies)|suggests?|because|maps to|indicates?|therefore|hence|thus|consequently|leads to)\b",
    re.IGNORECASE,
)
_PATTERN = re.compile(r"\b(?:pattern|rule)\b", re.IGNORECASE)
_STATES = re.compile(r"\b(?:impl(?:y|ies)|suggests?|indicates?|means?|defines?)\b", re.IGNORECASE)
_EXPLAINS = re.compile(r"\b(?:because|due to|as)\b", re.IGNORECASE)
_SPACES = re.compile(r"\s+")


class Rule(NamedTuple):
    """What a step says of the way from the text to a relation."""

    infers: bool
    """It draws a conclusion: implies, because, therefore, …"""
    states: bool
    """It states a pattern or a rule and what follows from it."""
    explains: bool
    """It gives a reason: because, due to, as."""
    numbered: bool
    """It is marked as a step: `1.`, `Step 1`, `-`."""


class Step(NamedTuple):
    """One step of the thinking, read once."""

    text: str
    """In lower case, white space normalised."""
    relations: frozenset[str]
    """Names of relations that it says, in lower case."""
    denies: bool
    """Whether it says that there is no relation."""
    rule: Rule


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip().lower()


@lru_cache(maxsize=1_024)
def _names(relations: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the names, not as a part of a longer word or name."""
    longest_first = sorted((_plain(name) for name in relations), key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")


def steps_of(thinking: str, relations: Sequence[str]) -> list[Step]:
    """The steps that name a relation of the guideline or deny one, in order."""
    found, names = [], _names(tuple(relations))
    for piece in _STEP_END.split(thinking)[:MAX_STEPS]:
        text = _plain(piece)
        said, denies = frozenset(names.findall(text)), NO_RELATION in text
        if said or denies:
            found.append(Step(text, said, denies, _rule(piece, text)))
    return found


def _rule(piece: str, text: str) -> Rule:
    pattern = _PATTERN.search(text)
    return Rule(
        infers=_INFERS.search(text) is not None,
        states=pattern is not None and _STATES.search(text, pattern.end()) is not None,
        explains=_EXPLAINS.search(text) is not None,
        numbered=_MARKER.match(piece) is not None,
    )


def supporting_steps(steps: Sequence[Step], relations: Sequence[ExtractedRelation]) -> list[Step]:
    """For each relation that a step supports, that step; no step supports two, and none that names several kinds."""
    free = list({step.text: step for step in steps if len(step.relations) == 1}.values())
    found = []
    for relation in relations:
        name, head, tail = (_plain(x) for x in (relation.type, relation.head.text, relation.tail.text))
        wanted = [s for s in free if name in s.relations and head in s.text and tail in s.text]
        if wanted:
            best = max(wanted, key=lambda step: sum(step.rule))
            found.append(best)
            free = [step for step in free if step is not best]
    return found


def quotes_of(thinking: str, source: str) -> list[str]:
    """The distinct passages in quotation marks that stand in the source; letter case and white space normalised."""
    whole = _plain(source)
    found = dict.fromkeys(_plain(next(filter(None, groups))) for groups in _QUOTED.findall(thinking)[:MAX_STEPS])
    return [quote for quote in found if quote and quote in whole]


def supported_entities(quotes: Sequence[str], entities: Sequence[ExtractedEntity], source: str, longest: float) -> int:
    """How many entities a quote holds that is the mention alone or no longer than `longest`, a share of the source's
    characters: a longer one says nothing of where to look."""
    room = longest * len(_plain(source))
    count = 0
    for entity in entities:
        mention = _plain(entity.text)
        count += any(mention in quote and (len(quote) <= room or quote == mention) for quote in quotes)
    return count
