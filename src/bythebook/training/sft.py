"""Supervised fine-tuning on TRL: on answers alone, or on reasoning with the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from bythebook.errors import RecipeError
from bythebook.prompts import PromptStyle
from bythebook.recipe import Recipe
from bythebook.tasks.base import Target
from bythebook.training.arguments import common_arguments
from bythebook.training.data import sft_dataset
from bythebook.training.packing import PackedCollator
from bythebook.types import Example

__all__ = ["make_sft_trainer"]


def make_sft_trainer(
    recipe: Recipe,
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    target: Target,
    output: Path,
    callbacks: Sequence[TrainerCallback],
    *,
    prefilled: bool,
) -> SFTTrainer:
    """TRL's trainer, with the loss (token mean over the optimiser step) on the targets alone."""
    t = recipe.training
    if t.batch_size % t.micro_batch_size:
        raise RecipeError("training.batch_size is not a multiple of training.micro_batch_size")
    style = PromptStyle(template=recipe.prompt.template, rendering=recipe.prompt.rendering)
    arguments = SFTConfig(
        **common_arguments(recipe, output),
        gradient_accumulation_steps=t.batch_size // t.micro_batch_size,
        train_sampling_strategy="group_by_length" if t.group_by_length else "random",
        loss_type="nll",
        max_length=None,
        packing=False,
        padding_free=False,
        shuffle_dataset=False,
        assistant_only_loss=False,
    )
    rows = sft_dataset(
        examples,
        tokenizer,
        style,
        target,
        recipe.seed,
        prefilled=prefilled,
        sentences_per_row=t.sentences_per_row,
    )
    return SFTTrainer(
        model=model,
        args=arguments,
        processing_class=tokenizer,
        train_dataset=rows,
        data_collator=PackedCollator(tokenizer.pad_token_id) if t.sentences_per_row > 1 else None,
        callbacks=list(callbacks),
    )
