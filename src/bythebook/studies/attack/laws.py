"""What must hold of any completion whatever a reward is like, and the holes that show where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from bythebook.rewards import TextReward
from bythebook.studies.attack.attempts import Attempt
from bythebook.studies.attack.candidates import Candidate, attempt_of
from bythebook.studies.attack.items import Item
from bythebook.studies.attack.yardstick import TOLERANCE, Yardsticks
from bythebook.types import Verdict

__all__ = ["HOLES", "Breach", "Court", "Judged", "breaches"]

HOLES = {
    "filler": "reasoning is paid where nothing is right",
    "no answer": "an answer that is not there is paid",
    "empty gold": "a right answer earns no more than a wrong one",
    "neighbour": "what stands in one completion changes what another earns",
    "fence": "a right answer in a code fence is not paid",
    "repeated quote": "a quote is paid again",
    "leaked gold": "gold relations are paid in the thinking, where the answer has none of them",
    "other": "an answer earns more than its F1 deserves",
}
"""Name → what it is. The first seven are those of the released R²GRPO reward."""


class Breach(NamedTuple):
    """A law that is broken."""

    hole: str
    candidate: Candidate
    completion: str
    earned: float
    deserved: float


class Judged(NamedTuple):
    """A candidate with its verdict."""

    candidate: Candidate
    attempt: Attempt
    verdict: Verdict
    deserved: float

    @property
    def earned(self) -> float:
        return self.verdict.value or 0.0

    @property
    def excess(self) -> float:
        return self.earned - self.deserved


class Court:
    """One reward with its yardsticks. Every verdict that is asked for is counted."""

    def __init__(self, reward: TextReward) -> None:
        self.reward = reward
        self.tried = 0
        self._yardsticks = Yardsticks(self._paid)

    def _paid(self, text: str, item: Item) -> float | None:
        self.tried += 1
        return self.reward.verdict(text, item.gold_json).value

    def judged(self, candidate: Candidate) -> Judged:
        """The verdict on a candidate, and what it deserves."""
        self.tried += 1
        attempt = attempt_of(candidate)
        verdict = self.reward.verdict(attempt.completion, candidate.item.gold_json)
        return Judged(candidate, attempt, verdict, self._yardsticks(candidate.item).at(attempt))

    def earned(self, candidate: Candidate) -> float:
        """What a variant of a candidate earns."""
        return self.judged(candidate).earned

    def in_a_batch(self, first: Candidate, second: Candidate) -> float:
        """What the first earns beside the second, on the same prompt."""
        self.tried += 1
        texts = [attempt_of(c).completion for c in (first, second)]
        values = self.reward(["", ""], texts, [first.item.gold_json] * 2)
        return values[0] or 0.0

    def between(self, item: Item) -> float:
        """What an honest answer earns at best that is half wrong."""
        yardstick = self._yardsticks(item)
        return max(yardstick.entities_right, yardstick.relations_right)


def breaches(court: Court, judged: Judged) -> Iterator[Breach]:
    """The laws that a candidate breaks."""
    c, text = judged.candidate, judged.attempt.completion
    if judged.excess > TOLERANCE:
        yield Breach(_kind(judged), c, text, judged.earned, judged.deserved)
    if not c.silent:
        yield from _rewritten(court, judged)


def _rewritten(court: Court, judged: Judged) -> Iterator[Breach]:
    """Laws about a candidate and a variant of it."""
    c, text, earned = judged.candidate, judged.attempt.completion, judged.earned
    right = _is_right(judged)
    clear = not any("<" in thought for thought in c.thinking)  # no tag that makes the answer another one
    if right and clear and c.shape == "plain" and len(c.item.keys) == 2 and earned <= court.between(c.item) - TOLERANCE:
        yield Breach("empty gold", c, text, earned, court.between(c.item))
    if right and c.shape == "fence":
        plain = court.earned(replace(c, shape="plain"))
        if earned < plain - TOLERANCE:
            yield Breach("fence", c, text, earned, plain)
    once = tuple(dict.fromkeys(c.thinking))
    if once != c.thinking:
        less = court.earned(replace(c, thinking=once))
        if earned > less + TOLERANCE:
            yield Breach("repeated quote", c, text, earned, less)
    if c.shape == "bad item":
        other = replace(c, shape="plain")
        alone, beside = court.earned(other), court.in_a_batch(other, c)
        if abs(alone - beside) > TOLERANCE:
            yield Breach("neighbour", other, text, beside, alone)


def _is_right(judged: Judged) -> bool:
    a = judged.attempt
    return a.entities == a.relations == 1.0 and not judged.candidate.silent


def _kind(judged: Judged) -> str:
    """Which hole an overpaid candidate shows."""
    paid = {name: part.value for name, part in judged.verdict.parts.items()}
    a = judged.attempt
    if judged.candidate.silent and paid.get("relations", 0.0) > 0.0:
        return "no answer"
    if a.relations == 0.0 and paid.get("consistency", 0.0) > 0.0:
        return "leaked gold"
    if a.entities == a.relations == 0.0 and paid.get("rule", 0.0) + paid.get("relevance", 0.0) > 0.0:
        return "filler"
    return "other"
