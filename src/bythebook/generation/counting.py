"""How many tokens prompts and completions have, by a model's own tokenizer, without its weights and without network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bythebook.generation.chat import encode_prompts
from bythebook.generation.model import Messages

__all__ = ["count_tokens"]


def count_tokens(
    location: str | Path, prompts: Sequence[Messages], completions: Sequence[str] = ()
) -> tuple[list[int], list[int]] | None:
    """Tokens of each prompt, with the chat template, and of each completion. None if there is no such tokenizer on this
    machine, or transformers is not installed."""
    try:
        from transformers import AutoTokenizer
    except ImportError:
        return None
    try:
        tokenizer = AutoTokenizer.from_pretrained(location, local_files_only=True)
    except Exception:
        # Absent, incomplete or of an unknown kind: the reader has an exception of its own for each.
        return None
    texts = tokenizer(list(completions), add_special_tokens=False)["input_ids"] if completions else []
    return [len(ids) for ids in encode_prompts(tokenizer, prompts)], [len(ids) for ids in texts]
