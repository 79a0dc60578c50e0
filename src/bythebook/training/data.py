"""Examples → what the trainers read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from datasets import Dataset

from bythebook.errors import DataError
from bythebook.generation import opened
from bythebook.generation.chat import encode_prompts, prompt_text
from bythebook.guidelines import vary
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import PromptSection
from bythebook.schema import gold_of
from bythebook.tasks.base import Target
from bythebook.tasks.mixture import DOMAIN
from bythebook.tasks.pictures import picture_of
from bythebook.training.packing import chunks, pack_rows
from bythebook.training.variation import batch_variation
from bythebook.types import Example

__all__ = ["rl_dataset", "rl_row", "sft_dataset", "sft_rows", "varied_sft_dataset"]


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
    rows = sft_rows(examples, tokenizer, style, target, _target_draws(seed), prefilled=prefilled)
    if sentences_per_row > 1:
        keys = [e.guideline.hash for e in examples]
        rows = pack_rows(rows["input_ids"], rows["labels"], keys, sentences_per_row)
    return Dataset.from_dict(rows)


def _target_draws(seed: int) -> random.Random:
    return random.Random(f"bythebook sft targets/{seed}")


def sft_rows(
    examples: Sequence[Example],
    tokenizer: Any,
    style: PromptStyle,
    target: Target,
    rng: random.Random,
    *,
    prefilled: bool,
) -> dict[str, list[list[int]]]:
    """Columns `input_ids`, `labels` of each example, unpadded; `rng` decides whatever a target draws."""
    prompts = encode_prompts(tokenizer, [render(e, style) for e in examples])
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": []}
    for example, prompt in zip(examples, prompts, strict=True):
        text = target(example, rng)
        if prefilled:
            text = text.removeprefix("<think>")
        completion = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        rows["input_ids"].append(prompt + completion)
        rows["labels"].append([-100] * len(prompt) + completion)
    return rows


def varied_sft_dataset(
    examples: Sequence[Example],
    tokenizer: Any,
    style: PromptStyle,
    target: Target,
    prompt: PromptSection,
    seed: int,
    *,
    prefilled: bool,
    batches: int,
    batch_size: int,
    sentences_per_row: int = 1,
) -> Dataset:
    """As `sft_dataset`, for a reading in the order of the rows: `batches` times `batch_size` rows, each batch with a
    rendering of its own, the same for all sentences of a guideline. The examples are drawn epoch by epoch."""
    order = random.Random(f"bythebook sft order/{seed}")
    draws = _target_draws(seed)
    rows_of = list(chunks([e.guideline.hash for e in examples], sentences_per_row))
    waiting: list[list[int]] = []
    columns: dict[str, list[Any]] = {}
    for batch in range(batches):
        while len(waiting) < batch_size:
            waiting += order.sample(rows_of, len(rows_of))
        now, waiting = waiting[:batch_size], waiting[batch_size:]
        shown = vary([examples[i] for members in now for i in members], batch_variation(prompt, seed, batch))
        rows = sft_rows(shown, tokenizer, style, target, draws, prefilled=prefilled)
        if sentences_per_row > 1:
            keys = [number for number, members in enumerate(now) for _ in members]
            rows = pack_rows(rows["input_ids"], rows["labels"], keys, sentences_per_row)
        for name, values in rows.items():
            columns.setdefault(name, []).extend(np.asarray(row, dtype=np.int32) for row in values)
    return Dataset.from_dict(columns)


def rl_dataset(examples: Sequence[Example], tokenizer: Any, style: PromptStyle) -> Dataset:
    """Rows `prompt`, `gold` (JSON), and what records need. Chat messages, or plain text for a model without a chat
    template. DataError if an example has no gold."""
    return Dataset.from_list([rl_row(e, tokenizer, style) for e in examples])


def rl_row(example: Example, tokenizer: Any, style: PromptStyle) -> dict[str, Any]:
    """One row of `rl_dataset`; `reward_of` names its domain, in training on several tasks.

    Where a picture goes with the example, it stands in the column `image`, and TRL puts it before the words of the
    prompt.
    """
    gold = gold_of(example)
    if gold is None:
        raise DataError(f"example {example.id} has no gold", remedy="RL needs labelled examples")
    messages = render(example, style)
    return {
        "prompt": messages if getattr(tokenizer, "chat_template", None) else prompt_text(tokenizer, messages),
        "gold": gold.to_json(),
        "example_id": example.id,
        "domain": example.domain,
        "guideline_hash": example.guideline.hash,
        **({"reward_of": example.meta[DOMAIN]} if DOMAIN in example.meta else {}),
        **_image(example),
    }


def _image(example: Example) -> dict[str, Any]:
    picture = picture_of(example)
    return {} if picture is None else {"image": opened(picture)}
