"""What a task is."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bythebook.types import Example

__all__ = ["Loader", "Target", "Task"]

Target = Callable[[Example, random.Random], str]
"""What a completion to imitate looks like; the generator decides whatever is drawn."""


class Loader(Protocol):
    """Reads the examples of a task, by split."""

    def __call__(self, path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
        """InputError names file, line and remedy, or the option that is unknown."""


@dataclass(frozen=True)
class Task:
    """A reader, its guideline, and what fits them. Prompts, parser and rewards are chosen in the recipe."""

    name: str
    summary: str
    load: Loader
    needs_path: bool
    check: Callable[[Path], dict[str, Any]] | None = None
    """Reads every row of a path: `{"rows": {split: n}, "faults": [{"file", "line", "message"}]}`."""
    score: Callable[[Path, Path], dict[str, Any]] | None = None
    """The published scorer: (answers, gold) → `{"protocols": {name: {"f1", …}}, …}`."""
    targets: Mapping[str, Target] = field(default_factory=dict)
    """Completions for supervised fine-tuning, by name."""
    in_domain: tuple[str, ...] = ()
    out_of_domain: tuple[str, ...] = ()
    """Splits that are out of domain for a model trained on this task's `train`."""
