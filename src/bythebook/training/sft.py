"""Supervised fine-tuning on TRL: on answers alone, or on reasoning with the answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, concatenate_datasets
from torch.nn.functional import nll_loss
from transformers import TrainerCallback
from trl import SFTConfig, SFTTrainer

from bythebook.errors import RecipeError
from bythebook.generation.chat import tokenizer_of
from bythebook.prompts import PromptStyle, style_of
from bythebook.recipe import Recipe
from bythebook.tasks.base import Target
from bythebook.tasks.mixture import stages_of
from bythebook.training.adapters import lora_config
from bythebook.training.arguments import common_arguments
from bythebook.training.checkpoints import Resumable
from bythebook.training.data import sft_dataset, varied_sft_dataset
from bythebook.training.packing import PackedCollator
from bythebook.training.processes import accumulation_steps
from bythebook.training.seen_rows import seen_rows
from bythebook.training.variation import batch_variation
from bythebook.types import Example

__all__ = ["TargetSFTTrainer", "make_sft_trainer"]

# Shapes: B rows, L tokens of the longest row, C columns in which some row has a label, V vocabulary.


class TargetSFTTrainer(Resumable, SFTTrainer):
    """TRL's trainer with its negative log-likelihood, but the LM head computed only where a target is predicted.

    Where Triton is missing TRL computes it on every position; with a small model and a long guideline that is most of
    the work.
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Sum over the target tokens of the batch, divided by their number in the whole optimiser step."""
        if return_outputs or self.aux_loss_enabled:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[no-untyped-call]
        labels = inputs["labels"][:, 1:]  # (B, L - 1): position i predicts token i + 1
        columns = (labels != -100).any(dim=0).nonzero()[:, 0]  # (C,)
        rest = {name: value for name, value in inputs.items() if name != "labels"}
        logits = model(**rest, logits_to_keep=columns, use_cache=False).logits  # (B, C, V)
        targets = labels[:, columns]
        counted = targets != -100
        log_probs = logits[counted].float().log_softmax(dim=-1)  # (targets, V)
        number = counted.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = nll_loss(log_probs, targets[counted], reduction="sum") / number.clamp(min=1)
        if num_items_in_batch is not None:
            # That number counts the targets of every process, and gradients are averaged over processes.
            loss = loss * self.accelerator.num_processes
        self._log_targets(log_probs.detach(), targets[counted])
        return loss

    def _log_targets(self, log_probs: torch.Tensor, targets: torch.Tensor) -> None:
        entropy = -(log_probs.exp() * log_probs).sum()
        right = (log_probs.argmax(dim=-1) == targets).sum()
        mine = torch.stack([entropy, right.float(), torch.ones_like(targets).sum().float()])[None]
        entropies, rights, number = self.accelerator.gather(mine).sum(dim=0).tolist()
        metrics = self._metrics["train"]
        metrics["entropy"].append(entropies / number if number else 0.0)
        metrics["mean_token_accuracy"].append(rights / number if number else 0.0)


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
) -> TargetSFTTrainer:
    """TRL's trainer, with the loss (token mean over the optimiser step) on the targets alone."""
    t = recipe.training
    accumulation = accumulation_steps(t.batch_size, t.micro_batch_size, "training.batch_size")
    varied = not batch_variation(recipe.prompt, recipe.seed, 0).changes_nothing
    staged = any(more.steps for more in recipe.data.also)
    if varied and (t.group_by_length or staged):
        what = "data.also with steps orders" if staged else "training.group_by_length mixes"
        raise RecipeError(
            f"{what} the batches, and each has a rendering of its own",
            remedy="leave it out, or leave out prompt.shuffle_relations and prompt.rename_labels",
        )
    if staged and t.group_by_length:
        raise RecipeError("training.group_by_length mixes the stages", remedy="leave it out, or the steps of data.also")
    style, words = style_of(recipe.prompt), tokenizer_of(tokenizer)
    sampling = "sequential" if varied or staged else "group_by_length" if t.group_by_length else "random"
    rows: Dataset
    collator: Any = None
    if any(e.picture for e in examples):
        rows, collator = seen_rows(examples, tokenizer, style, target, recipe.seed, prefilled=prefilled)
    else:
        rows = _rows(recipe, words, examples, style, target, varied=varied, prefilled=prefilled)
        collator = PackedCollator(words.pad_token_id) if t.sentences_per_row > 1 else None
    return TargetSFTTrainer(
        model=model,
        args=_arguments(recipe, output, accumulation, sampling),
        processing_class=words,
        train_dataset=rows,
        data_collator=collator,
        callbacks=list(callbacks),
        peft_config=lora_config(recipe),
    )


def _arguments(recipe: Recipe, output: Path, accumulation: int, sampling: str) -> SFTConfig:
    return SFTConfig(
        **common_arguments(recipe, output),
        gradient_accumulation_steps=accumulation,
        train_sampling_strategy=sampling,
        loss_type="nll",
        max_length=None,
        packing=False,
        padding_free=False,
        shuffle_dataset=False,
        assistant_only_loss=False,
    )


def _rows(
    recipe: Recipe,
    tokenizer: Any,
    examples: Sequence[Example],
    style: PromptStyle,
    target: Target,
    *,
    varied: bool,
    prefilled: bool,
) -> Dataset:
    """What is trained on: each example once, or, in stages or with a rendering of the guideline for each batch, every
    batch."""
    t = recipe.training
    one: dict[str, Any] = {"prefilled": prefilled, "sentences_per_row": t.sentences_per_row}
    if stages := stages_of(recipe, examples):
        order = random.Random(f"bythebook sft stages/{recipe.seed}")
        made = [sft_dataset(s.examples, tokenizer, style, target, recipe.seed, **one) for s in stages]
        return concatenate_datasets(
            [_epochs(rows, s.steps * t.batch_size, order) for rows, s in zip(made, stages, strict=True)]
        )
    if not varied:
        return sft_dataset(examples, tokenizer, style, target, recipe.seed, **one)
    size: dict[str, Any] = {"batches": t.max_steps, "batch_size": t.batch_size}
    return varied_sft_dataset(examples, tokenizer, style, target, recipe.prompt, recipe.seed, **one, **size)


def _epochs(rows: Dataset, number: int, order: random.Random) -> Dataset:
    """So many rows, epoch by epoch, each in another order."""
    places: list[int] = []
    while len(places) < number:
        places += order.sample(range(len(rows)), len(rows))
    return rows.select(places[:number])
