"""Chat messages → token ids, by the tokenizer's own template.

A base model has no template. Its rule is ours: the contents of the messages with a blank line between them, then a
line break; the tokenizer adds its beginning-of-text token if it has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from bythebook.errors import ModelError
from bythebook.generation.model import Messages

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = ["encode_prompts", "prompt_text", "starts_inside_thinking"]


def prompt_text(tokenizer: PreTrainedTokenizerBase, messages: Messages) -> str:
    """The prompt as the model reads it. ModelError if the model's chat template can't write these messages."""
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join(m["content"] for m in messages) + "\n"
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(cast(Any, messages), tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise ModelError(f"the model's chat template refuses the prompt: {error}") from None
    return cast(str, text)


def starts_inside_thinking(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the generation prompt of the chat template ends with an opened `<think>`."""
    return prompt_text(tokenizer, [{"role": "user", "content": "?"}]).rstrip().endswith("<think>")


def encode_prompts(tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Messages]) -> list[list[int]]:
    """Token ids of each prompt. A chat template writes its special tokens itself, so none are added to its text."""
    texts = [prompt_text(tokenizer, messages) for messages in prompts]
    plain = not getattr(tokenizer, "chat_template", None)
    # `verbose` is off because over-long prompts are dealt with by the caller, not by a warning.
    encoded = tokenizer(texts, add_special_tokens=plain, verbose=False)
    return cast("list[list[int]]", encoded["input_ids"])
