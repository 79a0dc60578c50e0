"""Scores of a set of records, item by item, with intervals. Reads each record's verdict; judges nothing again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

from bythebook import stats
from bythebook.records import Record

__all__ = [
    "Difference",
    "ItemScores",
    "Measure",
    "SetScores",
    "group_of",
    "interval_over_guidelines",
    "item_scores",
    "paired_difference",
    "score_set",
]

Measure = Literal["avg", "maj", "pass", "greedy"]
_RESAMPLES = 2000
_SEED = 20100


class SetScores(TypedDict):
    """One arm on one set. Shares of 0…1; None where no record tells."""

    items: int
    """Items with K samples, or with a greedy completion where nothing was sampled."""
    k: int
    avg_at_k: float | None
    avg_interval: tuple[float, float] | None
    """95 %, bootstrap over guidelines."""
    maj_at_k: float | None
    pass_at_k: float | None
    greedy: float | None
    greedy_interval: tuple[float, float] | None
    format_rate: float | None
    """Share of well-formed completions among the samples; among the greedy ones where nothing was sampled."""
    tokens: float | None
    """Mean length of the same completions."""
    reward: float | None
    """Mean reward of the same completions."""


@dataclass(frozen=True)
class ItemScores:
    """Scores by item: `values[i]` is the score of `ids[i]`, drawn from the guideline `clusters[i]`."""

    ids: tuple[str, ...]
    values: tuple[float, ...]
    clusters: tuple[str, ...]

    @property
    def mean(self) -> float | None:
        return stats.mean(self.values)


@dataclass(frozen=True)
class Difference:
    """Mean of a paired difference over `n` items; the interval is None with a single guideline and seed."""

    n: int
    mean: float
    low: float | None
    high: float | None


def group_of(record: Record) -> str:
    """`id` or `ood` where the record's tags name its split, else the empty string."""
    split = record.tags.get("split", "")
    return split if split in ("id", "ood") else ""


def _item(record: Record) -> str:
    """In rollouts one example comes back at several steps: each time is an item of its own."""
    return record.id if record.step is None else f"{record.step}/{record.id}"


def _cluster(record: Record) -> str:
    return record.tags.get("guideline_id") or record.guideline or record.domain


def _sampled(records: Sequence[Record], k: int | None) -> tuple[int, dict[str, list[Record]]]:
    """(K, item → its first K samples); items with fewer are left out. K is the smallest count where not given."""
    by_item: dict[str, dict[int, Record]] = {}
    for record in records:
        if record.sample >= 0 and record.correct is not None:
            by_item.setdefault(_item(record), {}).setdefault(record.sample, record)
    k = k or min((len(samples) for samples in by_item.values()), default=1)
    return k, {
        item: [samples[i] for i in sorted(samples)[:k]] for item, samples in by_item.items() if len(samples) >= k
    }


def _greedy(records: Sequence[Record]) -> dict[str, list[Record]]:
    out: dict[str, list[Record]] = {}
    for record in records:
        if record.sample == -1 and record.correct is not None:
            out.setdefault(_item(record), [record])
    return out


def item_scores(records: Sequence[Record], k: int | None, measure: Measure) -> ItemScores | None:
    """Every item's score by `measure`; None if no item has what the measure needs."""
    size, groups = (1, _greedy(records)) if measure == "greedy" else _sampled(records, k)
    if not groups:
        return None
    return ItemScores(
        ids=tuple(groups),
        values=tuple(_value(group, size, measure) for group in groups.values()),
        clusters=tuple(_cluster(group[0]) for group in groups.values()),
    )


def _value(group: Sequence[Record], k: int, measure: Measure) -> float:
    right = sum(record.correct is True for record in group)
    if measure == "maj":
        winner = stats.majority([record.answer for record in group])
        return float(winner is not None and any(r.correct for r in group if r.answer == winner))
    return stats.pass_at_k(len(group), right, k) if measure == "pass" else right / len(group)


def score_set(records: Sequence[Record], k: int | None) -> SetScores | None:
    """Every score of one file of records; None if none of them carries a gold answer. `k` None: the file's own."""
    size, groups = _sampled(records, k)
    greedy = item_scores(records, k, "greedy")
    if not groups and greedy is None:
        return None
    avg, maj, passed = (item_scores(records, k, measure) for measure in ("avg", "maj", "pass"))
    shown = [r for group in (groups or _greedy(records)).values() for r in group]
    return {
        "items": len(groups) or (len(greedy.ids) if greedy else 0),
        "k": size,
        "avg_at_k": avg.mean if avg else None,
        "avg_interval": interval_over_guidelines(avg),
        "maj_at_k": maj.mean if maj else None,
        "pass_at_k": passed.mean if passed else None,
        "greedy": greedy.mean if greedy else None,
        "greedy_interval": interval_over_guidelines(greedy),
        "format_rate": stats.mean(float(r.well_formed) for r in shown),
        "tokens": stats.mean(None if r.tokens is None else float(r.tokens) for r in shown),
        "reward": stats.mean(r.value for r in shown),
    }


def interval_over_guidelines(scores: ItemScores | None) -> tuple[float, float] | None:
    """95 % bootstrap interval of the mean over guidelines; None with fewer than two of them."""
    if scores is None or len(set(scores.clusters)) < 2:
        return None
    zeros = [0.0] * len(scores.values)
    found = stats.paired_bootstrap(scores.values, zeros, [0] * len(zeros), scores.clusters, n=_RESAMPLES, seed=_SEED)
    return (found.low, found.high) if found else None


def paired_difference(pairs: Iterable[tuple[ItemScores | None, ItemScores | None]]) -> Difference | None:
    """Mean of first − second over the items both have, one pair of scores a training seed; None if they share none.

    The interval is the 95 % bootstrap over seeds × guidelines.
    """
    ours: list[float] = []
    theirs: list[float] = []
    seeds: list[int] = []
    clusters: list[str] = []
    for seed, (a, b) in enumerate(pairs):
        if a is None or b is None:
            continue
        other = dict(zip(b.ids, b.values, strict=True))
        for item, value, cluster in zip(a.ids, a.values, a.clusters, strict=True):
            if item in other:
                ours.append(value)
                theirs.append(other[item])
                seeds.append(seed)
                clusters.append(cluster)
    found = stats.paired_bootstrap(ours, theirs, seeds, clusters, n=_RESAMPLES, seed=_SEED) if ours else None
    if found is None:
        return None
    certain = len(set(clusters)) > 1 or len(set(seeds)) > 1
    return Difference(len(ours), found.difference, found.low if certain else None, found.high if certain else None)
