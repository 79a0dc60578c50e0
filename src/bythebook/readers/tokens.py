"""Tokenised sentences with spans of tokens → documents with offsets of characters."""

from __future__ import annotations

from collections.abc import Sequence

from bythebook.types import Span

__all__ = ["TokenText"]


class TokenText:
    """Tokens joined by single spaces, which is how a tokenised release is read."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.text = " ".join(tokens)
        self._starts, at = [], 0
        for token in tokens:
            self._starts.append(at)
            at += len(token) + 1
        self._ends = [start + len(token) for start, token in zip(self._starts, tokens, strict=True)]

    def __len__(self) -> int:
        return len(self._starts)

    def span(self, first: int, last: int) -> Span | None:
        """Characters of the tokens `first` to `last` (inclusive); None where there are no such tokens."""
        if not 0 <= first <= last < len(self):
            return None
        return Span(start=self._starts[first], end=self._ends[last])

    def known_span(self, first: int, last: int) -> Span:
        """`span` of tokens that are known to be there; ValueError if they are not."""
        span = self.span(first, last)
        if span is None:
            raise ValueError(f"no tokens {first} to {last}")
        return span
