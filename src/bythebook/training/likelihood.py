"""How likely a saved model finds given completions: what it can still do, whatever it prefers to write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from bythebook.generation import folder_of, settings_of
from bythebook.generation.chat import starts_inside_thinking
from bythebook.tasks.base import Target
from bythebook.training.data import sft_dataset
from bythebook.types import Example

__all__ = ["Likelihood", "likelihood_of"]


class Likelihood(NamedTuple):
    """Over all tokens of the completions, the end token included."""

    nats: float
    """Mean negative log-probability of a token, given the prompt and the tokens before it."""
    accuracy: float
    """Share of tokens that are the most likely one."""
    tokens: int


def likelihood_of(
    model: str | Path, examples: Sequence[Example], target: Target, *, seed: int = 0, batch_size: int = 32
) -> Likelihood:
    """The likelihood of `target`'s completions of the examples. ValueError without examples."""
    if not examples:
        raise ValueError("no examples")
    location = folder_of(model)
    tokenizer = AutoTokenizer.from_pretrained(location)
    network = AutoModelForCausalLM.from_pretrained(location, use_safetensors=True).eval()
    style, prefilled = settings_of(location).style, starts_inside_thinking(tokenizer)
    rows = sft_dataset(examples, tokenizer, style, target, seed, prefilled=prefilled)
    nats = right = tokens = 0.0
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            width = max(len(ids) for ids in batch["input_ids"])
            ids = torch.tensor([x + [tokenizer.pad_token_id] * (width - len(x)) for x in batch["input_ids"]])  # (B, T)
            labels = torch.tensor([x + [-100] * (width - len(x)) for x in batch["labels"]])[:, 1:]  # (B, T - 1)
            mask = torch.tensor([[1] * len(x) + [0] * (width - len(x)) for x in batch["input_ids"]])
            logits = network(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]  # (B, T - 1, V)
            counted = labels != -100
            log_probs = logits[counted].float().log_softmax(dim=-1)  # (targets, V)
            targets = labels[counted]
            nats -= log_probs.gather(1, targets[:, None]).sum().item()
            right += (log_probs.argmax(dim=-1) == targets).sum().item()
            tokens += len(targets)
    return Likelihood(nats / tokens, right / tokens, int(tokens))
