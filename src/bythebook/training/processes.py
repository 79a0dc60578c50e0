"""Several processes: how a step's rows are divided among them, and what is done once.

torchrun and accelerate launch name the processes in the environment; that the trainer found as many is checked.
"""

from __future__ import annotations

import os
from typing import Any

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe

__all__ = [
    "accumulation_steps",
    "check_processes",
    "gathered_state",
    "is_first",
    "is_sharded",
    "refuse_sharded",
    "world_size",
]


def world_size() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this process is the one that writes, scores and prints."""
    return os.environ.get("RANK", "0") == "0"


def accumulation_steps(rows: int, micro_batch_size: int, rows_from: str) -> int:
    """Micro-batches of one process in one optimiser step, so that all processes together see `rows` of them whatever
    their number. RecipeError if they can't."""
    processes = world_size()
    if rows % (micro_batch_size * processes):
        on = f" on {processes} processes" if processes > 1 else ""
        raise RecipeError(
            f"{rows} rows a step ({rows_from}) don't divide into micro-batches of {micro_batch_size}{on}",
            remedy=f"training.micro_batch_size: a divisor of {rows // processes}"
            if rows % processes == 0
            else f"start a number of processes that divides {rows}",
        )
    return rows // (micro_batch_size * processes)


def check_processes(trainer: Any) -> int:
    """The number of processes. RuntimeError if the launcher started others than the trainer found: each would train
    alone on a part of the batch."""
    found = int(trainer.accelerator.num_processes)
    if found != world_size():
        raise RuntimeError(f"{world_size()} processes were started, the trainer sees {found}")
    return found


def is_sharded() -> bool:
    """Whether no process holds the whole model."""
    return any(os.environ.get(f"ACCELERATE_USE_{kind}", "").lower() == "true" for kind in ("FSDP", "DEEPSPEED"))


def refuse_sharded(recipe: Recipe) -> None:
    """RecipeError where a recipe wants to look at a model in training of which no process holds the whole."""
    e = recipe.evaluation
    if is_sharded() and (e.every or e.choose_on):
        raise RecipeError(
            "evaluation.every: under FSDP or DeepSpeed no process can ask the model in training",
            remedy="set evaluation.every=0 and evaluation.choose_on=null; save_steps and `bythebook evaluate` instead",
        )


def gathered_state(trainer: Any) -> dict[str, Any] | None:
    """The whole weights where they lie in pieces (every process must call this), None where each has them all."""
    if not is_sharded():
        return None
    state: dict[str, Any] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    return state
