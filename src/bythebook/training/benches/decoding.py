"""Completions of prompts that begin alike: by `generate`, by transformers' recipe for a cached prefix, and by ours.

The recipe (transformers' guide to its caches, "prefill a cache"): the common prefix goes through the model once into a
`DynamicCache`; every batch gets a deep copy of it, repeated for each of its rows, and `generate` goes on from there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, GenerationConfig

from bythebook.generation import Sampling, TransformersModel
from bythebook.training.benches.turns import Turns, measured_on
from bythebook.training.benches.workload import Workload, build, number_tokenizer, set_up

__all__ = ["PEERS", "Decoding", "common_length", "generate_after_prefix", "generate_in_batches", "rollouts"]

# Shapes: B rows of a batch, P tokens of the longest prompt, L tokens of the common prefix.


@dataclass(frozen=True)
class Decoding:
    """How a peer decodes."""

    new_tokens: int
    batch_size: int
    """Rows at once."""
    pad: int
    end: int
    sample: bool = False
    """At temperature 1 from the whole distribution; else greedily."""

    @property
    def config(self) -> GenerationConfig:
        drawn = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0} if self.sample else {}
        return GenerationConfig(
            max_new_tokens=self.new_tokens, eos_token_id=self.end, pad_token_id=self.pad, use_cache=True, **drawn
        )


def generate_in_batches(model: Any, prompts: Sequence[list[int]], how: Decoding) -> list[list[int]]:
    """The completions, by `generate` of batches of like length."""

    def batch(rows: list[list[int]]) -> Tensor:
        ids, mask = _padded(rows, 0, how.pad)
        return _generated(model, ids, mask, how)

    return _by_length(prompts, how, batch)


def generate_after_prefix(model: Any, prompts: Sequence[list[int]], how: Decoding) -> list[list[int]]:
    """The same, after one forward pass of what all prompts have in common."""
    length = common_length(prompts)
    with torch.no_grad():
        prefix = torch.tensor([prompts[0][:length]], device=model.device)
        cache = model(input_ids=prefix, past_key_values=DynamicCache(config=model.config), logits_to_keep=1)
    kept = cache.past_key_values

    def batch(rows: list[list[int]]) -> Tensor:
        ids, mask = _padded(rows, length, how.pad)
        own = copy.deepcopy(kept)
        own.batch_repeat_interleave(len(rows))
        return _generated(model, ids, mask, how, past_key_values=own)

    return _by_length(prompts, how, batch)


PEERS: dict[str, Callable[[Any, Sequence[list[int]], Decoding], list[list[int]]]] = {
    "generate": generate_in_batches,
    "cached": generate_after_prefix,
}


def common_length(prompts: Sequence[list[int]]) -> int:
    """Tokens that all prompts have in common, at least one less than the shortest has."""
    low, high = min(prompts), max(prompts)
    most = min(map(len, prompts)) - 1
    return next((i for i in range(most) if low[i] != high[i]), most)


def _padded(rows: list[list[int]], prefix: int, pad: int) -> tuple[Tensor, Tensor]:
    """(token ids, attention mask), both (B, P), padded on the left or behind the common prefix."""
    width = max(map(len, rows))
    ids = [[*row[:prefix], *[pad] * (width - len(row)), *row[prefix:]] for row in rows]
    mask = [[1] * prefix + [0] * (width - len(row)) + [1] * (len(row) - prefix) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


def _generated(model: Any, ids: Tensor, mask: Tensor, how: Decoding, **more: Any) -> Tensor:
    ids, mask = ids.to(model.device), mask.to(model.device)
    found: Tensor = model.generate(input_ids=ids, attention_mask=mask, generation_config=how.config, **more)
    return found[:, ids.shape[1] :]


def _by_length(
    prompts: Sequence[list[int]], how: Decoding, batch: Callable[[list[list[int]]], Tensor]
) -> list[list[int]]:
    """Completions up to their end token, in the order of the prompts."""
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    out: list[list[int]] = [[] for _ in prompts]
    for start in range(0, len(order), how.batch_size):
        members = order[start : start + how.batch_size]
        for member, row in zip(members, batch([prompts[i] for i in members]).tolist(), strict=True):
            out[member] = row[: row.index(how.end)] if how.end in row else row
    return out


def rollouts(turns: Turns, *, side: str, batch_size: int, greedy: bool, workload: dict[str, Any]) -> None:
    """The rollouts of a workload as texts, by the side `ours` or one of `PEERS`."""
    given = Workload(**workload)
    set_up(given)
    model = build(given)
    tokenizer = number_tokenizer(model.config.vocab_size)
    prompts = given.prompt_ids()
    messages = [[{"role": "user", "content": text}] for text in tokenizer.batch_decode(prompts)]
    how = Decoding(given.completion, batch_size, pad=0, end=tokenizer.eos_token_id, sample=not greedy)
    drawn = Sampling(
        temperature=0 if greedy else 1, n=given.group, max_new_tokens=given.completion, batch_size=given.rollouts
    )
    rows = [ids for ids in prompts for _ in range(given.group)]
    turns = measured_on(turns, given.device)
    while True:
        turns.begin()
        if side == "ours":
            # A fresh one each time: in training, no prefix of other weights can be kept.
            ours = TransformersModel(model, tokenizer, share_prefix=True)
            texts = [completion.text for group in ours.generate(messages, drawn) for completion in group]
        else:
            texts = tokenizer.batch_decode(PEERS[side](model, rows, how), skip_special_tokens=True)
        turns.end(texts if greedy else None)
