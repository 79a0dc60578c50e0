"""Completions of prompts with a model that answers to the engine: which prompts go together, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bythebook.generation.shared.decode import decode
from bythebook.generation.shared.interface import shared_attention_in
from bythebook.generation.shared.kept import KeptPrefixes
from bythebook.generation.shared.layout import trunks_of
from bythebook.generation.shared.prefill import prefill
from bythebook.generation.shared.sampler import Drawing, Guide, Sampler
from bythebook.prefix import PrefixPlan, plan_prefixes

__all__ = ["complete", "completed"]

# Shapes: S sequences, some of them equal (samples of one prompt).

_GUIDELINE = 64
"""Tokens from which a shared stretch decides who is decoded together. Our choice."""

Ids = NDArray[np.int64]


def complete(
    model: Any,
    sequences: Sequence[Sequence[int]],
    drawing: Drawing,
    *,
    seed: int,
    batch_size: int | None = None,
    kept: KeptPrefixes | None = None,
) -> list[list[int]]:
    """The completions of S token sequences, in their order: token ids with the stop token. See `completed`."""
    out: list[list[int]] = [[] for _ in sequences]
    for numbers, completions in completed(model, sequences, drawing, seed=seed, batch_size=batch_size, kept=kept):
        for number, completion in zip(numbers, completions, strict=True):
            out[number] = completion
    return out


def completed(
    model: Any,
    sequences: Sequence[Sequence[int]],
    drawing: Drawing,
    *,
    seed: int,
    batch_size: int | None = None,
    kept: KeptPrefixes | None = None,
    most: Sequence[int] | None = None,
    guided: Callable[[Sequence[int]], Guide] | None = None,
) -> Iterator[tuple[list[int], list[list[int]]]]:
    """(numbers of the sequences, their completions), batch after batch of at most `batch_size` sequences (None: all).

    Sequence i gets `most[i]` tokens at most, where that is less than what all get; `guided` makes the guide of a batch
    from the numbers of its sequences. What is drawn depends on the seed
    and on a sequence's number, not on what is decoded beside it. Prefixes are kept between the batches, and from call
    to call with `kept`, as long as the weights stay what they are. While a batch is computed the model is in evaluation
    mode, without gradients; then it is as it was. ValueError for an empty sequence; ModelError for outputs that are no
    numbers.
    """
    most = [drawing.max_new_tokens if most is None else most[number] for number in range(len(sequences))]
    batches = _batches(sequences, batch_size or len(sequences))
    if kept is None and len(batches) > 1:
        kept = KeptPrefixes()
    for batch in batches:
        with _answering(model):
            if kept is not None:
                kept.of(model)
            rows = [sequences[number] for number in batch]
            rows_of: dict[tuple[int, ...], list[int]] = {}
            for row, ids in enumerate(rows):
                rows_of.setdefault(tuple(ids), []).append(row)
            prompts = prefill(model, [np.array(ids, dtype=np.int64) for ids in rows_of], kept)
            guide = guided(batch) if guided else None
            sampler = Sampler(drawing, rows, batch, seed, prompts.logits.device, guide)
            by_prompt = list(rows_of.values())
            limits = [most[number] for number in batch]
            completions = decode(model, prompts, [by_prompt[i] for i in prompts.pack.order], sampler, limits)
        yield batch, completions


def _batches(sequences: Sequence[Sequence[int]], size: int) -> list[list[int]]:
    """Numbers of the sequences: those of a guideline together, longest first, and equal ones side by side. A prompt's
    samples are kept together as far as they fit."""
    if not sequences:
        return []
    numbers_of: dict[tuple[int, ...], list[int]] = {}
    for number, sequence in enumerate(sequences):
        numbers_of.setdefault(tuple(sequence), []).append(number)
    distinct = list(numbers_of)
    plan = plan_prefixes([np.array(ids, dtype=np.int64) for ids in distinct])
    group = _guidelines(plan)
    order = sorted(range(len(distinct)), key=lambda i: (group[i], -len(distinct[i]), plan.ends[i]))
    batches: list[list[int]] = [[]]
    for i in order:
        numbers = numbers_of[distinct[i]]
        if len(batches[-1]) + len(numbers) > size and batches[-1]:
            batches.append([])
        for start in range(0, len(numbers), size):
            if start:
                batches.append([])
            batches[-1] += numbers[start : start + size]
    return batches


def _guidelines(plan: PrefixPlan) -> list[int]:
    """For each sequence the last long stretch it shares with others, by its number; -1 if there is none."""
    trunk = trunks_of(plan.nodes)
    long = [t and node.end - node.start >= _GUIDELINE for t, node in zip(trunk, plan.nodes, strict=True)]
    return [max((node for node in plan.path(number) if long[node]), default=-1) for number in range(len(plan.ends))]


@contextmanager
def _answering(model: Any) -> Iterator[None]:
    """The model answers to the engine, in evaluation mode and without gradients; afterwards it is as it was."""
    training = [module for module in model.modules() if module.training]
    try:
        model.eval()
        with torch.no_grad(), shared_attention_in(model):
            yield
    finally:
        for module in training:
            module.training = True
