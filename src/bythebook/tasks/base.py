"""What a task is."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bythebook.errors import InputError, RecipeError
from bythebook.types import Example

__all__ = ["Target", "Task"]

Target = Callable[[Example, random.Random], str]
"""What a completion to imitate looks like; the generator decides whatever is drawn."""


@dataclass(frozen=True)
class Task:
    """A reader, its guideline, and what fits them. Prompts, parser and rewards are chosen in the recipe."""

    name: str
    summary: str
    load: Callable[..., dict[str, list[Example]]]
    """(path or None, the task's own options by name) → examples by split. InputError names file, line and remedy."""
    needs_path: bool
    check: Callable[..., dict[str, Any]] | None = None
    """Reads every row of a path: `{"rows": {split: n}, "faults": [{"file", "line", "message"}]}`; beside these may
    stand `notes`, and further counts by split and name: `{"counts": {split: {name: n}}}`."""
    score: Callable[[Path, Path], dict[str, Any]] | None = None
    """The published scorer: (answers, gold) → `{"protocols": {name: {"f1", …}}, …}`."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    """Completions for supervised fine-tuning, by name."""
    test_options: Mapping[str, Any] = field(default_factory=dict)
    """Options with which an evaluation reads the task, where the caller gives none."""
    licensed: bool = False
    """Records of its texts keep ids and verdicts, no completions."""
    in_domain: tuple[str, ...] = ()
    out_of_domain: tuple[str, ...] = ()
    """Splits that are out of domain for a model trained on this task's `train`."""

    def read(self, path: Path | str | None, **options: Any) -> dict[str, list[Example]]:
        """`load`, with an InputError for an option that the task does not have."""
        self._refuse_unknown(self.load, options)
        return self.load(path, **options)

    def checked(self, path: Path, **options: Any) -> dict[str, Any]:
        """What `check` finds, with an InputError for a task that reads no files and for an option that it does not
        have."""
        if self.check is None:
            raise InputError(f"task {self.name!r} reads no files", remedy="`bythebook data show` shows what it makes")
        self._refuse_unknown(self.check, options)
        return self.check(path, **options)

    def _refuse_unknown(self, function: Callable[..., Any], options: Mapping[str, Any]) -> None:
        known = inspect.signature(function).parameters
        free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
        unknown = [name for name in options if name not in known]
        if unknown and not free:
            names = ", ".join(name for name in known if name != "path")
            remedy = f"options are: {names}" if names else "it has none"
            raise RecipeError(f"task {self.name!r} has no option {unknown[0]!r}", remedy=remedy)
