"""Which completions the head of the page shows in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bythebook.records import Record
from bythebook.report.run import Run

__all__ = ["Pair", "before_and_after"]

_PREFERRED_CASES = ("exception", "no_rule", "exception_not_fired", "plain")


class Pair(NamedTuple):
    """One item as two arms answered it, both greedily, with the prompt where it was kept."""

    before: Record
    after: Record
    prompt: str | None
    mended: bool
    """Whether `before` is wrong and `after` right."""


def before_and_after(run: Run, before: str = "start", after: str = "rl") -> Pair | None:
    """An out-of-domain item that `before` gets wrong and `after` right; if there is none, one that both answered.

    Well-formed completions and telling cases come first, then the order of the file. None where no item has the
    texts of both.
    """
    ours = {r.id: r for r in _shown(run.records(f"{before}.ood"))}
    pairs = [(ours[r.id], r) for r in _shown(run.records(f"{after}.ood")) if r.id in ours]
    if not pairs:
        return None
    first, second = min(pairs, key=lambda pair: _rank(run, *pair))
    return Pair(first, second, run.prompts.get(first.id), first.correct is False and second.correct is True)


def _shown(records: Sequence[Record]) -> list[Record]:
    return [r for r in records if r.sample == -1 and r.completion is not None]


def _rank(run: Run, before: Record, after: Record) -> tuple[bool, bool, bool, int]:
    case = before.tags.get("case", "")
    return (
        not (before.correct is False and after.correct is True),
        before.id not in run.prompts,
        not (before.well_formed and after.well_formed),
        _PREFERRED_CASES.index(case) if case in _PREFERRED_CASES else len(_PREFERRED_CASES),
    )
