"""The loop of decoding: prompts that were prefilled → completions, all rows together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bythebook.errors import ModelError
from bythebook.generation.shared.arrangement import Arrangement, arrange
from bythebook.generation.shared.decode_attention import DecodeAttention
from bythebook.generation.shared.interface import forward_arguments
from bythebook.generation.shared.prefill import Prefilled
from bythebook.generation.shared.sampler import Sampler

__all__ = ["decode"]

# Shapes: R rows, J prompts, C cells, V vocabulary.


def decode(
    model: Any, prompts: Prefilled, rows_of: Sequence[Sequence[int]], sampler: Sampler, most: Sequence[int]
) -> list[list[int]]:
    """Token ids written by each of the R rows, the stop token included. `rows_of` (J) are the rows of each prompt, in
    the order of the pack; row i writes `most[i]` tokens at most. The model answers to the engine, and gradients are
    off. ModelError for outputs that are no numbers."""
    cells = arrange(rows_of)
    sampler.arrange(cells.rows)
    written: list[list[int]] = [[] for _ in most]
    finished: set[int] = set()
    prompt_lengths = torch.tensor(prompts.lengths, device=prompts.logits.device)  # (J,)
    of = _prompts_of(cells, prompts)  # (C,)
    logits = prompts.logits[of]  # (C, V)
    attention: DecodeAttention | None = None
    for step in range(sampler.drawing.max_new_tokens):
        tokens = sampler.next(logits, step)  # (C,)
        new = _by_row(tokens.tolist(), cells, logits.shape[-1], finished)
        for row, token in new.items():
            written[row].append(token)
            sampler.wrote(row, token)
            if token in sampler.drawing.stop_ids or step + 1 >= most[row]:
                finished.add(row)
        if len(finished) == len(written):
            break
        if fewer := cells.without(finished):
            places = _places(cells, fewer).to(tokens.device)
            cells, tokens, of = fewer, tokens[places], _prompts_of(fewer, prompts)
            sampler.arrange(cells.rows)
            if attention is not None:
                attention.rearrange(cells, places)
        attention = attention or DecodeAttention(prompts, cells)
        attention.advance()
        arguments = forward_arguments(tokens.unsqueeze(-1), (prompt_lengths[of] + step).unsqueeze(-1), attention)
        logits = model(**arguments).logits[:, -1]
    return written


def _by_row(tokens: Sequence[int], cells: Arrangement, vocabulary: int, finished: set[int]) -> dict[int, int]:
    """Row → its new token, for those that are not finished."""
    found = {row: t for row, t in zip(cells.rows, tokens, strict=True) if row >= 0 and row not in finished}
    if max(found.values()) >= vocabulary:
        remedy = "its weights are broken, or its dtype is too narrow"
        raise ModelError("what the model puts out is not a number", remedy=remedy)
    return found


def _prompts_of(cells: Arrangement, prompts: Prefilled) -> Tensor:
    """(C,): the prompt of each cell."""
    return torch.tensor(cells.prompts, device=prompts.logits.device).repeat_interleave(cells.width)


def _places(before: Arrangement, after: Arrangement) -> Tensor:
    """(C,): the cells of `before` that become those of `after`. What a hole holds does not matter."""
    place_of = {row: cell for cell, row in enumerate(before.rows)}
    return torch.tensor([place_of[row] if row >= 0 else 0 for row in after.rows])
