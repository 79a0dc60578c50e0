"""Analyses of completions that are there: which behaviours they show, and how long they are, against the step.

R1-RE (arXiv 2507.04642) shows the length of responses against the step in its Fig. 6 and describes the behaviours in a
case study.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bythebook import stats
from bythebook.errors import InputError
from bythebook.records import Record, read_records
from bythebook.studies.r1_re.behaviours import BEHAVIOURS, Behaviour, tag_behaviours, thinking_span
from bythebook.studies.r1_re.by_step import Window, mean_over_prompts, windows_of

__all__ = ["STUDIES", "behaviour_rates", "behaviours_of", "length_dynamics", "print_study", "study_files"]

_WINDOWS = 6


def behaviours_of(record: Record, labels: Sequence[str] = ()) -> tuple[Behaviour, ...]:
    """The behaviours in the reasoning of a record's completion; none where it has no text."""
    completion = record.completion or ""
    return tag_behaviours(thinking_span(completion).of(completion), labels).present


def behaviour_rates(records: Sequence[Record], windows: int = _WINDOWS) -> list[dict[str, Any]]:
    """One object a window of steps: `steps`, `n`, and under `behaviours` for each of them `rate` with `low` and `high`
    (95 %, over prompts), and the accuracy of the completions `with` and `without` it. InputError if the records keep no
    completions."""
    if records and all(r.completion is None for r in records):
        raise InputError("these records keep no completions", remedy="records of licensed data hold ids and verdicts")
    labels = _labels(records)
    return [_rates(window, labels) for window in windows_of(records, windows)]


def _labels(records: Sequence[Record]) -> list[str]:
    """The relation names in gold and answers."""
    texts = {text for r in records for text in (r.gold, r.answer) if text}
    return sorted({text.partition("(")[0] for text in texts})


def _rates(window: Window, labels: Sequence[str]) -> dict[str, Any]:
    records = window.records
    shown = [behaviours_of(r, labels) for r in records]
    found: dict[str, Any] = {}
    for behaviour in BEHAVIOURS:
        present = [behaviour in those for those in shown]
        rate = mean_over_prompts([float(p) for p in present], records)
        found[behaviour] = {
            "rate": rate.mean if rate else None,
            "low": rate.low if rate else None,
            "high": rate.high if rate else None,
            "with": _accuracy(r for r, p in zip(records, present, strict=True) if p),
            "without": _accuracy(r for r, p in zip(records, present, strict=True) if not p),
        }
    return {"steps": window.steps, "n": len(records), "accuracy": _accuracy(records), "behaviours": found}


def _accuracy(records: Any) -> float | None:
    return stats.mean(float(r.correct) for r in records if r.correct is not None)


def length_dynamics(records: Sequence[Record], windows: int = _WINDOWS) -> list[dict[str, Any]]:
    """One object a window of steps: `steps`, `n`, mean `tokens` of a completion with `low` and `high` (95 %, over
    prompts), of `right` and of `wrong` ones, and the share `truncated`. InputError if no record counts tokens."""
    counted = [r for r in records if r.tokens is not None]
    if records and not counted:
        raise InputError("these records count no tokens")
    return [_lengths(window) for window in windows_of(counted, windows)]


def _lengths(window: Window) -> dict[str, Any]:
    records = window.records
    mean = mean_over_prompts([float(r.tokens or 0) for r in records], records)
    return {
        "steps": window.steps,
        "n": len(records),
        "tokens": mean.mean if mean else None,
        "low": mean.low if mean else None,
        "high": mean.high if mean else None,
        "right": stats.mean(r.tokens for r in records if r.correct),
        "wrong": stats.mean(r.tokens for r in records if r.correct is False),
        "truncated": stats.mean(float(r.finish_reason == "length") for r in records),
    }


STUDIES: dict[str, Callable[[Sequence[Record], int], list[dict[str, Any]]]] = {
    "behaviours": behaviour_rates,
    "lengths": length_dynamics,
}


def study_files(name: str, files: Sequence[Path], windows: int = _WINDOWS) -> dict[str, Any]:
    """A study of the records in some files together: `{"study", "files", "records", "windows": […]}`.

    InputError for an unknown study or records that lack what it needs, DataError for a line that is no record.
    """
    if name not in STUDIES:
        raise InputError(f"no study {name!r}", remedy=f"there are: {', '.join(STUDIES)}")
    records = [record for file in files for record in read_records(file)]
    if not records:
        raise InputError("no records", file=files[0] if files else None)
    return {
        "study": name,
        "files": len(files),
        "records": len(records),
        "windows": STUDIES[name](records, windows),
    }


def print_study(found: dict[str, Any]) -> None:
    """A study as a table, one line a window of steps; shares in per cent."""
    table = Table(box=None, padding=(0, 1))
    shown = _behaviour_cells if found["study"] == "behaviours" else _length_cells
    for number, window in enumerate(found["windows"]):
        cells = {"steps": _steps(window["steps"]), "n": str(window["n"]), **shown(window)}
        for column in cells if number == 0 else ():
            table.add_column(column, justify="right")
        table.add_row(*cells.values())
    Console().print(table)


def _steps(steps: tuple[int, int] | None) -> str:
    return "–" if steps is None else f"{steps[0]}…{steps[1]}"


def _behaviour_cells(window: dict[str, Any]) -> dict[str, str]:
    cells = {name: _share(of["rate"], of["low"], of["high"]) for name, of in window["behaviours"].items()}
    return cells | {"right": _share(window["accuracy"])}


def _length_cells(window: dict[str, Any]) -> dict[str, str]:
    tokens = f"{window['tokens']:.1f} [{window['low']:.1f}, {window['high']:.1f}]"
    of = {key: "–" if window[key] is None else f"{window[key]:.1f}" for key in ("right", "wrong")}
    return {"tokens": tokens, **of, "truncated": _share(window["truncated"])}


def _share(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Per cent."""
    if value is None:
        return "–"
    return f"{100 * value:.0f}" + ("" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]")
