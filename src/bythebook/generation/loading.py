"""A name or a path → a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from bythebook.errors import ModelError
from bythebook.generation.endpoint import Endpoint, server_at
from bythebook.generation.model import Model
from bythebook.generation.settings import ModelSettings, settings_of
from bythebook.generation.weights import ADAPTER_CONFIG

__all__ = [
    "EMBEDDED",
    "EMBEDDED_JOINT",
    "SERVED",
    "Backend",
    "embedded_path",
    "folder_of",
    "load_model",
    "local_path",
]

Backend = Literal["transformers", "vllm", "openai"]

EMBEDDED = "embedded"
"""The name of the model that comes with the package and classifies relations."""

EMBEDDED_JOINT = "embedded-joint"
"""The name of the one that extracts entities and relations."""

_FOLDERS = {EMBEDDED: "embedded", EMBEDDED_JOINT: "embedded_joint"}

SERVED = "openai:"
"""What the name of a model behind an endpoint begins with."""

_CONFIG = "config.json"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")


def embedded_path(name: str = EMBEDDED) -> Path:
    """Where a model that comes with the package lies. KeyError for another name."""
    return Path(__file__).parents[1] / _FOLDERS[name]


def folder_of(name_or_path: str | Path) -> Path:
    """The folder that is meant: of a model in the package, or the path itself, whether it is there or not. RuntimeError
    for the home of a user who is not there."""
    name = str(name_or_path)
    return embedded_path(name) if name in _FOLDERS else Path(name).expanduser()


def load_model(
    name_or_path: str | Path,
    backend: Backend | None = None,
    device: str | None = None,
    dtype: str | None = None,
    *,
    endpoint: Endpoint | str | None = None,
    pictures: bool = False,
) -> Model:
    """The model of that directory, of that hub name, or one that comes with the package (`embedded`,
    `embedded-joint`).

    A directory of that name comes before the hub; it may be a LoRA adapter. `openai:NAME` is the model NAME of the
    server at `endpoint`. The backend defaults to what the name asks for, transformers where it asks for nothing.
    With `pictures` a model that can read them does (`weights.load_weights`).
    ModelError if there is no such model or it can't be loaded, MissingExtraError if the backend is not installed.
    """
    name = str(name_or_path)
    if endpoint is not None or name.startswith(SERVED) or backend == "openai":
        return _served(name.removeprefix(SERVED), backend, endpoint)
    location = local_path(name) or name
    settings = settings_of(location) if isinstance(location, Path) else ModelSettings()
    if backend == "vllm":
        if device not in (None, "cuda"):
            raise ModelError(f"vLLM runs on GPUs, not on {device!r}", remedy="use the transformers backend")
        if isinstance(location, Path) and not (location / _CONFIG).is_file():
            raise ModelError("vLLM needs a whole model", file=location, remedy="name the folder of the merged model")
        from bythebook.generation.vllm_backend import VllmModel

        return VllmModel(location, name=name, settings=settings, dtype=dtype)
    if backend not in (None, "transformers"):
        raise ModelError(f"no backend {backend!r}", remedy="transformers, vllm or openai")
    from bythebook.generation.transformers_backend import TransformersModel

    more: dict[str, Any] = {"device": device, "dtype": dtype, "pictures": pictures}
    return TransformersModel.load(location, name=name, settings=settings, **more)


def local_path(name: str) -> Path | None:
    """The folder of a model or adapter on this machine; None for a hub name. ModelError for what is neither."""
    try:
        path = folder_of(name)
    except RuntimeError:
        raise ModelError(f"no model {name!r}: no such home folder", remedy="write the path without ~") from None
    if not name:
        raise ModelError("the name of the model is empty", remedy="name the folder of a saved model")
    if path.is_dir():
        if not any((path / file).is_file() for file in (_CONFIG, ADAPTER_CONFIG)):
            raise ModelError("no config.json in this folder", file=path, remedy="name the folder of a saved model")
        return path
    if path.exists():
        raise ModelError("a model is a folder, this is a file", file=path, remedy="name the folder around it")
    if name in _FOLDERS or not _HUB_NAME.fullmatch(name):
        raise ModelError(f"no model {name!r}: no such folder", remedy="name the folder of a saved model")
    return None


def _served(name: str, backend: Backend | None, endpoint: Endpoint | str | None) -> Model:
    if backend not in (None, "openai"):
        raise ModelError(f"the backend {backend!r} asks no server", remedy="leave out the backend, or the endpoint")
    if not name or endpoint is None:
        raise ModelError(
            f"no {'endpoint' if name else 'name'} for the model {SERVED}{name}",
            remedy=f"give both: --model {SERVED}NAME --endpoint http://localhost:8000/v1",
        )
    if not isinstance(endpoint, Endpoint):
        endpoint = server_at(endpoint)
    from bythebook.generation.openai_backend import OpenAIModel

    return OpenAIModel(name, endpoint)
