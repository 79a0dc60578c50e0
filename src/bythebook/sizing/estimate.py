"""What a run will take: tokens, memory, GPUs. Nothing is trained, and no weights are read."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.generation import EMBEDDED, EMBEDDED_JOINT, folder_of
from bythebook.generation.counting import count_tokens
from bythebook.prompts import render, style_of
from bythebook.recipe import Recipe, load_recipe
from bythebook.sizing.architectures import Architecture, architecture_of
from bythebook.sizing.memory import GB, Plan, gpus_needed, memory
from bythebook.tasks import task_named
from bythebook.tasks.mixture import training_examples, training_target
from bythebook.types import Example

__all__ = ["DEVICES", "estimate", "plan_of"]

DEVICES = (80, 141)
"""GB of the GPUs asked about: A100/H100 and H200."""
_CHARACTERS_PER_TOKEN = 3.5
"""Our choice, on the safe side: English prose has about 4, labels and marks fewer."""
_MEASURED = 512
"""Examples whose prompts are measured."""


def estimate(recipe: Recipe) -> dict[str, Any]:
    """`{"model", "prompts", "tokens", "memory", "notes"}`.

    `model`: parameters and where the architecture was found; None if it is not known. `prompts`: mean and longest
    prompt (in SFT also target) in tokens, and how they were measured; None if the data can't be read. `tokens`: of a
    step and in all; completions count with their longest length. `memory`: for each size of GPU (in GB) the smallest
    number of GPUs that hold the run and GB on each, part by part; None where none do. `notes` say what is missing.
    """
    notes: list[str] = []
    found: dict[str, Any] = {"model": None, "prompts": None, "tokens": None, "memory": None, "notes": notes}
    prompts = architecture = None
    try:
        prompts = found["prompts"] = _measure(recipe, _training_examples(recipe))
        found["tokens"] = _tokens(recipe, prompts)
    except InputError as error:
        notes.append(f"prompts are not known: {error}")
    try:
        # A warm start's model is trained on: it has the size of the one that the warm start begins with.
        started = load_recipe(recipe.warm_start) if recipe.warm_start else recipe
        architecture, source = architecture_of(started.model)
        found["model"] = {"parameters": architecture.parameters, "source": source}
    except InputError as error:
        notes.append(f"memory is not known: {error}")
    if architecture and prompts:
        plan = plan_of(recipe, architecture, prompts["longest"], prompts["longest_completion"])
        found["memory"] = {str(size): _memory(architecture, plan, size) for size in DEVICES}
    elif architecture:
        states = memory(architecture, plan_of(recipe, architecture, 1, 1), 1).states / GB
        notes.append(f"weights, gradients and optimiser states alone take {states:.1f} GB, the rest is not known")
    return found


def plan_of(recipe: Recipe, architecture: Architecture, prompt: int, completion: int) -> Plan:
    """What GPUs do in a step of this recipe, with a prompt and a completion of so many tokens."""
    t, rollout, lora = recipe.training, recipe.rollout, recipe.model.lora
    # A pattern of names counts as all of them: at most too much.
    adapted = lora.target_modules if lora and not isinstance(lora.target_modules, str) else ()
    packed = 1 if rollout else t.sentences_per_row
    return Plan(
        rl=rollout is not None,
        weight_bytes=4 if recipe.model.dtype == "float32" else 2,
        compute_bytes=2 if t.bf16 or recipe.model.dtype == "bfloat16" else 4,
        reference=recipe.objective is not None and recipe.objective.largest_beta > 0,
        critic=recipe.objective is not None and recipe.objective.ppo is not None,
        adapters=architecture.adapter_parameters(lora.r, adapted) if lora else 0,
        # More than there are is a fault that training names.
        frozen_layers=min(recipe.model.freeze, architecture.layers),
        checkpointing=t.gradient_checkpointing,
        rows=t.micro_batch_size,
        rows_per_step=rollout.prompts_per_step * rollout.num_generations if rollout else t.batch_size,
        row_tokens=packed * (prompt + completion),
        predicted=packed * completion,
        vllm=rollout is not None and rollout.use_vllm,
    )


def _training_examples(recipe: Recipe) -> list[Example]:
    data = recipe.data
    own = task_named(data.task).read(data.path, **data.options).get(data.train_split, [])
    if not own:
        raise InputError(f"task {data.task!r} gives no examples in split {data.train_split!r}")
    return training_examples(recipe, own)


def _measure(recipe: Recipe, examples: Sequence[Example]) -> dict[str, Any]:
    """Lengths in tokens, by the model's tokenizer if it is on this machine, otherwise from characters."""
    some = examples[:: -(-len(examples) // _MEASURED)]
    style = style_of(recipe.prompt)
    prompts = [render(e, style) for e in some]
    rng = random.Random(recipe.seed)
    targets: list[str] = []
    if recipe.method == "sft":
        target = training_target(recipe)
        targets = [target(e, rng) for e in some]
    counted = count_tokens(_tokenizer_of(recipe), prompts, targets)
    how = "the model's tokenizer"
    if counted is None:
        how = f"characters, {_CHARACTERS_PER_TOKEN} a token: the model's tokenizer is not on this machine"
        counted = [_by_characters(p[0]["content"]) for p in prompts], [_by_characters(t) for t in targets]
    if any(e.picture for e in some):
        how += "; the tokens of pictures come on top"
    lengths, completions = counted
    longest = recipe.rollout.max_completion_length if recipe.rollout else max(completions) + 1
    return {
        "examples": len(examples),
        "measured": len(some),
        "how": how,
        "mean": sum(lengths) / len(lengths),
        "longest": max(lengths),
        "mean_completion": None if recipe.rollout else sum(completions) / len(completions) + 1,
        "longest_completion": longest,
    }


_WITH_WORDS = {"world": EMBEDDED, "world_joint": EMBEDDED_JOINT}


def _tokenizer_of(recipe: Recipe) -> str | Path:
    """Where the tokenizer lies. A model from scratch on the world's words has that of an embedded model."""
    words = recipe.model.scratch.get("words") if recipe.model.path == "scratch" else None
    name = _WITH_WORDS.get(str(words), recipe.model.path)
    folder = folder_of(name)
    return folder if folder.is_dir() else name


def _by_characters(text: str) -> int:
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def _tokens(recipe: Recipe, prompts: dict[str, Any]) -> dict[str, Any]:
    """Tokens of a step and in all, and passes over the examples."""
    t, rollout = recipe.training, recipe.rollout
    if rollout:
        drawn, rows = rollout.prompts_per_step, rollout.prompts_per_step * rollout.num_generations
        completions = rows * prompts["longest_completion"]
    else:
        drawn = rows = t.batch_size * t.sentences_per_row
        completions = round(rows * prompts["mean_completion"])
    asked = round(rows * prompts["mean"])
    step = {"completions": rows, "prompt_tokens": asked, "completion_tokens_at_most": completions}
    return {
        "step": step,
        "in_all": {name: n * t.max_steps for name, n in step.items()},
        "passes": drawn * t.max_steps / prompts["examples"],
    }


def _memory(architecture: Architecture, plan: Plan, size: int) -> dict[str, Any] | None:
    found = gpus_needed(architecture, plan, size * GB)
    if found is None:
        return None
    parts = {name: _gb(n) for name, n in found.model_dump().items() if name != "gpus"}
    return {"gpus": found.gpus, "peak_gb": _gb(found.peak), "parts_gb": parts}


def _gb(number: int) -> float:
    return round(number / GB, 3)
