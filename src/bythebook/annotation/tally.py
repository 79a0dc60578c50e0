"""What a run has done so far, and what it says of it on standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bythebook.annotation.resume import error_of, is_annotated
from bythebook.records import append_jsonl

__all__ = ["Tally", "progress_bar", "say_warnings"]

_NAMED_WARNINGS = 5


@dataclass
class Tally:
    """Counts of a run; it also writes the predictions."""

    output: Path
    errors: list[dict[str, Any]]
    written: int = 0
    partial: int = 0
    abstained: int = 0
    warnings: dict[str, None] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """What `annotate_file` returns of it."""
        return {
            "written": self.written,
            "failed": len(self.errors),
            "partial": self.partial,
            "output": str(self.output),
            "warnings": list(self.warnings),
        }

    def warn(self, warnings: Sequence[str]) -> None:
        """Note warnings, each once."""
        self.warnings.update(dict.fromkeys(warnings))

    def take(self, predictions: Sequence[dict[str, Any]]) -> None:
        """Write them; note what is not annotated."""
        append_jsonl(self.output, predictions)
        failed = [p for p in predictions if not is_annotated(p)]
        self.errors += map(error_of, failed)
        self.written += len(predictions)
        self.abstained += sum(p["status"] == "abstained" for p in predictions)
        self.partial += sum(p["status"] not in ("ok", "abstained") for p in predictions) - len(failed)
        self.warn([warning for p in predictions for warning in p["warnings"]])


def progress_bar(total: int) -> Callable[[int], None]:
    """Says how many of so many documents are done."""
    from rich.console import Console

    console = Console(stderr=True)

    def say(done: int) -> None:
        console.print(f"annotated {done}/{total}", highlight=False)

    return say


def say_warnings(warnings: Sequence[str]) -> None:
    """The first warnings, and how many more there are."""
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True)
    for warning in warnings[:_NAMED_WARNINGS]:
        console.print(f"warning: {warning}", highlight=False, markup=False)
    if len(warnings) > _NAMED_WARNINGS:
        console.print(f"warning: {len(warnings) - _NAMED_WARNINGS} more like these, beside the annotations")
