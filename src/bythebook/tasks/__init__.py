"""One file per task; the literal `TASKS` dict gives access by name."""

from __future__ import annotations

from bythebook.errors import InputError
from bythebook.tasks import crossre, documents, mdkg, scier, scierc, semeval2010, semeval2018, world
from bythebook.tasks.base import Task
from bythebook.tasks.world import joint

__all__ = ["TASKS", "Task", "task_named"]

TASKS: dict[str, Task] = {
    "crossre": crossre.TASK,
    "documents": documents.TASK,
    "mdkg": mdkg.TASK,
    "scier": scier.TASK,
    "scierc": scierc.TASK,
    "semeval2010": semeval2010.TASK,
    "semeval2018": semeval2018.TASK,
    "world": world.TASK,
    "world_joint": joint.TASK,
}


def task_named(name: str) -> Task:
    """The task of that name. InputError lists what there is."""
    if name not in TASKS:
        raise InputError(f"no task {name!r}", remedy=f"there are: {', '.join(TASKS)}")
    return TASKS[name]
