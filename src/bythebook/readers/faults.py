"""Faults of data files, collected: what stops a reading, and slips that a reading passes over."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bythebook.errors import DataError

__all__ = ["Faults"]


@dataclass
class Faults:
    """Every fault in the order in which it was met. A slip is an annotation of a published release that can't be meant
    as it stands: `data check` names it, and reading leaves it out instead of refusing the release."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    first: DataError | None = None
    """The first fault that is no slip."""
    remedy: str | None = None

    def add(self, file: Path, line: int, message: str) -> None:
        """A fault that stops a reading."""
        self.rows.append({"file": str(file), "line": line, "message": message})
        if self.first is None:
            self.first = DataError(message, file=file, line=line, remedy=self.remedy)

    def slip(self, file: Path, line: int, message: str) -> None:
        """A fault that a reading passes over."""
        self.rows.append({"file": str(file), "line": line, "message": f"{message}; left out"})

    def kept(self, file: Path, line: int, message: str) -> None:
        """A slip that a reading takes as it stands, because published scores count it."""
        self.rows.append({"file": str(file), "line": line, "message": f"{message}; kept"})

    def beside(self, found: Mapping[str, Sized]) -> dict[str, Any]:
        """{"rows": {name: how many were found}, "faults": [{"file", "line", "message"}]}, as `data check` has it."""
        return {"rows": {name: len(rows) for name, rows in found.items()}, "faults": self.rows}

    def refuse(self) -> None:
        """Raise the first fault that is no slip, if there is one."""
        if self.first is not None:
            raise self.first
