"""LoRA: the adapter that a recipe asks for, and saving what was trained as a whole model with the adapter beside it."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

from bythebook.errors import RecipeError
from bythebook.generation.weights import ADAPTER_CONFIG, load_weights
from bythebook.recipe import LoraSection, Recipe

__all__ = ["ADAPTER", "check_targets", "lora_config", "save_weights"]

ADAPTER = "adapter"
"""The folder of the adapter inside that of the merged model."""


def lora_config(recipe: Recipe) -> Any:
    """peft's configuration, None for full fine-tuning. RecipeError for LoRA on a model from scratch."""
    m = recipe.model
    if m.lora is None:
        return None
    if m.path == "scratch":
        raise RecipeError("model.lora adapts a trained model", remedy="remove model.lora, or set model.path")
    from peft import LoraConfig

    # GPT-2 keeps its weights transposed; peft sees it, sets the option and says so.
    warnings.filterwarnings("ignore", message="fan_in_fan_out is set to", category=UserWarning)
    named = m.lora.target_modules
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=m.lora.r,
        lora_alpha=m.lora.alpha,  # type: ignore[arg-type]  # any number works, peft says int
        lora_dropout=m.lora.dropout,
        target_modules=named if isinstance(named, str) else list(named),
        bias="none",
        revision=m.revision,
    )


def check_targets(lora: LoraSection, model: Any) -> None:
    """RecipeError for a name in `target_modules` that no layer of the model has; peft passes over it where another one
    fits."""
    if lora.target_modules == "all-linear":
        return
    layers = [name for name, m in model.named_modules() if getattr(getattr(m, "weight", None), "ndim", 0) >= 2]
    if isinstance(lora.target_modules, str):
        try:
            found = any(re.fullmatch(lora.target_modules, name) for name in layers)
        except re.error as error:
            raise RecipeError(f"model.lora.target_modules is no regular expression: {error}") from None
        missing = [] if found else [lora.target_modules]
    else:
        missing = [t for t in lora.target_modules if not any(f".{name}".endswith(f".{t}") for name in layers)]
    if missing or not lora.target_modules:
        named = ", ".join(sorted({name.rpartition(".")[2] for name in layers}))
        raise RecipeError(
            f"model.lora.target_modules: the model has no layer {missing[0] if missing else ''!r}",
            remedy=f"all-linear, or some of: {named}",
        )


def save_weights(model: Any, folder: Path, state: dict[str, Any] | None = None) -> None:
    """Save a model into `folder`; a LoRA model merged, with the adapter in `adapter/`.

    Merging happens on a copy of the base that is read anew, so that the model can go on training as it is; the base is
    where the adapter says (`base_model_name_or_path`). `state` are the gathered weights where no process holds them
    all.
    """
    if not hasattr(model, "peft_config"):
        model.save_pretrained(folder, state_dict=state)
        return
    adapter = folder / ADAPTER
    model.save_pretrained(adapter, selected_adapters=["default"], state_dict=state)
    _name_base(adapter, model)
    dtype = next(p.dtype for name, p in model.named_parameters() if "lora_" not in name)
    pictures = getattr(model.get_base_model(), "reads_pictures", False)
    merged, _ = load_weights(adapter, dtype=dtype, pictures=pictures)
    merged.save_pretrained(folder)


def _name_base(adapter: Path, model: Any) -> None:
    """Name the base as the recipe did (`embedded`, a hub name, a folder), not by where it lies on this machine."""
    named = getattr(model.get_base_model(), "named_in_recipe", None)
    file = adapter / ADAPTER_CONFIG
    settings = json.loads(file.read_text(encoding="utf-8"))
    if named is not None:
        settings["base_model_name_or_path"] = named
    file.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
