"""What the verifier makes of published benchmarks, as tables, from the records of `measured`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bythebook.studies.kept import table_row

__all__ = ["benchmark_table", "rejection"]

_NAMES = {"verilog_eval": "VerilogEval 2", "rtllm": "RTLLM 2"}
_SAID = (
    "Every reference beside itself, and beside its mutants (at most {most} of each circuit, drawn at random). "
    "*Proven*: accepted, and proven equivalent by Yosys, so no mutants at all; *missed*: accepted and not proven "
    "equivalent, though many of them are; *rejected*, %: of those that are not proven equivalent."
)
_KINDS = ("operator", "constant", "width", "edge", "reset")
_Rows = Sequence[Mapping[str, Any]]


def rejection(rows: _Rows, kind: str | None = None) -> tuple[int, int, int]:
    """(rejected, proven equivalent, missed) mutants of these circuits, of one kind or of all."""
    counts = [
        sum(n for row in rows for k, n in row.get(fate, {}).items() if kind in (None, k))
        for fate in ("rejected", "proven", "missed")
    ]
    return counts[0], counts[1], counts[2]


def benchmark_table(found: Mapping[str, _Rows]) -> str:
    """The section of the page, as Markdown: by benchmark its records."""
    most = max((row.get("tried", 0) for rows in found.values() for row in rows), default=0)
    head = ["", "circuits", "equal themselves", "clocked", "mutants", "rejected", "proven", "missed", "rejected, %"]
    lines = ["### The verifier on published benchmarks", "", _SAID.format(most=most), "", table_row(head)]
    lines += [table_row(["---", *["--:"] * (len(head) - 1)])]
    for name, rows in found.items():
        same = [row for row in rows if row["self"] == "equivalent"]
        clocked = sum(row["clocked"] for row in same)
        lines.append(_row([_NAMES.get(name, name), str(len(rows)), str(len(same)), str(clocked)], rejection(rows)))
        for kind in _KINDS:
            lines.append(_row([f"&nbsp;&nbsp;{kind}", "", "", ""], rejection(rows, kind)))
    lines += ["", *_reasons(found)]
    return "\n".join(lines)


def _row(first: Sequence[str], counts: tuple[int, int, int]) -> str:
    rejected, proven, missed = counts
    share = f"{100 * rejected / (rejected + missed):.1f}" if rejected + missed else "–"
    return table_row([*first, *map(str, (sum(counts), rejected, proven, missed)), share])


def _reasons(found: Mapping[str, _Rows]) -> list[str]:
    """Those that can't be checked, by reason."""
    lines = [table_row(["not checked", "why", "circuits"]), table_row(["---"] * 3)]
    for name, rows in found.items():
        other = [row for row in rows if row["self"] != "equivalent"]
        for why, _ in Counter(_why(row) for row in other).most_common():
            ids = ", ".join(row["id"] for row in other if _why(row) == why)
            lines.append(table_row([_NAMES.get(name, name), why, ids]))
    return lines if len(lines) > 2 else ["Nothing was left unchecked."]


def _why(row: Mapping[str, Any]) -> str:
    return ": ".join(str(part) for part in (row["self"], row["reason"], row.get("message")) if part)
