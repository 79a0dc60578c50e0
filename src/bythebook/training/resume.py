"""What a run directory holds when a run starts, goes on or ends.

The directory belongs to the recipe in its `recipe.yaml`. To go on, the recipe must be the same but for `FREE`, and the
training examples must be those of the checkpoint. `training.max_steps` may be raised where the learning rate does not
depend on it (`constant_with_warmup`) and no model is chosen on a split; the result is that of a longer run. Under any
other schedule the steps already taken would have had other learning rates, and no run would have led there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.generation import ModelSettings, write_settings
from bythebook.recipe import Recipe, dump_recipe, load_recipe
from bythebook.records import keep_lines, write_text
from bythebook.training.adapters import save_weights
from bythebook.training.checkpoints import checkpoint_step, discard, newest_checkpoint, saving, sync_tree

__all__ = ["FREE", "claim", "finished_model", "keep_model", "refuse_unfinished", "resumable", "rewind"]

FREE = {
    "name": "a label",
    "system": "a label",
    "paper": "a label",
    "needs": "a label",
    "data.path": "the examples read from it are compared themselves",
    "training.save_steps": "when to save changes nothing else",
    "training.keep_checkpoints": "likewise",
    "training.threads": "another number of threads rounds otherwise, but runs go on on other machines",
    "evaluation.samples": "scores come after training",
    "evaluation.final_limit": "likewise",
    "evaluation.temperature": "likewise",
}
"""Keys of a recipe that a resumed run may change, and why."""

_PATHS = ("model.path",)


def finished_model(output: Path) -> Path | None:
    """The model, or the adapter, of a finished run; None where there is none. `model` never holds half of one."""
    return output / "model" if (output / "model").is_dir() else None


def refuse_unfinished(*outputs: Path) -> None:
    """InputError if one of them holds an unfinished run with a checkpoint, which a new run would remove."""
    for output in outputs:
        found = newest_checkpoint(output / "checkpoints")
        if found and not finished_model(output):
            raise InputError(
                f"there is an unfinished run here, with a checkpoint of step {checkpoint_step(found[0])}",
                file=output,
                remedy="--resume goes on with it; to start anew, choose another --output",
            )


def claim(recipe: Recipe, output: Path, *, resume: bool) -> None:
    """Make the directory this recipe's. Without `resume`, what an unfinished run left is removed; InputError if there
    is a finished one. With `resume`, InputError that names the changed keys if it is another recipe's."""
    file = output / "recipe.yaml"
    if not resume:
        if finished_model(output):
            raise InputError("there is a finished run here", file=output, remedy="choose another --output")
        discard(output / "checkpoints")
        rewind(output, 0)
    elif file.is_file():
        _compare(load_recipe(file), recipe, output)
    output.mkdir(parents=True, exist_ok=True)
    write_text(file, dump_recipe(recipe))


def _compare(before: Recipe, now: Recipe, output: Path) -> None:
    old, new = dict(_leaves(before.model_dump(mode="json"))), dict(_leaves(now.model_dump(mode="json")))
    changed = [key for key in {**old, **new} if key not in FREE and old.get(key) != new.get(key)]
    if changed == ["training.max_steps"] and _may_be_longer(before, now):
        discard(output / "model")  # of the shorter run
    elif changed:
        named = ", ".join(f"{key} ({old.get(key)} → {new.get(key)})" for key in changed)
        remedy = "give the settings it was started with, or choose another --output"
        if changed == ["training.max_steps"]:
            remedy = "the learning rates of its steps depend on it; to train on, start a run with model.path=…/model"
        raise InputError(f"the run here was started with another {named}", file=output / "recipe.yaml", remedy=remedy)


def _may_be_longer(before: Recipe, now: Recipe) -> bool:
    t = now.training
    # A chosen model has left the folder of candidates when training ended.
    free = t.lr_scheduler == "constant_with_warmup" and now.evaluation.choose_on is None
    return free and t.max_steps > before.training.max_steps


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{name}.")
        elif name in _PATHS and isinstance(value, str) and Path(value).exists():
            yield name, str(Path(value).resolve())  # one folder has many names
        else:
            yield name, value


def resumable(output: Path, examples: str) -> Path | None:
    """The checkpoint to go on from, None where there is none. InputError if it was made with other examples than those
    of the digest `examples`."""
    found = newest_checkpoint(output / "checkpoints")
    if found is None:
        return None
    checkpoint, made_with = found
    if made_with != examples:
        raise InputError(
            "the training examples are not those that this checkpoint was made with",
            file=checkpoint,
            remedy="give the same data, or choose another --output",
        )
    return checkpoint


def rewind(output: Path, step: int) -> None:
    """Drop what a former attempt wrote after step `step`, from which this one goes on: it is made again."""
    # A rollout's step counts the updates before it, a metric's step those up to it. A probe precedes the first step.
    for file, last in ((output / "metrics.jsonl", step), (output / "records" / "rollouts.jsonl", step - 1)):
        if file.exists():
            keep_lines(file, lambda row, last=last: step > 0 and row["step"] <= last)  # type: ignore[misc]


def keep_model(
    model: Any, tokenizer: Any, settings: ModelSettings, folder: Path, state: dict[str, Any] | None = None
) -> None:
    """Save all three; the folder appears whole or not at all. `state`: see `save_weights`. InputError where it can't be
    written."""
    temporary = folder.with_name(f".part-{folder.name}")
    discard(temporary)
    with saving(temporary):
        save_weights(model, temporary, state)
        tokenizer.save_pretrained(temporary)
        write_settings(temporary, settings)
        sync_tree(temporary)
        temporary.rename(folder)
