"""What both sides of a bench compute: a model of random weights, and prompts of one guideline.

Tokens are numbers and words at once: the tokenizer's word for token 17 is `17`. The end token is one that the model has
no row for, so that every completion has its full length.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen2Config
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from bythebook.errors import InputError, ModelError
from bythebook.generation import EMBEDDED, embedded_path

__all__ = ["SHAPES", "Workload", "build", "check", "number_tokenizer", "set_up"]

SHAPES: dict[str, dict[str, int]] = {
    "qwen2-6m": {
        "vocab_size": 8_192,
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
    },
    # The sizes of Qwen2.5-0.5B and -1.5B (Qwen2.5 technical report, arXiv 2412.15115, table 1, and their config.json).
    "qwen2-0.5b": {
        "vocab_size": 151_936,
        "hidden_size": 896,
        "intermediate_size": 4_864,
        "num_hidden_layers": 24,
        "num_attention_heads": 14,
        "num_key_value_heads": 2,
    },
    "qwen2-1.5b": {
        "vocab_size": 151_936,
        "hidden_size": 1_536,
        "intermediate_size": 8_960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
    },
    # For tests.
    "tiny": {
        "vocab_size": 64,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    },
}
"""Qwen2 shapes by name, with tied embeddings; beside them there is `embedded`, the shape of the embedded model."""

_LOSSES = ("dapo", "grpo", "dr_grpo", "bnpo")
_FIRST = 1
"""The first token of prompts; 0 is padding."""


@dataclass(frozen=True)
class Workload:
    """`prompts` prompts, each completed `group` times. All begin with the same `guideline` tokens."""

    model: str = "qwen2-6m"
    vocabulary: int | None = None
    """Rows of the embedding; None: the shape's own."""
    guideline: int = 1_000
    tail: int = 100
    """Tokens of a prompt behind the guideline."""
    prompts: int = 4
    group: int = 8
    completion: int = 64
    """Tokens of every completion."""
    loss_type: str = "dapo"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int | None = None
    """Of torch; None: its default."""
    seed: int = 0

    @property
    def rollouts(self) -> int:
        return self.prompts * self.group

    def prompt_ids(self) -> list[list[int]]:
        """The prompts. Their tails differ from the first token on."""
        rng = np.random.default_rng(self.seed)
        rows = config_of(self).vocab_size
        if self.prompts > rows - _FIRST:
            raise InputError(f"{self.prompts} prompts can't differ in their first of {rows} tokens")
        shared = rng.integers(_FIRST, rows, self.guideline)
        firsts = _FIRST + rng.permutation(rows - _FIRST)[: self.prompts]
        rest = rng.integers(_FIRST, rows, (self.prompts, self.tail - 1))
        return [[*shared.tolist(), int(first), *own.tolist()] for first, own in zip(firsts, rest, strict=True)]


def check(workload: Workload) -> None:
    """InputError for what can't be computed here."""
    if workload.device not in ("cpu", "cuda") or (workload.device == "cuda" and not torch.cuda.is_available()):
        raise ModelError(f"there is no device {workload.device!r} here", remedy="cpu")
    if workload.dtype not in ("float32", "bfloat16"):
        raise ModelError(f"no dtype {workload.dtype!r}", remedy="float32 or bfloat16")
    if workload.loss_type not in _LOSSES:
        raise InputError(f"no loss {workload.loss_type!r}", remedy=f"there are: {', '.join(_LOSSES)}")
    workload.prompt_ids()


def set_up(workload: Workload) -> None:
    """Threads and logging of this process."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    disable_progress_bar()
    set_verbosity_error()
    if workload.threads:
        torch.set_num_threads(workload.threads)


def config_of(workload: Workload) -> Any:
    """The shape of the model. ModelError if there is none of that name."""
    rows = {"vocab_size": workload.vocabulary} if workload.vocabulary else {}
    longest = workload.guideline + workload.tail + workload.completion
    ends = {"bos_token_id": None, "pad_token_id": 0}
    if workload.model == EMBEDDED:
        config = AutoConfig.from_pretrained(embedded_path())
        known = {**rows, **ends, "max_position_embeddings": max(longest, config.max_position_embeddings)}
        for name, value in known.items():
            setattr(config, name, value)
    elif workload.model in SHAPES:
        shape: dict[str, Any] = {**SHAPES[workload.model], **rows, **ends}
        config = Qwen2Config(**shape, max_position_embeddings=max(8_192, longest), tie_word_embeddings=True)
    else:
        names = ", ".join([*SHAPES, EMBEDDED])
        raise ModelError(f"no shape {workload.model!r}", remedy=f"there are: {names}")
    config.eos_token_id = config.vocab_size
    config.use_cache = True
    return config


def build(workload: Workload) -> Any:
    """The model, with random weights drawn from the seed, in evaluation mode on its device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(workload.seed)
        model = AutoModelForCausalLM.from_config(config_of(workload), dtype=torch.float32)
    return model.to(dtype=getattr(torch, workload.dtype), device=torch.device(workload.device)).eval()


def number_tokenizer(rows: int) -> PreTrainedTokenizerFast:
    """Token i is the word `i`; padding is token 0, the end token has the number `rows`."""
    # Special tokens are found inside of words, too: a padding token `0` would be found in `20`.
    words = {"<pad>": 0, **{str(i): i for i in range(_FIRST, rows)}, "<end>": rows}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<end>", unk_token="<pad>", padding_side="left"
    )
