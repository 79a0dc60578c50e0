"""Where an OpenAI-compatible server listens, and how patiently it is asked."""

from __future__ import annotations

import os
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, FiniteFloat, ValidationError, field_validator

from bythebook.errors import ModelError, first_fault
from bythebook.generation.settings import ModelSettings
from bythebook.types import Noun

__all__ = ["DEFAULT_KEY_ENV", "Endpoint", "server_at"]

DEFAULT_KEY_ENV = "OPENAI_API_KEY"
_CALL = "/chat/completions"


class Endpoint(Noun):
    """A server and the terms on which it is asked. Times are in seconds.

    The API key itself never stands here, nor in a record or message: only the name of the environment variable.
    """

    url: str
    """The base address, such as `http://localhost:8000/v1`."""
    api_key_env: str | None = None
    """The variable that holds the key; None: `OPENAI_API_KEY` where it is set, no key where it isn't."""
    concurrency: int = Field(default=8, ge=1, le=1024)
    """Requests underway at once."""
    connect_timeout: FiniteFloat = Field(default=10.0, gt=0)
    read_timeout: FiniteFloat | None = Field(default=None, gt=0)
    """How long the server may send nothing; None: as long as `timeout`, since most send nothing until they are done."""
    timeout: FiniteFloat = Field(default=600.0, gt=0)
    """How long one request may take as a whole."""
    retries: int = Field(default=8, ge=0, le=100)
    """Attempts at one request after the first."""
    backoff: FiniteFloat = Field(default=0.5, ge=0)
    """Wait before the second attempt; it doubles with each further one."""
    longest_wait: FiniteFloat = Field(default=60.0, ge=0)
    """Bound on any wait, also on the one that a server asks for."""
    prefilled: bool = False
    """The server's chat template opens `<think>` itself, so that its answers start inside it."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request body (`top_k`, `stream`, `chat_template_kwargs`, …); one that is None is left
    out of it."""
    response_format: Literal["structural_tag", "json_schema"] = "structural_tag"
    """How a constraint is put to the server. `structural_tag`: thinking, tags and answer, which vLLM and SGLang know
    where they leave the thinking in the answer. `json_schema`: the answer alone, without thinking, or after thinking
    that the server takes apart; its tags are put around it here. One that knows neither may ignore it."""
    settings: ModelSettings = Field(default_factory=ModelSettings)
    """How the model wants to be asked: a server does not say."""

    @field_validator("url")
    @classmethod
    def _is_a_base_address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("an endpoint looks like http://localhost:8000/v1")
        return url.rstrip("/").removesuffix(_CALL)

    @property
    def address(self) -> str:
        """Where completions are asked for."""
        return self.url + _CALL

    @property
    def shown(self) -> str:
        """The address for people: without user name, password and query."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    def api_key(self) -> str | None:
        """The key, from the environment. ModelError if the variable that was named is not set, or holds no key."""
        key = os.environ.get(self.api_key_env or DEFAULT_KEY_ENV, "").strip()
        if not key and self.api_key_env:
            raise ModelError(
                f"the environment variable {self.api_key_env} holds no API key",
                remedy=f"export {self.api_key_env}=…, or name another variable",
            )
        if not key.isascii() or not key.isprintable():
            name = self.api_key_env or DEFAULT_KEY_ENV
            raise ModelError(f"what the environment variable {name} holds is no API key", remedy="ASCII, one line")
        return key or None


def server_at(url: str, **terms: Any) -> Endpoint:
    """The endpoint at `url` on these terms. ModelError if one of them is not possible."""
    try:
        return Endpoint.model_validate({"url": url, **terms})
    except ValidationError as error:
        where, what = first_fault(error)
        raise ModelError(
            f"endpoint: {where}: {what.removeprefix('Value error, ')}",
            remedy="the address of an OpenAI-compatible server, mostly with /v1 at its end",
        ) from None
