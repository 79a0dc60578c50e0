"""Records in windows of training steps, and means with an interval over prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bythebook import stats
from bythebook.records import Record
from bythebook.types import Noun

__all__ = ["Estimated", "Window", "mean_over_prompts", "windows_of"]


class Window(NamedTuple):
    """Records of neighbouring steps; `steps` are the first and the last one, None for records of no step."""

    steps: tuple[int, int] | None
    records: list[Record]


class Estimated(Noun):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


def windows_of(records: Sequence[Record], number: int) -> list[Window]:
    """Records without a step first, then at most `number` windows of equally many steps (the last may have fewer)."""
    without = [r for r in records if r.step is None]
    found = [Window(None, without)] if without else []
    stepped = [(r.step, r) for r in records if r.step is not None]
    if not stepped:
        return found
    first, last = min(step for step, _ in stepped), max(step for step, _ in stepped)
    width = -(-(last - first + 1) // number)
    parts: dict[int, list[Record]] = {}
    for step, record in stepped:
        parts.setdefault((step - first) // width, []).append(record)
    for part in sorted(parts):
        start = first + part * width
        found.append(Window((start, min(start + width - 1, last)), parts[part]))
    return found


def mean_over_prompts(values: Sequence[float], records: Sequence[Record]) -> Estimated | None:
    """The mean of one value a record, with a bootstrap interval in which whole prompts are drawn: the rollouts of a
    prompt are not independent. None without records."""
    prompts = [r.id for r in records]
    found = stats.paired_bootstrap(values, [0.0] * len(values), ["all"] * len(values), prompts)
    return Estimated(mean=found.difference, low=found.low, high=found.high) if found else None
