"""What an answer of some F1 deserves by a reward: what honest annotators earn from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bythebook.studies.attack.attempts import Attempt, honest
from bythebook.studies.attack.items import Item

__all__ = ["TOLERANCE", "Deserved", "Yardsticks", "deserved_by"]

TOLERANCE = 1e-9


class Deserved(NamedTuple):
    """What four honest completions earn on one item, and what is between them."""

    nothing_right: float
    entities_right: float
    relations_right: float
    all_right: float

    def at(self, attempt: Attempt) -> float:
        """What an answer of the attempt's two F1s deserves: linear in each of them between the four."""
        e, r = attempt.entities, attempt.relations
        return (
            (1 - e) * (1 - r) * self.nothing_right
            + e * (1 - r) * self.entities_right
            + (1 - e) * r * self.relations_right
            + e * r * self.all_right
        )


def deserved_by(pay: Callable[[str], float | None], item: Item) -> Deserved:
    """The yardstick of a reward on an item. `pay` is what a completion earns; what can't be scored counts as 0."""
    corners = ((False, False), (True, False), (False, True), (True, True))
    return Deserved(*(pay(honest(item, *corner)) or 0.0 for corner in corners))


class Yardsticks:
    """The yardsticks of one reward, each worked out when it is first asked for."""

    def __init__(self, pay: Callable[[str, Item], float | None]) -> None:
        self._pay = pay
        self._known: dict[str, Deserved] = {}

    def __call__(self, item: Item) -> Deserved:
        if item.name not in self._known:
            self._known[item.name] = deserved_by(lambda text: self._pay(text, item), item)
        return self._known[item.name]
