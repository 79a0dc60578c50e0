"""Next tokens from logits, drawn from the distribution that `generate` of transformers draws from.

Scores go through transformers' own processors, in the order of its `generate`. What differs is how a token is drawn:
one uniform number is looked up in the cumulative distribution (inverse transform sampling: Devroye 1986, chapter III.2)
where the library draws an exponential number for every token of the vocabulary. Each completion has a stream of such
numbers of its own, so that nothing depends on what is decoded beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

__all__ = ["Drawing", "Guide", "Sampler", "draw"]

# Shapes: R rows (one a completion), C cells of a step, each a row or a hole, V vocabulary.

_BLOCK = 128
"""Tokens of the vocabulary that are looked up together."""


@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn, in the terms of transformers' `GenerationConfig`."""

    max_new_tokens: int
    stop_ids: tuple[int, ...] = ()
    temperature: float = 1.0
    """0 is greedy decoding."""
    top_k: int = 0
    """0 is all."""
    top_p: float = 1.0
    min_p: float | None = None
    repetition_penalty: float = 1.0
    """Of tokens that stand in the prompt or were written."""

    @property
    def greedy(self) -> bool:
        return self.temperature == 0


class Guide(Protocol):
    """What may be drawn, by what the rows have written."""

    def restrict(self, scores: Tensor, rows: Sequence[int]) -> Tensor:
        """(C, V): scores with -inf for what may not; cell i is row `rows[i]`, or a hole where that is -1."""

    def wrote(self, row: int, token: int) -> None:
        """A row has a new token."""


class Sampler:
    """Draws the next tokens of R rows. `streams` are their numbers in the run with this seed."""

    def __init__(
        self,
        drawing: Drawing,
        prompts: Sequence[Sequence[int]],
        streams: Sequence[int],
        seed: int,
        device: torch.device,
        guide: Guide | None = None,
    ) -> None:
        self.drawing = drawing
        self._guide = guide
        rows, steps = len(prompts), drawing.max_new_tokens
        self._noise: Tensor | None = None
        if not drawing.greedy:
            noise = np.ones((rows + 1, steps))  # the last row is that of holes
            for row, stream in enumerate(streams):
                noise[row] = 1.0 - np.random.default_rng([seed, stream]).random(steps)
            self._noise = torch.from_numpy(noise).to(device)
        self._seen: Tensor | None = None  # (R + 1, longest prompt + steps), padded on the left
        if drawing.repetition_penalty != 1:
            self._width = max(map(len, prompts))
            self._starts = torch.tensor([self._width - len(prompt) for prompt in prompts] + [0], device=device)
            padded = [[0] * (self._width - len(prompt)) + [*prompt, *[0] * steps] for prompt in prompts]
            self._seen = torch.tensor([*padded, [0] * (self._width + steps)], device=device)
        self._cells: Sequence[int] = range(rows)
        self._rows = torch.arange(rows, device=device)
        self._processors = self._warpers()

    def arrange(self, rows: Sequence[int]) -> None:
        """From now on cell i is row `rows[i]`, or a hole where that is -1."""
        self._cells = rows
        self._rows = torch.tensor(rows, device=self._rows.device)  # -1 is the row of holes
        self._processors = self._warpers()

    def next(self, logits: Tensor, step: int) -> Tensor:
        """(C,): tokens drawn from logits (C, V); V or more where what is drawn from is not of numbers."""
        scores = logits.to(torch.float32)
        if self._guide is not None:
            scores = self._guide.restrict(scores, self._cells)
        if self._processors:
            seen = self._rows.unsqueeze(-1) if self._seen is None else self._seen[self._rows, : self._width + step]
            scores = self._processors(cast(torch.LongTensor, seen), cast(torch.FloatTensor, scores))
        tokens = scores.argmax(dim=-1) if self._noise is None else draw(scores, self._noise[self._rows, step])
        if self._seen is not None:
            self._seen[self._rows, self._width + step] = tokens.clamp(max=scores.shape[-1] - 1)
        return tokens

    def wrote(self, row: int, token: int) -> None:
        """A row goes on after this token, or ends with it."""
        if self._guide is not None:
            self._guide.wrote(row, token)

    def _warpers(self) -> LogitsProcessorList:
        d, found = self.drawing, LogitsProcessorList()
        if self._seen is not None:
            starts = self._starts[self._rows]
            found.append(RepetitionPenaltyLogitsProcessor(float(d.repetition_penalty), prompt_ignore_length=starts))
        if d.greedy:
            return found
        if d.temperature != 1:
            found.append(TemperatureLogitsWarper(float(d.temperature)))
        if d.top_k:
            found.append(TopKLogitsWarper(d.top_k))
        if d.top_p < 1:
            found.append(TopPLogitsWarper(d.top_p))
        if d.min_p is not None:
            found.append(MinPLogitsWarper(d.min_p))
        return found


def draw(scores: Tensor, uniform: Tensor) -> Tensor:
    """(C,): for each row of scores (C, V) the token at `uniform` (C,), in (0, 1], of the distribution softmax(scores);
    V or more for a row that is not of numbers.

    First a block of tokens is looked up, then a token in it: a running sum over the whole vocabulary is slow. Running
    sums are in double precision.
    """
    weights = (scores - scores.amax(dim=-1, keepdim=True)).exp_()
    blocks = torch.nn.functional.pad(weights, (0, -weights.shape[-1] % _BLOCK)).unflatten(-1, (-1, _BLOCK))
    sums = blocks.sum(dim=-1)
    edges = torch.nn.functional.pad(sums.cumsum(dim=-1, dtype=torch.float64), (1, 0))
    # What reaches a target first adds to the sum: neither a block nor a token of probability 0 is found.
    target = uniform.unsqueeze(-1) * edges[:, -1:]
    block = torch.searchsorted(edges[:, 1:].contiguous(), target)  # (C, 1)
    inside = block.clamp(max=sums.shape[-1] - 1)
    running = blocks.take_along_dim(inside.unsqueeze(-1), dim=1).squeeze(1).cumsum(dim=-1, dtype=torch.float64)
    share = (target - edges.gather(1, inside)) / sums.gather(1, inside)
    token = torch.searchsorted(running, (share * running[:, -1:]).minimum(running[:, -1:]))
    return (block * _BLOCK + token).squeeze(-1)
