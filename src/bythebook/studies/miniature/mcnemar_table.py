"""Tables of a miniature whose records note what a description has: those quantities, and McNemar's exact tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bythebook.evaluation.change import Measure, answered, changed
from bythebook.records import Record, read_records
from bythebook.stats.mcnemar import McNemar
from bythebook.studies.kept import share_text, table_row
from bythebook.studies.miniature.arms import SPLITS, Miniature, QuantityName
from bythebook.studies.miniature.figures import over_seeds

__all__ = ["mcnemar_of", "mcnemar_tables", "noted_table", "perceived_in"]

_SAMPLE = 0
"""The completion of each question that is tested: one drawn at temperature 1, so that pairs are independent."""
_COLUMNS: tuple[tuple[str, str, QuantityName], ...] = (
    ("ID all facts", "id", "perceived"),
    ("OOD all facts", "ood", "perceived"),
    ("OOD all, greedy", "ood", "described"),
    ("ID recall", "id", "facts"),
    ("OOD recall", "ood", "facts"),
    ("ID hedged", "id", "hedged"),
    ("OOD hedged", "ood", "hedged"),
    ("ID repeated", "id", "repeated"),
    ("OOD repeated", "ood", "repeated"),
    ("ID assured", "id", "assured"),
)
_NOTED = (
    "Means over samples at temperature 1, in %. *All facts*: descriptions that state every fact and contradict none "
    "(*greedy*: of greedy completions); *recall*: facts that are stated and not contradicted; *hedged*: facts that are "
    "stated and contradicted at once; *repeated*: runs of words that were there before; *assured*: descriptions with "
    "the word that takes the corrupted judge in."
)
_TESTED = (
    "McNemar's exact two-sided test of each arm beside {first}, on one drawn completion a question: {n} pairs a seed. "
    "Points are the difference over all seeds, *gained* and *lost* the pairs that changed; p of each seed alone. A "
    "large p says that no difference was seen, not that there is none: that is what margins are for."
)


def perceived_in(record: Record) -> bool | None:
    """Whether the description has all facts, as noted in a record; None where nothing is."""
    noted = record.tags.get("perceived")
    return None if noted is None else noted == "1"


_MEASURES: tuple[tuple[str, Measure], ...] = (("all facts", perceived_in), ("right answer", answered))


def noted_table(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """What the descriptions have, as Markdown."""
    lines = ["### Descriptions", "", _NOTED, "", table_row(["", *(c[0] for c in _COLUMNS)])]
    lines.append(table_row(["---", *["--:"] * len(_COLUMNS)]))
    for arm in miniature.arms:
        cells = [share_text(over_seeds(seeds, arm.name, split, quantity)) for _, split, quantity in _COLUMNS]
        lines.append(table_row([arm.label, *cells]))
    return "\n".join(lines)


def mcnemar_tables(miniature: Miniature, seeds: Sequence[Path]) -> str:
    """Every arm beside the first, as Markdown: by test set and by what is tested."""
    first, head = miniature.arms[0], ["", "test", "of", "points", "gained", "lost", "p of each seed"]
    rows, pairs = [], 0
    for arm in miniature.arms[1:]:
        for split in SPLITS:
            for said, measure in _MEASURES:
                found = mcnemar_of(seeds, first.name, arm.name, split, measure)
                pairs = max([pairs, *(one.n for one in found if one)])
                rows.append(table_row([arm.label, split.upper(), said, *_cells(found)]))
    lines = ["### McNemar's tests", "", _TESTED.format(first=f"*{first.label}*", n=pairs), ""]
    return "\n".join([*lines, table_row(head), table_row(["---", "---", "---", *["--:"] * 3, "---"]), *rows])


def mcnemar_of(seeds: Sequence[Path], before: str, after: str, split: str, measure: Measure) -> list[McNemar | None]:
    """The test of each seed; None where nothing changed, or records are missing."""
    return [changed(_drawn(seed, before, split), _drawn(seed, after, split), measure) for seed in seeds]


def _drawn(seed: Path, arm: str, split: str) -> list[Record]:
    file = seed / "records" / f"{arm}.{split}.jsonl.gz"
    return [r for r in read_records(file) if r.sample == _SAMPLE] if file.exists() else []


def _cells(found: Sequence[McNemar | None]) -> list[str]:
    known = [one for one in found if one is not None]
    if not known:
        return ["–"] * 4
    gained, lost, n = (sum(getattr(one, name) for one in known) for name in ("gained", "lost", "n"))
    p = ", ".join("–" if one is None else f"{one.p:.2g}" for one in found)
    return [f"{100 * (gained - lost) / n:+.1f}", str(gained), str(lost), p]
