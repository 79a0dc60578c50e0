"""What SFT and RL share of TRL's settings: every field that changes the loss or the optimiser is pinned here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bythebook.recipe import Recipe

__all__ = ["common_arguments"]


def common_arguments(recipe: Recipe, output: Path) -> dict[str, Any]:
    """Keyword arguments of TrainingArguments for this recipe."""
    t = recipe.training
    cuda = torch.cuda.is_available()
    scheduler_kwargs = {"min_lr_rate": t.min_lr_rate} if t.lr_scheduler == "cosine_with_min_lr" else {}
    return {
        "output_dir": str(output / "checkpoints"),
        "max_steps": t.max_steps,
        "per_device_train_batch_size": t.micro_batch_size,
        "learning_rate": t.learning_rate,
        "lr_scheduler_type": t.lr_scheduler,
        "lr_scheduler_kwargs": scheduler_kwargs,
        "warmup_steps": t.warmup_steps,
        "optim": "adamw_torch",
        "adam_beta1": t.adam_beta1,
        "adam_beta2": t.adam_beta2,
        "adam_epsilon": 1e-8,
        "weight_decay": t.weight_decay,
        "max_grad_norm": t.max_grad_norm,
        "label_smoothing_factor": 0.0,
        "neftune_noise_alpha": None,
        "bf16": t.bf16,
        "fp16": False,
        "tf32": None,
        "activation_checkpointing": t.gradient_checkpointing,
        "average_tokens_across_devices": True,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "use_cpu": not cuda,
        "logging_steps": t.logging_steps,
        "save_strategy": "steps" if t.save_steps else "no",
        "save_steps": t.save_steps or 500,
        "save_total_limit": t.keep_checkpoints,
        "eval_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "dataloader_pin_memory": cuda,
        "remove_unused_columns": False,
    }
