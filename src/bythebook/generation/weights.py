"""A folder or hub name → model and tokenizer, whole or as a LoRA adapter on its base model.

Weights are safetensors, and no code of a repository is run. An adapter is merged into its base, so that whoever uses
the model needs to know nothing of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation.chat import sees

__all__ = ["ADAPTER_CONFIG", "load_weights"]

ADAPTER_CONFIG = "adapter_config.json"
"""The file by which peft's adapters are known."""


def load_weights(
    location: Path | str, *, dtype: Any, revision: str | None = None, pictures: bool = False
) -> tuple[Any, Any]:
    """(model on the CPU, tokenizer). `dtype` is a torch dtype or its name, or `auto`. ModelError if they can't be
    loaded; MissingExtraError for an adapter without peft.

    A model that reads pictures comes with its processor in the place of the tokenizer: one that does nothing else, and
    with `pictures` every one that can. MissingExtraError for it without Pillow."""
    try:
        if (Path(location) / ADAPTER_CONFIG).is_file():
            return _adapted(Path(location), dtype, pictures)
        return _whole(location, dtype, revision, pictures)
    except (MissingExtraError, ModelError):
        raise
    except Exception as error:
        # Loading fails in many ways (no network, no such repository, broken weights, foreign architecture), and every
        # one of them is about what the user named.
        raise _not_loadable(location, error) from error


def _whole(location: Path | str, dtype: Any, revision: str | None, pictures: bool) -> tuple[Any, Any]:
    known = {"revision": revision} if revision else {}
    with _quiet():
        reader, kind = _classes(location, known, pictures)
        tokenizer = reader.from_pretrained(location, **known)
        loaded: Any = kind.from_pretrained(
            location, dtype=dtype, use_safetensors=True, output_loading_info=True, **known
        )
    model, found = loaded
    if missing := sorted(found["missing_keys"]):
        # The library would fill them with random numbers, and say so in a table.
        named = f"{missing[0]} and {len(missing) - 1} others" if len(missing) > 1 else missing[0]
        raise ModelError(f"the weights lack {named}", file=location, remedy="save the whole model again")
    return model, tokenizer


def _classes(location: Path | str, known: dict[str, str], pictures: bool) -> tuple[Any, Any]:
    """The classes of transformers that read tokenizer, or processor, and weights."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor, AutoTokenizer
    from transformers.models.auto import modeling_auto as known_kinds

    text = AutoTokenizer, AutoModelForCausalLM
    try:
        config = type(AutoConfig.from_pretrained(location, **known))
    except Exception:
        return text  # which says what is wrong
    if config not in known_kinds.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return text
    if config in known_kinds.MODEL_FOR_CAUSAL_LM_MAPPING and not pictures:
        return text
    if find_spec("PIL") is None:
        raise MissingExtraError("a model that reads pictures", "images")
    return AutoProcessor, AutoModelForImageTextToText


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the library logs of a model that does not fit together: that is an error here."""
    from transformers.utils.logging import get_verbosity, set_verbosity

    before = get_verbosity()
    set_verbosity(max(before, logging.ERROR))
    try:
        yield
    finally:
        set_verbosity(before)


def _adapted(folder: Path, dtype: Any, pictures: bool) -> tuple[Any, Any]:
    from bythebook.generation.loading import local_path

    settings = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    base = settings.get("base_model_name_or_path") if isinstance(settings, dict) else None
    if not isinstance(base, str) or not base:
        raise ModelError("the adapter does not name its base model", file=folder / ADAPTER_CONFIG)
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError("no adapter_model.safetensors here", file=folder, remedy="save the adapter as safetensors")
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("a LoRA adapter", "train") from None
    place = local_path(base) or base
    if place == folder or (Path(place) / ADAPTER_CONFIG).is_file():
        raise ModelError("the base of the adapter is an adapter", file=folder, remedy="merge that one first")
    revision = settings.get("revision")
    model, tokenizer = _whole(place, dtype, revision if isinstance(revision, str) else None, pictures)
    merged = PeftModel.from_pretrained(model, str(folder), use_safetensors=True).merge_and_unload()
    merged.requires_grad_(True)  # peft has frozen the base
    if (folder / "tokenizer_config.json").is_file() and not sees(tokenizer):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
    return merged, tokenizer


def _reason(error: BaseException) -> str:
    """The first line of what a library says, with the next one where the first only announces it."""
    lines = [line for text in str(error).splitlines() if (line := text.strip())] or [type(error).__name__]
    if "ignore_mismatched_sizes" in lines[0]:
        return "its weights have other shapes than its config.json says"
    return " ".join(lines[: 2 if lines[0].endswith(":") else 1])[:300]


def _not_loadable(location: Path | str, error: BaseException) -> ModelError:
    reason = _reason(error)
    if Path(location).is_dir():
        return ModelError(
            f"the model can't be loaded: {reason}",
            file=location,
            remedy="it must be a transformers model directory with config.json, tokenizer and safetensors weights",
        )
    return ModelError(
        f"no model {str(location)!r}: no such folder, and the hub can't be reached or has no model of that name "
        f"with safetensors weights ({reason})",
        remedy="give the path of a model directory, 'embedded', or a hub name such as Qwen/Qwen2.5-7B-Instruct",
    )
