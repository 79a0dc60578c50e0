"""Kept records → figures of a miniature, and verdicts on its claims from intervals of paired differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from bythebook import stats
from bythebook.records import Record, read_records
from bythebook.stats import Difference
from bythebook.studies.miniature.arms import Claim, QuantityName
from bythebook.studies.miniature.documents import (
    Row,
    document_value,
    is_pooled,
    pair_counts,
    pooled_difference,
    pooled_figure,
)

__all__ = [
    "CEILING",
    "Comparison",
    "Found",
    "Verdict",
    "difference",
    "excess",
    "figure",
    "found_of",
    "kinds_of",
    "over_seeds",
    "verdict",
]

Kinds = Sequence[str]
"""Domains of the sentences that are looked at; empty: all."""
Verdict = Literal["confirmed", "not seen here", "cannot be tested at this size"]

CEILING = 0.97
"""Above which nothing is left to gain, where all arms are. Our choice."""


class Comparison(NamedTuple):
    """One arm beside another."""

    better: str
    than: str
    values: tuple[float | None, float | None]
    """Means over seeds."""
    found: Difference | None


class Found(NamedTuple):
    """A claim, what there is on it, and what that makes of it."""

    claim: Claim
    comparisons: tuple[Comparison, ...]
    verdict: Verdict


@lru_cache(maxsize=256)
def _read(file: Path, _: int) -> tuple[Record, ...]:
    """The records of a file, which every table asks for again; its time tells it from one written later."""
    return tuple(read_records(file))


def _by_sentence(seed: Path, arm: str, split: str, kinds: Kinds = ()) -> dict[str, list[Record]]:
    file = seed / "records" / f"{arm}.{split}.jsonl.gz"
    found: dict[str, list[Record]] = defaultdict(list)
    for record in _read(file, file.stat().st_mtime_ns) if file.exists() else ():
        if not kinds or record.domain in kinds:
            found[record.id].append(record)
    return found


def kinds_of(seeds: Sequence[Path]) -> list[str]:
    """The domains of all records that are kept, by name."""
    files = [file for seed in seeds for file in sorted((seed / "records").glob("*.jsonl.gz"))]
    return sorted({record.domain for file in files for record in _read(file, file.stat().st_mtime_ns)})


def _value(records: Sequence[Record], quantity: QuantityName) -> float | None:
    """Of one sentence; None where it was not asked so."""
    if quantity == "ted" or quantity == "length":
        return document_value(records, quantity)
    greedy = [bool(r.correct) for r in records if r.sample < 0]
    drawn = [r for r in records if r.sample >= 0]
    right = [bool(r.correct) for r in drawn]
    if quantity == "greedy":
        return stats.mean(map(float, greedy))
    if quantity == "pass":
        return float(any(right)) if right else None
    if quantity == "format":
        return stats.mean(float(r.well_formed) for r in drawn)
    if quantity == "described":
        return stats.mean(float(r.tags["perceived"]) for r in records if r.sample < 0 and "perceived" in r.tags)
    if quantity != "avg":
        tag = "recall" if quantity == "facts" else quantity  # of facts: the quantity `recall` is of pairs
        return stats.mean(float(r.tags[tag]) for r in drawn if tag in r.tags)
    return stats.mean(map(float, right))


def figure(seed: Path, arm: str, split: str, quantity: QuantityName, kinds: Kinds = ()) -> float | None:
    """The mean over the sentences of one seed, or the figure of all their pairs together; None without records."""
    found = _by_sentence(seed, arm, split, kinds).values()
    if is_pooled(quantity):
        counts = (pair_counts(records) for records in found)
        return pooled_figure([c for c in counts if c is not None], quantity)
    return stats.mean(_value(records, quantity) for records in found)


def over_seeds(seeds: Sequence[Path], arm: str, split: str, quantity: QuantityName, kinds: Kinds = ()) -> list[float]:
    """`figure` of the seeds that have it."""
    found = (figure(seed, arm, split, quantity, kinds) for seed in seeds)
    return [value for value in found if value is not None]


def difference(
    seeds: Sequence[Path], one: str, other: str, split: str, quantity: QuantityName, kinds: Kinds = ()
) -> Difference | None:
    """One arm minus another, paired by sentence, with a bootstrap interval over seeds × guidelines; None where they
    share no sentence."""
    if is_pooled(quantity):
        return pooled_difference(_pairs(seeds, one, other, split, kinds), quantity)
    rows: list[tuple[float, float, str, str]] = []
    for seed in seeds:
        theirs = _by_sentence(seed, other, split, kinds)
        for name, records in _by_sentence(seed, one, split, kinds).items():
            mine = _value(records, quantity)
            if mine is not None and name in theirs and (their := _value(theirs[name], quantity)) is not None:
                rows.append((mine, their, seed.name, _guideline_of(records)))
    return _bootstrapped(rows)


def _pairs(seeds: Sequence[Path], one: str, other: str, split: str, kinds: Kinds) -> list[Row]:
    """The documents that both arms have read."""
    rows = []
    for seed in seeds:
        theirs = _by_sentence(seed, other, split, kinds)
        for name, records in _by_sentence(seed, one, split, kinds).items():
            a, b = pair_counts(records), pair_counts(theirs.get(name, ()))
            if a is not None and b is not None:
                rows.append(Row(a, b, seed.name, _guideline_of(records)))
    return rows


def excess(
    seeds: Sequence[Path], arm: str, over: float, split: str, quantity: QuantityName, kinds: Kinds = ()
) -> Difference | None:
    """The figure of an arm minus the number `over`, with the interval of `difference`; None without records."""
    rows = [
        (value, over, seed.name, _guideline_of(records))
        for seed in seeds
        for records in _by_sentence(seed, arm, split, kinds).values()
        if (value := _value(records, quantity)) is not None
    ]
    return _bootstrapped(rows)


def _guideline_of(records: Sequence[Record]) -> str:
    return records[0].tags.get("guideline_id") or str(records[0].guideline)


def _bootstrapped(rows: Sequence[tuple[float, float, str, str]]) -> Difference | None:
    a, b, where, guidelines = ([row[i] for row in rows] for i in range(4))
    return stats.paired_bootstrap(a, b, where, guidelines)


def verdict(comparisons: Sequence[Comparison], margin: float | None, seeds: int) -> Verdict:
    """Without a margin: `confirmed` if every interval lies above 0, `not seen here` if one does not, and `cannot be
    tested at this size` if all figures are shares above `CEILING`. With one: `confirmed` if every interval lies inside
    ± the margin, `not seen here` if one lies outside, else `cannot be tested at this size`. Fewer than two seeds, or a
    missing arm, test nothing."""
    found = [c.found for c in comparisons if c.found is not None]
    if seeds < 2 or not comparisons or len(found) < len(comparisons):
        return "cannot be tested at this size"
    if margin is not None:
        if all(-margin < f.low and f.high < margin for f in found):
            return "confirmed"
        outside = any(f.low > margin or f.high < -margin for f in found)
        return "not seen here" if outside else "cannot be tested at this size"
    if CEILING < min(value for c in comparisons for value in c.values if value is not None) <= 1.0:
        return "cannot be tested at this size"
    return "confirmed" if all(f.low > 0 for f in found) else "not seen here"


def found_of(claim: Claim, seeds: Sequence[Path]) -> Found:
    """The claim, held against the records."""
    what = (claim.split, claim.quantity, claim.kinds)
    mean = stats.mean(over_seeds(seeds, claim.better, *what))
    comparisons = tuple(
        Comparison(
            claim.better,
            than,
            (mean, stats.mean(over_seeds(seeds, than, *what))),
            difference(seeds, claim.better, than, *what),
        )
        for than in claim.than
    )
    if claim.above is not None:
        found = excess(seeds, claim.better, claim.above, *what)
        comparisons += (Comparison(claim.better, f"{100 * claim.above:g} %", (mean, claim.above), found),)
    return Found(claim, comparisons, verdict(comparisons, claim.margin, len(seeds)))
