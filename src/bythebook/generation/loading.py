"""A name or a path → a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from bythebook.errors import ModelError
from bythebook.generation.model import Model
from bythebook.generation.settings import ModelSettings, settings_of

__all__ = ["EMBEDDED", "Backend", "embedded_path", "load_model"]

Backend = Literal["transformers", "vllm"]

EMBEDDED = "embedded"
"""The name of the model that comes with the package."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")


def embedded_path() -> Path:
    """Where the model that comes with the package lies."""
    return Path(__file__).parents[1] / "embedded"


def load_model(
    name_or_path: str | Path, backend: Backend = "transformers", device: str | None = None, dtype: str | None = None
) -> Model:
    """The model of that directory, of that hub name, or the one that comes with the package (`embedded`).

    A directory of that name comes before the hub. ModelError if there is no such model or it can't be loaded,
    MissingExtraError if the backend is not installed.
    """
    name = str(name_or_path)
    path = embedded_path() if name == EMBEDDED else Path(name_or_path).expanduser()
    location: str | Path = path
    settings = ModelSettings()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError("no config.json in this folder", file=path, remedy="name the folder of a saved model")
        settings = settings_of(path)
    elif path.exists():
        raise ModelError("a model is a folder, this is a file", file=path, remedy="name the folder around it")
    elif name == EMBEDDED or not _HUB_NAME.fullmatch(name):
        raise ModelError(f"no model {name!r}: no such folder", remedy="name the folder of a saved model")
    else:
        location = name
    if backend == "vllm":
        if device not in (None, "cuda"):
            raise ModelError(f"vLLM runs on GPUs, not on {device!r}", remedy="use the transformers backend")
        from bythebook.generation.vllm_backend import VllmModel

        return VllmModel(location, name=name, settings=settings, dtype=dtype)
    if backend != "transformers":
        raise ModelError(f"no backend {backend!r}", remedy="transformers or vllm")
    from bythebook.generation.transformers_backend import TransformersModel

    return TransformersModel.load(location, name=name, settings=settings, device=device, dtype=dtype)
