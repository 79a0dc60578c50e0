"""Whether a description states an atomic fact of what is seen, and whether it says something that can't be true beside
it: colour, shape, size, cell, number, relation. The rule judge of the visual perception reward.

A fact is a sentence of its own (`b2 is red`, `the circle is at b2`, `there are two red circles`, `the circle is left of
the square`), read by the same grammar as the description (`visual_claims`), which knows nothing of how scenes are
written. A cell holds one thing, a thing has one colour, shape, size and cell, and `the circle` is the only one. Total,
in time linear in the texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bythebook.metrics.visual_claims import Claim, Pair, claims_of

__all__ = ["Finding", "facts_in", "finding_of", "perceived"]


class Finding(NamedTuple):
    """What a description says of one fact. Both may hold: it says the fact and its contrary."""

    stated: bool
    contradicted: bool

    @property
    def seen(self) -> bool:
        """Stated, and nothing to the contrary."""
        return self.stated and not self.contradicted


def facts_in(description: str, facts: Sequence[str]) -> list[Finding | None]:
    """The finding on each fact, in their order; None for a fact that can't be read as one."""
    said = claims_of(description)
    return [finding_of(said, fact) for fact in facts]


def perceived(description: str, facts: Sequence[str]) -> bool | None:
    """Whether every fact is stated and none contradicted: the yes or no of an item. None without facts, and where one
    can't be read."""
    found = facts_in(description, facts)
    known = [one for one in found if one is not None]
    return all(one.seen for one in known) if found and len(known) == len(found) else None


def finding_of(said: Sequence[Claim], fact: str) -> Finding | None:
    """The finding on one fact in what is said (`claims_of` a description); None if it is none: a sentence of which
    nothing can be read, a denial, or one with two values of one kind."""
    wanted = _read(fact)
    if not wanted:
        return None
    stated = all(any(_states(one, claim) for one in said) for claim in wanted)
    return Finding(stated, any(_contradicts(one, claim) for one in said for claim in wanted))


@lru_cache(maxsize=4_096)
def _read(fact: str) -> tuple[Claim, ...]:
    """What a fact claims; empty if it is no fact."""
    found = claims_of(fact)
    counted = [claim for claim in found if claim.kind == "count"]
    if counted:  # `there are two circles` is more than that there is a circle
        return tuple(counted) if len({claim.value for claim in counted}) == 1 else ()
    plain = all(c.kind in ("thing", "relation") and _single(c.about) and _single(c.other) for c in found)
    about = [claim for claim in found if claim.kind == "relation"] or found
    return tuple(about) if plain else ()


def _single(pairs: frozenset[Pair]) -> bool:
    return len({kind for kind, _ in pairs}) == len(pairs)


def _states(said: Claim, fact: Claim) -> bool:
    """Whether what is said implies the fact: more about a thing may be said, another number of them may not."""
    if said.kind != fact.kind or said.value != fact.value:
        return False
    if fact.kind == "count":
        return said.about == fact.about
    return fact.about <= said.about and fact.other <= said.other


def _contradicts(said: Claim, fact: Claim) -> bool:
    """Whether the two can't both be true."""
    if fact.kind == "count":
        return said.kind == "count" and said.about == fact.about and said.value != fact.value
    if fact.kind == "relation":
        turned = said.kind == "relation" and fact.other <= said.about and fact.about <= said.other
        denied = said.kind == "apart" and fact.about <= said.about and fact.other <= said.other
        return (turned or denied) and said.value == fact.value
    if said.kind == "denied":
        both = said.about | said.other
        return both <= fact.about or (bool(said.about) and said.about <= fact.about and bool(said.other & fact.about))
    if said.kind == "count":
        return said.value == "0" and bool(said.about) and said.about <= fact.about
    return said.kind == "thing" and any(_differs(said.about, fact.about, key) for key in _keys(fact))


def _keys(fact: Claim) -> list[frozenset[Pair]]:
    """What tells the thing of a fact from all others: its cell; what it is called where it is the only one."""
    cell = frozenset(pair for pair in fact.about if pair[0] == "cell")
    return [key for key in (cell, fact.subject) if key]


def _differs(said: frozenset[Pair], true: frozenset[Pair], key: frozenset[Pair]) -> bool:
    """Whether something else is said of the thing that `key` names."""
    known = dict(true - key)
    return key <= said and any(known.get(kind, value) != value for kind, value in said)
