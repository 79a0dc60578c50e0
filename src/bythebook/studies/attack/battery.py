"""Every trick against every reward: what each earned, and what an honest answer of the same F1 earns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from bythebook.errors import RecipeError
from bythebook.hardware import has_simulator
from bythebook.rewards import FAITHFUL, REWARDS, TextReward, reward, rewards_for
from bythebook.rewards.registry import SCORERS
from bythebook.studies.attack import answer_tricks, circuit_tricks, key_value_tricks, label_tricks, table_tricks
from bythebook.studies.attack.attempts import Attempt, Trick
from bythebook.studies.attack.items import ITEMS, Item
from bythebook.studies.attack.outcome import Outcome, Play
from bythebook.studies.attack.tricks import TRICKS
from bythebook.studies.attack.weakened import WEAKENED, Weakened
from bythebook.studies.attack.yardstick import TOLERANCE, Yardsticks

__all__ = ["BLIND", "attack", "attacked", "counted_by", "extraction_tricks", "play", "play_trick", "summary"]

BLIND = ("format_only", "random")
"""Controls that never look at the gold: every trick pays there, as it should."""


def attacked(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The rewards to attack: those named, or all that look at the gold, of circuits where there is a simulator.
    RecipeError for one that does not, or that there is not."""
    for name in names:
        if name not in REWARDS:
            raise RecipeError(f"there is no reward {name!r}", remedy=f"choose one of {', '.join(REWARDS)}")
        if name in BLIND:
            remedy = "attack one that does"
            raise RecipeError(f"the reward {name!r} never looks at the gold: every trick pays", remedy=remedy)
    left_out = BLIND if has_simulator() else (*BLIND, *rewards_for("circuit"))
    return tuple(dict.fromkeys(names)) or tuple(name for name in REWARDS if name not in left_out)


def extraction_tricks() -> tuple[str, ...]:
    """The names of the tricks on extraction."""
    return tuple(trick.__name__ for trick in TRICKS)


def attack(names: Sequence[str] = (), progress: Callable[[str], None] | None = None) -> list[Outcome]:
    """Play every trick that fits on every reward: see `attacked`. One outcome for each pair."""
    outcomes = []
    for name in attacked(names):
        if progress:
            progress(name)
        outcomes += list(play(name))
    return outcomes


def play(name: str) -> Iterator[Outcome]:
    """Every trick on one reward."""
    judge = reward(name)
    if name in rewards_for("label"):
        yield from (label_tricks.played(trick, judge) for trick in label_tricks.TRICKS)
    if name in rewards_for("answer"):
        yield from (answer_tricks.played_on_reward(trick, judge) for trick in answer_tricks.TRICKS)
    if name in rewards_for("key_values"):
        yield from (key_value_tricks.played(trick, judge) for trick in key_value_tricks.TRICKS)
    if name in rewards_for("table"):
        yield from (table_tricks.played(trick, judge) for trick in table_tricks.TRICKS)
    if name in rewards_for("circuit"):
        yield from (circuit_tricks.played(trick, judge) for trick in circuit_tricks.TRICKS)
    if name in rewards_for("extraction"):
        yardsticks = Yardsticks(partial(_paid, judge))
        yield from (play_trick(trick, judge, yardsticks) for trick in TRICKS)


def play_trick(trick: Trick, judge: TextReward, yardsticks: Yardsticks | None = None) -> Outcome:
    """One trick on one reward, on every item. `yardsticks` are the reward's, worked out here if there are none."""
    yardsticks = yardsticks or Yardsticks(partial(_paid, judge))

    def plays() -> Iterator[Play]:
        for item in ITEMS:
            deserved = yardsticks(item)
            for attempt in trick(item):
                verdict = judge.verdict(attempt.completion, item.gold_json)
                wrongly = verdict.correct and not _is_right(attempt, item)
                yield Play(attempt.completion, verdict.value, deserved.at(attempt), wrongly)

    return Outcome.of(judge.name, trick.__name__, plays())


def _paid(judge: TextReward, text: str, item: Item) -> float | None:
    return judge.verdict(text, item.gold_json).value


def _is_right(attempt: Attempt, item: Item) -> bool:
    return ("ner" not in item.keys or attempt.entities == 1.0) and ("rel" not in item.keys or attempt.relations == 1.0)


def counted_by(trick: Trick, weakened: Iterable[Weakened] = WEAKENED) -> list[str]:
    """The weakened rewards that pay a trick more than an honest answer of its F1. A trick on none of them is none."""
    attempts = [(attempt, item) for item in ITEMS for attempt in trick(item)]
    return [
        weak.__name__
        for weak in weakened
        if any(weak(a.completion, item) > _yardsticks_of(weak)(item).at(a) + TOLERANCE for a, item in attempts)
    ]


@cache
def _yardsticks_of(weak: Weakened) -> Yardsticks:
    return Yardsticks(weak)


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The contract of `bythebook attack --json`: published originals, which are known to be overpaid, stand apart."""
    originals = {*FAITHFUL.values(), *SCORERS}
    ours = [o for o in outcomes if o.reward not in originals]
    controls = [o for o in outcomes if o.reward in originals]
    return {
        "rewards": len({o.reward for o in ours}),
        "tricks": len({o.trick for o in outcomes}),
        "tried": sum(o.tried for o in outcomes),
        "overpaid": [o.report() for o in ours if o.overpaid],
        "faithful": {
            "rewards": len({o.reward for o in controls}),
            "overpaid": [o.report() for o in controls if o.overpaid],
        },
    }
