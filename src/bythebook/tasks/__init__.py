"""One file per task; the literal `TASKS` dict gives access by name."""

from __future__ import annotations

from bythebook.errors import InputError
from bythebook.tasks import documents, semeval2010, world
from bythebook.tasks.base import Task

__all__ = ["TASKS", "Task", "task_named"]

TASKS: dict[str, Task] = {
    "documents": documents.TASK,
    "semeval2010": semeval2010.TASK,
    "world": world.TASK,
}


def task_named(name: str) -> Task:
    """The task of that name. InputError lists what there is."""
    if name not in TASKS:
        raise InputError(f"no task {name!r}", remedy=f"there are: {', '.join(TASKS)}")
    return TASKS[name]
