"""The penalty for long completions of CodeV-R1 (arXiv 2505.24183), beside what was earned."""

from __future__ import annotations

from pydantic import Field

from bythebook.types import Noun, Part, Verdict

__all__ = ["Overlong"]


class Overlong(Noun):
    """min(−(n − (L − b)) / b · factor, 0) for a completion of n tokens: 0 up to L − b, −factor at L. Published code,
    with L = 16,384 and b = 1,024."""

    limit: int = Field(default=16_384, ge=1)
    """L, in tokens."""
    buffer: int = Field(default=1024, ge=1)
    """b, in tokens."""
    factor: float = Field(default=1.0, ge=0)

    def penalty(self, tokens: int) -> float:
        """For a completion of that many tokens; 0 or less."""
        return min(-(tokens - (self.limit - self.buffer)) / self.buffer * self.factor, 0.0)

    def applied(self, verdict: Verdict, tokens: int) -> Verdict:
        """A verdict with the penalty as its part `overlong`. Status and the other parts stay, so that groups can be
        filtered by accuracy before it; what is unscored stays so."""
        if verdict.value is None:
            return verdict
        penalty = self.penalty(tokens)
        part = Part(value=penalty, weight=self.factor, reason=f"{tokens} tokens of {self.limit}")
        parts = {**verdict.parts, "overlong": part}
        return verdict.model_copy(update={"value": verdict.value + penalty, "parts": parts})
