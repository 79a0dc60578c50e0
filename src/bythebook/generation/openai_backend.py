"""Generation by any server that speaks OpenAI's protocol: vLLM, SGLang, llama.cpp, TGI, Ollama, or an API.

One request asks for one completion: not every server knows `n`, a failure then costs one completion, and each request
has a seed of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation.endpoint import Endpoint
from bythebook.generation.model import Messages, Progress
from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings
from bythebook.types import Completion

if TYPE_CHECKING:
    from bythebook.generation.constraint import Constraint

__all__ = ["OpenAIModel"]


class OpenAIModel:
    """A model behind an endpoint. What it could not be asked is a completion with the finish reason `error`."""

    constrains = True
    separate = True
    """What is drawn for a prompt does not depend on what else is asked: a resumed run asks for what is missing only."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        """`name` is what the server calls the model. ModelError if the API key can't be had; MissingExtraError without
        the HTTP client."""
        try:
            from bythebook.generation.openai_client import Client
        except ImportError:
            raise MissingExtraError("asking a server", "openai") from None
        self._model, self.endpoint = name, endpoint
        self._client = Client(endpoint, name, endpoint.api_key())

    @property
    def name(self) -> str:
        return f"openai:{self._model}"

    @property
    def chunk(self) -> int:
        """Prompts that the rooms above hand over at once: what an interruption costs at most. Enough of them that few
        places stay empty while the last ones are waited for."""
        return 4 * self.endpoint.concurrency

    @property
    def prefilled(self) -> bool:
        return self.endpoint.prefilled

    @property
    def settings(self) -> ModelSettings:
        return self.endpoint.settings

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        """See `Model`. None: nobody knows a server's vocabulary."""
        return ()

    def generate(
        self,
        prompts: Sequence[Messages],
        sampling: Sampling,
        progress: Progress | None = None,
        *,
        constraints: Sequence[Constraint | None] | None = None,
    ) -> list[list[Completion]]:
        """See `Model`. Whatever order the server answers in, the completions stand in the order of the prompts.
        Whether the server keeps to `constraints` is its own affair (`Endpoint.response_format`).

        ModelError for what no patience can mend: no such server, model or key, or every request refused; and for
        `constraints` to labels where the server is asked for JSON.
        """
        bounds = constraints or [None] * len(prompts)
        formats = [None if bound is None else self._format(bound) for bound in bounds]
        bodies = [body for asked in zip(prompts, formats, strict=True) for body in self._bodies(*asked, sampling)]
        left = [sampling.n] * len(prompts)

        def finished(number: int) -> None:
            left[number // sampling.n] -= 1
            if progress and not left[number // sampling.n]:
                progress(left.count(0), len(prompts))

        flat = self._client.ask(bodies, finished)
        if self.endpoint.response_format == "json_schema":
            flat = [_tagged(c) if "response_format" in b else c for b, c in zip(bodies, flat, strict=True)]
        return [flat[start : start + sampling.n] for start in range(0, len(flat), sampling.n)]

    def _format(self, constraint: Constraint) -> dict[str, Any]:
        """A constraint as `response_format` of a request."""
        if self.endpoint.response_format == "structural_tag":
            return constraint.structural_tag(prefilled=self.prefilled)
        if constraint.json_schema is None:
            raise ModelError("a label is no JSON that a server could be asked for", remedy="structural_tag asks for it")
        schema = {"name": "answer", "strict": True, "schema": constraint.json_schema}
        return {"type": "json_schema", "json_schema": schema}

    def _bodies(
        self, messages: Messages, response_format: dict[str, Any] | None, sampling: Sampling
    ) -> Iterator[dict[str, Any]]:
        for number in range(sampling.n):
            body: dict[str, Any] = {
                "model": self._model,
                "messages": messages,
                "max_tokens": sampling.max_new_tokens,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p if sampling.top_p < 1 else None,
                "seed": _seed(messages, sampling, number),
                "response_format": response_format,
                **self.endpoint.extra,
            }
            yield {key: value for key, value in body.items() if value is not None}


def _tagged(completion: Completion) -> Completion:
    """The answer with the tags that the server could not be asked for, behind the thinking that it took apart."""
    thinking, end, answer = completion.text.rpartition("</think>")
    if completion.finish_reason == "error" or "<answer>" in answer:
        return completion
    closed = "</answer>" if completion.finish_reason == "stop" else ""
    return completion.model_copy(update={"text": f"{thinking}{end}<answer>{answer}{closed}"})


def _seed(messages: Messages, sampling: Sampling, number: int) -> int:
    """By the prompt and not by its place, so that a resumed run draws what an uninterrupted one would have drawn."""
    digest = hashlib.sha256(f"{sampling.seed}:{sampling.temperature}:{number}:{json.dumps(messages)}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
