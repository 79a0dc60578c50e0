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
    """The prompt as the model reads it. A system message that the template refuses or leaves out stands before the
    first user message. ModelError if the model's chat template can't write these messages."""
    if not getattr(tokenizer, "chat_template", None):
        return "\n\n".join(m["content"] for m in messages) + "\n"
    from jinja2 import TemplateError

    folded = _without_system(messages)
    try:
        text = _applied(tokenizer, messages)
    except TemplateError as error:
        if folded is None:
            raise ModelError(f"the model's chat template refuses the prompt: {error}") from None
        return prompt_text(tokenizer, folded)
    if folded is not None and messages[0]["content"].strip() not in text:
        return prompt_text(tokenizer, folded)
    return text


def _applied(tokenizer: PreTrainedTokenizerBase, messages: Messages) -> str:
    return cast(str, tokenizer.apply_chat_template(cast(Any, messages), tokenize=False, add_generation_prompt=True))


def _without_system(messages: Messages) -> Messages | None:
    """The same with the system message inside the first user message; None where there is none to move."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return None
    first = {"role": "user", "content": f"{messages[0]['content']}\n\n{messages[1]['content']}"}
    return [first, *messages[2:]]


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
