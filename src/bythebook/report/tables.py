"""The figures of a run as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bythebook.report.extraction_scores import PROTOCOL_NAMES
from bythebook.report.figures import DASH, number, percent
from bythebook.report.rows import case_rows, edit_rows, extraction_rows, file_rows, summary_rows
from bythebook.report.run import Run

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_summary"]

_SETS = (("id", "ID"), ("ood", "OOD"))


def print_summary(run: Path | Run, console: Console) -> None:
    """Print the main table, the edits of the guideline and the cases of a demo; scores by file of another run."""
    for title, header, body in _tables(Run.of(run)):
        _print_table(console, title, header, body)


def _print_table(console: Console, title: str, header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False)
    for i, name in enumerate(header):
        words = all(row[i][:1].isalpha() for row in body)
        table.add_column(Text(name), justify="left" if i == 0 or words else "right")
    for row in body:
        # Text, not markup: labels come from data.
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


_Table = tuple[str, list[str], list[list[str]]]


_MEASURES: tuple[Literal["avg_at_k", "maj_at_k", "pass_at_k", "greedy", "format_rate"], ...] = (
    "avg_at_k",
    "maj_at_k",
    "pass_at_k",
    "greedy",
    "format_rate",
)


def _tables(run: Run) -> list[_Table]:
    ordinary = (_file_table(run), _extraction_table(run))
    tables = ordinary if run.demo is None else (_main_table(run), _edit_table(run), _case_table(run))
    return [table for table in tables if table[2]]


def _file_table(run: Run) -> _Table:
    header = ["records", "items", "Avg@K", "Maj@K", "Pass@K", "greedy", "format", "tokens", "reward"]
    body = [
        [r["file"], str(r["items"]), *(percent(r[m]) for m in _MEASURES), number(r["tokens"]), number(r["reward"], 2)]
        for r in file_rows(run)
    ]
    return "Scores by file of records, %", header, body


def _extraction_table(run: Run) -> _Table:
    header = ["records", "texts", *PROTOCOL_NAMES.values(), "exact", "false relations", "format", "tokens", "reward"]
    body = []
    for r in extraction_rows(run):
        f1 = {p["name"]: p["f1"] for p in r["protocols"]}
        cells = [percent(f1.get(name)) for name in PROTOCOL_NAMES.values()]
        cells += [percent(r["exact"]), percent(r["false_relations"]), percent(r["format_rate"])]
        body.append([r["file"], str(r["items"]), *cells, number(r["tokens"]), number(r["reward"], 2)])
    return "Joint extraction by file of records: micro-F1 and shares, %", header, body


def _main_table(run: Run) -> _Table:
    k = run.k
    header = ["model"]
    for _, name in _SETS:
        header += [f"{name} Avg@{k}", f"Maj@{k}", f"Pass@{k}", "greedy", "format", "tokens"]
    body = []
    for row in summary_rows(run):
        cells = [row["label"]]
        for name, _ in _SETS:
            s = row["sets"].get(name)
            known = [] if s is None else [*(percent(s[m]) for m in _MEASURES), number(s["tokens"])]
            cells += known or [DASH] * (len(_MEASURES) + 1)
        body.append(cells)
    return "Accuracy and format rate, %", header, body


def _edit_table(run: Run) -> _Table:
    header = ["model", "the guideline in the prompt", "n", "ordinary", "edited", "kept", "chance", "as before the edit"]
    body = [
        [
            row["label"],
            row["edit_label"] + (", in-domain" if row["set"] == "id" else ""),
            str(row["n"]),
            percent(row["ordinary"]),
            percent(row["edited"]),
            percent(row["kept"], 0),
            percent(row["chance"]),
            percent(row["old_answer"]),
        ]
        for row in edit_rows(run)
    ]
    return "Does it obey the guideline? accuracy, %", header, body


def _case_table(run: Run) -> _Table:
    rows = case_rows(run)
    arms = [a for a in run.arms if any(a.name in row["arms"] for row in rows)]
    body = [[row["case_label"], str(row["n"]), *(percent(row["arms"].get(a.name)) for a in arms)] for row in rows]
    return f"Out-of-domain Avg@{run.k} by case, %", ["case", "n", *(a.label for a in arms)], body
