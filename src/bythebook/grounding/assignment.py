"""Which occurrence each item means: a monotone assignment.

Whoever lists the mentions of a text lists them in its order, or in a few runs each in its order (one run a type). So
the items take, in the order of the answer, places that go forward; each step back costs `STEP_BACK`. An occurrence
inside an occurrence of a longer mention of the answer costs `NESTED`, one that is joined to a word by a hyphen
`HYPHENATED`, and one that another item of the answer has already costs `TAKEN`. Among equals the earliest is taken.

The cheapest sequence is found by dynamic programming, whose time is linear in the number of occurrences: the best
predecessor in front of an occurrence is a running minimum.
"""

from __future__ import annotations

from collections.abc import Sequence

from bythebook.grounding.occurrences import JOINED, Occurrence

__all__ = ["HYPHENATED", "NESTED", "STEP_BACK", "TAKEN", "assign"]

STEP_BACK = 1.0
NESTED = 0.6
HYPHENATED = 0.4
TAKEN = 1.5
_ALL_EARLIEST = 0.01
"""What the places of all items together may cost for standing late in the source."""
_ROUNDS = 4


def assign(items: Sequence[Sequence[Occurrence]], length: int) -> list[int]:
    """The index of each item's occurrence. Every item has one at least, sorted by start; `length` is the source's."""
    late = _ALL_EARLIEST / max(1, len(items)) / max(1, length)
    nested = _nested(items)
    costs = [
        [
            late * place.start + (NESTED if place[:2] in nested else 0) + (HYPHENATED if place.cut == JOINED else 0)
            for place in places
        ]
        for places in items
    ]
    chosen = _cheapest(items, costs)
    for _ in range(_ROUNDS):
        if not _charge_for_taken(items, costs, chosen):
            break
        chosen = _cheapest(items, costs)
    return chosen


def _nested(items: Sequence[Sequence[Occurrence]]) -> set[tuple[int, int]]:
    """The occurrences that lie inside a longer one of another item."""
    places = sorted({(-place.end, place.start) for item in items for place in item}, key=lambda p: (p[1], p[0]))
    inside: set[tuple[int, int]] = set()
    reach = -1
    for negative_end, start in places:
        if -negative_end <= reach:
            inside.add((start, -negative_end))
        reach = max(reach, -negative_end)
    return inside


def _cheapest(items: Sequence[Sequence[Occurrence]], costs: Sequence[Sequence[float]]) -> list[int]:
    """Dynamic programming over the items in order; the state is the occurrence of the last one."""
    if not items:
        return []
    totals = list(costs[0])
    back: list[list[int]] = []
    for number in range(1, len(items)):
        totals, from_where = _step(items[number - 1], totals, items[number], costs[number])
        back.append(from_where)
    at = min(range(len(totals)), key=totals.__getitem__)
    chosen = [at]
    for from_where in reversed(back):
        at = from_where[at]
        chosen.append(at)
    return chosen[::-1]


def _step(
    before: Sequence[Occurrence], totals: Sequence[float], places: Sequence[Occurrence], costs: Sequence[float]
) -> tuple[list[float], list[int]]:
    """The totals of the next item, and the occurrence of the item before that each comes from."""
    lowest = min(range(len(totals)), key=totals.__getitem__)
    same = before == places  # the same mention twice: the second stands behind the first
    out: list[float] = []
    from_where: list[int] = []
    best, ahead = -1, 0
    for place, cost in zip(places, costs, strict=True):
        while ahead < len(before) and (
            before[ahead].start < place.start or (before[ahead].start == place.start and not same)
        ):
            if best < 0 or totals[ahead] < totals[best]:
                best = ahead
            ahead += 1
        if best >= 0 and totals[best] <= totals[lowest] + STEP_BACK:
            out.append(totals[best] + cost)
            from_where.append(best)
        else:
            out.append(totals[lowest] + STEP_BACK + cost)
            from_where.append(lowest)
    return out, from_where


def _charge_for_taken(items: Sequence[Sequence[Occurrence]], costs: list[list[float]], chosen: Sequence[int]) -> bool:
    """Where items have taken the same place though one of them has another, it gets dearer for all but the one with
    the fewest. Whether that was so."""
    takers: dict[tuple[int, int], list[int]] = {}
    for number, at in enumerate(chosen):
        takers.setdefault(items[number][at][:2], []).append(number)
    charged = False
    for place in [place for place, numbers in takers.items() if len(numbers) > 1]:
        for number in sorted(takers[place], key=lambda number: (len(items[number]), number))[1:]:
            if any(p[:2] not in takers for p in items[number]):
                costs[number][chosen[number]] += TAKEN
                charged = True
    return charged
