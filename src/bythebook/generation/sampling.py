"""How completions are drawn."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from bythebook.types import Noun

__all__ = ["Sampling"]


class Sampling(Noun):
    """Settings of one generation run.

    Nothing of a checkpoint's own generation settings (top-k, repetition penalty, …) is mixed in: what stands here is
    all there is, so that two models are compared under the same rule.
    """

    temperature: float = Field(default=1.0, ge=0, le=100)
    """0 is greedy decoding."""
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_new_tokens: int = Field(default=1024, ge=1)
    n: int = Field(default=1, ge=1)
    """Completions for each prompt."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    batch_size: int = Field(default=64, ge=1)
    """Sequences decoded at once (prompts × n), where the backend does not batch by itself."""

    @model_validator(mode="after")
    def _greedy_gives_one(self) -> Self:
        if self.greedy and self.n > 1:
            raise ValueError(f"greedy decoding gives one completion: n must be 1 at temperature 0, got {self.n}")
        return self

    @property
    def greedy(self) -> bool:
        return self.temperature == 0

    def as_greedy(self) -> Self:
        """The same settings at temperature 0, one completion for each prompt."""
        return type(self).model_validate({**self.model_dump(), "temperature": 0.0, "top_p": 1.0, "n": 1})

    def drawing(self, n: int, seed: int) -> Self:
        """The same settings for `n` completions with another seed."""
        return type(self).model_validate({**self.model_dump(), "n": n, "seed": seed})
