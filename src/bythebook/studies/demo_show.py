"""The demo as a person sees it: live progress, the table, the annotations, the page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bythebook.report import print_summary, write_report
from bythebook.report.rows import summary_rows
from bythebook.report.run import Run
from bythebook.studies.demo import run_demo
from bythebook.studies.demo_arms import ARMS, DemoSize

__all__ = ["QUICK", "show_demo"]

QUICK = DemoSize(rl_steps=3, control_steps=2, sft_steps=4, in_domain=16, out_of_domain=32, edits=16)
"""Enough to see that everything runs; no figure of it means anything."""


def show_demo(
    output: Path,
    *,
    seed: int = 0,
    arms: Sequence[str] | None = None,
    workers: int | None = None,
    quick: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Run the demo with live progress on standard error, print the results, write the page.

    Returns `{"run", "report", "arms": {name: {"id": …, "ood": …}}}`.
    """
    console = Console(stderr=quiet)
    size = QUICK if quick else DemoSize()
    if not quiet:
        console.print("One embedded model, six ways to go on from it; progress below. Ctrl-C keeps what is finished.\n")
    with _Watch(enabled=not quiet) as watch:
        run_demo(output, seed=seed, size=size, arms=arms, workers=workers, watch=watch)
    page = write_report(output)
    run = Run.of(output)
    if not quiet:
        print_summary(output, console)
        _print_annotations(run, console)
        console.print(f"\n[bold]Open {page}[/bold]: curves, obedience tests, sentences before and after.")
        console.print(f"Then edit {output / 'examples' / 'guideline.md'} and annotate by your own book:")
        model = output / "arms" / "rl" / "model"
        folder = output / "examples"
        console.print(
            f"  bythebook annotate {folder / 'sentences.jsonl'} --guideline {folder / 'guideline.md'} "
            f"--model {model} --output annotated.jsonl",
            soft_wrap=True,
            highlight=False,
        )
    return {"run": str(output), "report": str(page), "arms": {row["arm"]: row["sets"] for row in summary_rows(run)}}


class _Watch:
    """A live table on a terminal, a line at each change of state elsewhere."""

    def __init__(self, enabled: bool) -> None:
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=4) if enabled and sys.stderr.isatty() else None
        self._enabled, self._said = enabled, dict[str, str]()

    def __enter__(self) -> _Watch:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, doing: Mapping[str, str]) -> None:
        if self._live:
            table = Table(box=None, show_header=False, padding=(0, 2))
            for name, what in doing.items():
                table.add_row(ARMS[name].label if name in ARMS else name, what)
            self._live.update(table)
            return
        for name, what in doing.items():
            state = what.split("  ")[0] if not what.startswith("step") else _tens(what)
            if self._enabled and self._said.get(name) != state:
                self._said[name] = state
                label = ARMS[name].label if name in ARMS else name
                self._console.print(f"{label}: {what}", highlight=False, markup=False)


def _tens(what: str) -> str:
    """Changes every twenty steps."""
    step = int(what.split()[1])
    return f"step {step // 20}"


def _print_annotations(run: Run, console: Console) -> None:
    for block in run.annotations:
        console.print(f"\n[bold]Five sentences, the guideline {block.title}[/bold]")
        if block.diff:
            changed = [x for x in block.diff.splitlines() if x[:1] in "+-" and x[:3] not in ("+++", "---")]
            console.print("  " + "   ".join(changed), highlight=False, markup=False)
        for row in block.rows:
            console.print(f"  {row.text}", highlight=False, markup=False)
            console.print(f"    think: {row.thinking}   answer: {row.answer}", highlight=False, markup=False)
            if row.warning:
                console.print(f"    warning: {row.warning}", style="yellow", highlight=False, markup=False)
