"""Records → tables, plots and one self-contained HTML page. Reads a run directory; never judges a completion again."""

from __future__ import annotations

from bythebook.report.html import render_report, write_report
from bythebook.report.markdown import markdown_summary
from bythebook.report.picture import picture
from bythebook.report.rows import edit_rows, summary_rows
from bythebook.report.run import Run
from bythebook.report.tables import print_summary

__all__ = [
    "Run",
    "edit_rows",
    "markdown_summary",
    "picture",
    "print_summary",
    "render_report",
    "summary_rows",
    "write_report",
]
