"""Log-probs of completions where TRL would score the prompts as well.

TRL 1.16 projects every position onto the vocabulary where Triton can't run. With a small model and a long guideline
that is most of the work of a forward pass, so on a CPU we ask the model for the completion's positions only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = [
    "Scoring",
    "evaluating",
    "learnt_tokens",
    "score_completions",
    "scores_prompts_too",
    "scoring_asked",
    "side_by_side",
]

_LARGEST = 2**28
"""Logits held at once, 1 GiB of them in single precision; TRL's way needs less memory beyond."""

# Shapes: B rows, P tokens of the longest prompt, T tokens of the longest completion, V vocabulary.


class Scoring(NamedTuple):
    """What is to be scored."""

    input_ids: Tensor
    """(B, P + T): prompts padded on the left, completions on the right."""
    attention_mask: Tensor
    """(B, P + T)"""
    logits_to_keep: int
    """T"""
    batch_size: int | None = None
    """Rows in one forward pass; None: all."""
    compute_entropy: bool = False


def side_by_side(
    rows: Sequence[tuple[Sequence[int], Sequence[int]]], device: torch.device, *, compute_entropy: bool = False
) -> Scoring:
    """What is to be scored of rows (tokens of a prompt, tokens of a completion), of which there is at least one."""
    before, behind = max(len(prompt) for prompt, _ in rows), max(len(row) for _, row in rows)
    ids = torch.zeros(len(rows), before + behind, dtype=torch.long)
    seen = torch.zeros_like(ids)
    for number, (prompt, row) in enumerate(rows):
        place = slice(before - len(prompt), before + len(row))
        ids[number, place], seen[number, place] = torch.tensor([*prompt, *row]), 1
    return Scoring(ids.to(device), seen.to(device), logits_to_keep=behind, compute_entropy=compute_entropy)


def learnt_tokens(batch: Mapping[str, Any]) -> Tensor:
    """(B, T), 1 for the tokens that the model wrote itself: those of a tool are no words of its own."""
    mask: Tensor = batch["completion_mask"]
    return mask * batch["tool_mask"] if "tool_mask" in batch else mask


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Without dropout inside, as before outside."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def scoring_asked(method: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Scoring | None:
    """What a call of TRL's `method` (a model first) asks for; None if it asks for more than a `Scoring`, such as
    images, or in terms we don't know."""
    try:
        asked = inspect.signature(method).bind(None, *args, **kwargs).arguments
    except TypeError:
        return None
    _, *asked_names = asked
    ours = {name: asked[name] for name in asked_names if name in Scoring._fields}
    more = [n for n in asked_names if n not in ours and asked[n] is not None and asked[n] is not False]
    if more or not {"input_ids", "attention_mask", "logits_to_keep"} <= set(ours):
        return None
    return Scoring(**ours)


def scores_prompts_too(model: Any, asked: Scoring) -> bool:
    """Whether TRL would score every position, and `score_completions` can do better: single precision on a CPU."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if asked.input_ids.device.type != "cpu" or torch.is_autocast_enabled("cpu") or inner.dtype != torch.float32:
        return False
    rows = min(asked.batch_size or len(asked.input_ids), len(asked.input_ids))
    held = rows * (asked.logits_to_keep + 1) * inner.get_output_embeddings().weight.shape[0]
    return (
        asked.logits_to_keep > 0
        and held <= _LARGEST
        and "logits_to_keep" in inspect.signature(inner.forward).parameters
    )


def score_completions(
    model: Any, asked: Scoring, temperature: float, *, entropy_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    """(log-probs (B, T), entropies (B, T) in nats or None), both at `temperature` and 0 where the attention mask is 0.

    Without `entropy_gradient` the entropies carry none, which saves its memory.
    """
    rows = asked.batch_size or max(1, len(asked.input_ids))
    parts = [
        _scores(model, ids, mask, asked, temperature, entropy_gradient)
        for ids, mask in zip(asked.input_ids.split(rows), asked.attention_mask.split(rows), strict=True)
    ]
    log_probs = torch.cat([log_probs for log_probs, _ in parts])
    if not asked.compute_entropy:
        return log_probs, None
    return log_probs, torch.cat([entropy for _, entropy in parts if entropy is not None])


def _scores(
    model: Any, ids: Tensor, mask: Tensor, asked: Scoring, temperature: float, entropy_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    length = asked.logits_to_keep
    # The last position predicts what comes after the completion; counted from the end, since adapters may put virtual
    # tokens before the prompt.
    outputs = model(input_ids=ids, attention_mask=mask, logits_to_keep=length + 1, use_cache=False)
    wanted = mask[:, -length:].bool()  # (B, T)
    logits = outputs.logits[:, -length - 1 : -1][wanted]  # (tokens, V)
    log_p = (logits / temperature).log_softmax(dim=-1)
    chosen = log_p.gather(-1, ids[:, -length:][wanted].unsqueeze(-1)).squeeze(-1)  # (tokens,)
    # Scattered rather than assigned, so that a batch without tokens still has a gradient: 0.
    empty = chosen.new_zeros(wanted.shape)
    log_probs = empty.masked_scatter(wanted, chosen)
    if not asked.compute_entropy:
        return log_probs, None
    if not entropy_gradient:
        log_p = log_p.detach()
    return log_probs, empty.masked_scatter(wanted, -(log_p.exp() * log_p).sum(dim=-1))
