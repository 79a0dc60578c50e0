"""Whether training changed what a model gets right, item by item: records before and after, and McNemar's test."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from bythebook.errors import DataError
from bythebook.metrics.visual_facts import perceived
from bythebook.parsing.blocks import read_blocks
from bythebook.parsing.tag_sets import TAG_SETS
from bythebook.records import Record
from bythebook.stats.mcnemar import McNemar, mcnemar

__all__ = ["Measure", "answered", "changed", "described"]

Measure = Callable[[Record], bool | None]
"""Yes or no of a record; None where it can't be said."""


def answered(record: Record) -> bool | None:
    """Whether the answer is right; None where there is no gold."""
    return record.correct


def described(record: Record, *, prefilled: bool = False) -> bool | None:
    """Whether the thinking states every annotation of the example and contradicts none, by the rule of the perception
    reward. None where the record keeps no completion, its generation failed, or the example has no annotations.
    `prefilled`: completions begin inside the thinking. DataError for annotations that are no list of texts."""
    if record.completion is None or record.finish_reason == "error":
        return None
    try:
        facts = json.loads(record.tags.get("annotations", "[]"))
    except ValueError:
        facts = None
    if not isinstance(facts, list) or not all(isinstance(fact, str) for fact in facts):
        raise DataError(f"the annotations of record {record.id!r} are no list of texts")
    thinking, _ = read_blocks(record.completion, TAG_SETS["think"], prefilled=prefilled).thinking()
    return perceived(thinking or "", facts)


def changed(before: Sequence[Record], after: Sequence[Record], measure: Measure = answered) -> McNemar | None:
    """The exact test on records of the same samples of the same examples, before and after: paired by id and sample.

    What only one side has, and what the measure can't tell on either, is left out; None where no pair is left, or none
    changed. DataError where a side has a sample of an example twice.
    """
    first, second = _measured(before, measure), _measured(after, measure)
    pairs = [(was, now) for key, was in first.items() if was is not None and (now := second.get(key)) is not None]
    return mcnemar([was for was, _ in pairs], [now for _, now in pairs])


def _measured(records: Sequence[Record], measure: Measure) -> dict[tuple[str, int], bool | None]:
    found: dict[tuple[str, int], bool | None] = {}
    for record in records:
        key = (record.id, record.sample)
        if key in found:
            raise DataError(f"sample {record.sample} of {record.id!r} stands twice", remedy="give one run's records")
        found[key] = measure(record)
    return found
