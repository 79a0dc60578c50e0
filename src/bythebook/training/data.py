"""Examples → what the trainers read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from datasets import Dataset

from bythebook.errors import DataError
from bythebook.generation.chat import encode_prompts, prompt_text
from bythebook.prompts import PromptStyle, render
from bythebook.schema import Gold
from bythebook.tasks.base import Target
from bythebook.training.packing import pack_rows
from bythebook.types import Example

__all__ = ["rl_dataset", "sft_dataset"]


def sft_dataset(
    examples: Sequence[Example],
    tokenizer: Any,
    style: PromptStyle,
    target: Target,
    seed: int,
    *,
    prefilled: bool,
    sentences_per_row: int = 1,
) -> Dataset:
    """Rows `input_ids`, `labels`: the prompt exactly as in generation, then the target and the end token; the loss
    is on the target alone. Where the chat template has opened `<think>`, the target does not open it again.
    With more than one sentence a row, see `pack_rows`."""
    prompts = encode_prompts(tokenizer, [render(e, style) for e in examples])
    rng = random.Random(f"bythebook sft targets/{seed}")
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": []}
    for example, prompt in zip(examples, prompts, strict=True):
        text = target(example, rng)
        if prefilled:
            text = text.removeprefix("<think>")
        completion = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        rows["input_ids"].append(prompt + completion)
        rows["labels"].append([-100] * len(prompt) + completion)
    if sentences_per_row > 1:
        keys = [e.guideline.hash for e in examples]
        rows = pack_rows(rows["input_ids"], rows["labels"], keys, sentences_per_row)
    return Dataset.from_dict(rows)


def rl_dataset(examples: Sequence[Example], tokenizer: Any, style: PromptStyle) -> Dataset:
    """Rows `prompt`, `gold` (JSON), and what records need. Chat messages, or plain text for a model without a chat
    template. DataError if an example has no gold."""
    conversational = bool(getattr(tokenizer, "chat_template", None))
    rows = []
    for e in examples:
        if e.gold is None:
            raise DataError(f"example {e.id} has no gold", remedy="RL needs labelled examples")
        messages = render(e, style)
        rows.append(
            {
                "prompt": messages if conversational else prompt_text(tokenizer, messages),
                "gold": Gold.of(e.gold, e.guideline).to_json(),
                "example_id": e.id,
                "domain": e.domain,
                "guideline_hash": e.guideline.hash,
            }
        )
    return Dataset.from_list(rows)
