"""One file per task; the literal `TASKS` dict gives access by name."""

from __future__ import annotations

from bythebook.errors import InputError
from bythebook.tasks import (
    crossre,
    documents,
    free_answers,
    key_values,
    mcqa,
    mdkg,
    rtllm,
    scier,
    scierc,
    semeval2010,
    semeval2018,
    sroie,
    tables,
    verdicts,
    verilog_eval,
    world,
)
from bythebook.tasks.base import Task
from bythebook.tasks.world import answers, choice, circuits, fields, forms, joint, programs, scenes
from bythebook.tasks.world import tables as world_tables

__all__ = ["TASKS", "Task", "task_named"]

TASKS: dict[str, Task] = {
    "crossre": crossre.TASK,
    "documents": documents.TASK,
    "free_answers": free_answers.TASK,
    "key_values": key_values.TASK,
    "mcqa": mcqa.TASK,
    "mdkg": mdkg.TASK,
    "rtllm": rtllm.TASK,
    "scier": scier.TASK,
    "scierc": scierc.TASK,
    "semeval2010": semeval2010.TASK,
    "semeval2018": semeval2018.TASK,
    "sroie": sroie.TASK,
    "tables": tables.TASK,
    "verdicts": verdicts.TASK,
    "verilog_eval": verilog_eval.TASK,
    "world": world.TASK,
    "world_answers": answers.TASK,
    "world_circuits": circuits.TASK,
    "world_fields": fields.TASK,
    "world_forms": forms.TASK,
    "world_joint": joint.TASK,
    "world_mcqa": choice.TASK,
    "world_programs": programs.TASK,
    "world_scenes": scenes.TASK,
    "world_tables": world_tables.TASK,
}


def task_named(name: str) -> Task:
    """The task of that name. InputError lists what there is."""
    if name not in TASKS:
        raise InputError(f"no task {name!r}", remedy=f"there are: {', '.join(TASKS)}")
    return TASKS[name]
