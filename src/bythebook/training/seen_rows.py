"""Rows of supervised fine-tuning in which a picture goes with the prompt.

Pictures become tensors when a batch is put together, and the processor decides how: what it gives beside token ids is
handed to the model under its names.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor

from bythebook.generation import opened
from bythebook.generation.chat import prompt_text
from bythebook.prompts import PromptStyle, render
from bythebook.tasks.base import Target
from bythebook.tasks.pictures import picture_of, with_picture
from bythebook.types import Example

__all__ = ["SeenCollator", "seen_rows"]

# Shapes: B rows, P tokens of the longest prompt, L of the longest row.


def seen_rows(
    examples: Sequence[Example], processor: Any, style: PromptStyle, target: Target, seed: int, *, prefilled: bool
) -> tuple[Dataset, SeenCollator]:
    """Rows `text` (the prompt), `picture`, `input_ids` and `labels` (both the target's tokens with the end token), and
    what makes batches of them. The target is drawn and cut as in `data.sft_dataset`."""
    rng = random.Random(f"bythebook sft targets/{seed}")
    tokenizer, rows = processor.tokenizer, []
    for example in examples:
        text = target(example, rng)
        if prefilled:
            text = text.removeprefix("<think>")
        written = [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
        prompt = prompt_text(processor, with_picture(example, render(example, style)))
        image = opened(picture_of(example) or b"")
        rows.append({"text": prompt, "picture": image, "input_ids": written, "labels": written})
    return Dataset.from_list(rows), SeenCollator(processor)


class SeenCollator:
    """Rows of `seen_rows` → a batch padded on the right, whose labels are those of the targets alone."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """`input_ids`, `attention_mask` and `labels`, all (B, L), and what the model needs of the pictures."""
        seen = self.processor(
            text=[row["text"] for row in rows],
            images=[[row["picture"]] for row in rows],
            padding=True,
            padding_side="right",
            add_special_tokens=False,  # the template writes them
            return_tensors="pt",
        )
        prompts = [
            ids[mask.bool()].tolist() for ids, mask in zip(seen["input_ids"], seen["attention_mask"], strict=True)
        ]
        whole = [prompt + row["labels"] for prompt, row in zip(prompts, rows, strict=True)]
        labels = [[-100] * len(p) + row["labels"] for p, row in zip(prompts, rows, strict=True)]
        length = max(map(len, whole))
        batch = {
            "input_ids": _padded(whole, length, self.processor.tokenizer.pad_token_id),
            "attention_mask": _padded([[1] * len(row) for row in whole], length, 0),
            "labels": _padded(labels, length, -100),
        }
        shape = seen["input_ids"].shape  # (B, P)
        for name, value in seen.items():
            if name not in batch:
                # What is said of each token says 0 of text.
                of_tokens = name.endswith("token_type_ids") and value.shape == shape
                batch[name] = torch.nn.functional.pad(value, (0, length - shape[1])) if of_tokens else value
        return batch


def _padded(rows: Sequence[Sequence[int]], length: int, filler: int) -> Tensor:
    return torch.tensor([[*row, *[filler] * (length - len(row))] for row in rows])
