"""What the rooms above need of a model: text in, completions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bythebook.generation.sampling import Sampling
from bythebook.generation.settings import ModelSettings
from bythebook.types import Completion

if TYPE_CHECKING:
    from bythebook.generation.constraint import Constraint

__all__ = ["Messages", "Model", "Progress"]

Messages = list[dict[str, Any]]
"""One prompt as chat messages: `[{"role": "user", "content": "…"}]`. Where a picture goes with it, the content is a
list of parts, `[{"type": "image", "image": …}, {"type": "text", "text": "…"}]`, the picture as the bytes of its file. A
model whose attribute `sees` is not true is never given any."""

Progress = Callable[[int, int], None]
"""Called with (done, total), both in prompts."""


@runtime_checkable
class Model(Protocol):
    """Anything that completes prompts."""

    @property
    def name(self) -> str:
        """What a person calls it; stands in predictions and messages."""

    @property
    def prefilled(self) -> bool:
        """Whether the chat template opens `<think>` itself, so that completions start inside it."""

    @property
    def settings(self) -> ModelSettings:
        """How the model wants to be asked."""

    def generate(
        self,
        prompts: Sequence[Messages],
        sampling: Sampling,
        progress: Progress | None = None,
        *,
        constraints: Sequence[Constraint | None] | None = None,
    ) -> list[list[Completion]]:
        """`sampling.n` completions for each prompt, in the order of the prompts.

        The text is without special tokens; `tokens` counts the generated tokens, the end token included. A prompt
        that does not fit into the model's context gets completions with the finish reason `error`.

        `constraints`, one a prompt, bound what is written; None: nothing does. A model whose attribute `constrains` is
        not true is never given any (`generate_constrained`).
        """

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Words of `texts` that a model of closed vocabulary was never taught, each once; empty for other models."""
