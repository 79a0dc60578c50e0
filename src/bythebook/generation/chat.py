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

__all__ = ["encode_prompts", "in_parts", "prompt_text", "sees", "starts_inside_thinking", "tokenizer_of"]


def sees(processing: Any) -> bool:
    """Whether it is a processor, which knows pictures beside text, and no tokenizer."""
    return hasattr(processing, "image_processor")


def tokenizer_of(processing: Any) -> Any:
    """The tokenizer inside a processor; a tokenizer itself."""
    return processing.tokenizer if sees(processing) else processing


def in_parts(messages: Messages) -> Messages:
    """The messages with every content as a list of parts, pictures as places without the picture."""
    return [{**m, "content": _parts(m["content"])} for m in messages]


def _parts(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part if part["type"] == "text" else {"type": part["type"]} for part in content]


def prompt_text(tokenizer: PreTrainedTokenizerBase, messages: Messages) -> str:
    """The prompt as the model reads it. A system message that the template refuses or leaves out stands before the
    first user message. ModelError if the model's chat template can't write these messages, and for a picture where
    `tokenizer` is no processor."""
    if sees(tokenizer):
        return _seen_text(tokenizer, messages)
    if not all(isinstance(m["content"], str) for m in messages):
        remedy = "name a model that reads pictures (image-text-to-text), or leave out images"
        raise ModelError("a picture goes with the prompt, and the model reads text alone", remedy=remedy)
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


def _seen_text(processor: Any, messages: Messages) -> str:
    """The prompt of a model that reads pictures, each of which has a place in it."""
    from jinja2 import TemplateError

    if not getattr(processor, "chat_template", None):
        message = "the model's processor has no chat template, so pictures have no place in a prompt"
        raise ModelError(message, remedy="name a model that was trained on instructions")
    try:
        return cast(str, processor.apply_chat_template(in_parts(messages), tokenize=False, add_generation_prompt=True))
    except TemplateError as error:
        raise ModelError(f"the model's chat template refuses the prompt: {error}") from None


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
