"""How probable a model finds completions that are there, its own or another's, and how sure it is at every token.

All rows go through the engine where it serves the model: a prompt is computed once for all its samples, and what
samples begin with in common once, too. Equal completions of a prompt are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bythebook.errors import ModelError
from bythebook.generation import Model, TransformersModel
from bythebook.generation.chat import encode_prompts
from bythebook.generation.model import Messages
from bythebook.generation.shared.interface import shared_attention_in
from bythebook.generation.shared.serving import is_served
from bythebook.training.log_probs import evaluating, score_completions, side_by_side
from bythebook.training.shared_prefix import PackScorer

__all__ = ["Asked", "TokenScores", "score_texts"]

_PACK_TOKENS = 16_384
"""Distinct tokens of one forward pass at most."""
_ROWS = 512
"""Distinct rows that are laid side by side at most."""

_Row = tuple[tuple[int, ...], tuple[int, ...]]
"""Tokens of a prompt, and of a completion."""

# Shapes: B rows, T tokens of the longest completion.


class Asked(NamedTuple):
    """A completion and what it answers."""

    prompt: Messages
    completion: str
    ended: bool = True
    """Whether the model ended it, so that the end token is scored, too."""


class TokenScores(NamedTuple):
    """Of the tokens of one completion."""

    log_probs: NDArray[np.float64]
    """(tokens,), natural."""
    entropies: NDArray[np.float64]
    """(tokens,), in nats."""


def score_texts(
    model: Model, asked: Sequence[Asked], *, temperature: float = 1.0, share_prefix: bool = True, rows: int = 64
) -> list[TokenScores | None]:
    """The scores of each completion at `temperature`, teacher-forced; None where it doesn't fit into the context.

    Texts are tokenised anew: where a model wrote a word in other pieces than its tokenizer makes of it, the pieces are
    the tokenizer's. `rows` go side by side where the engine doesn't serve the model. ModelError for a model that is
    asked through a server or vLLM.
    """
    if not isinstance(model, TransformersModel):
        raise ModelError(f"the weights of {model.name!r} are not here", remedy="name the folder of a saved model")
    encoded = _encoded(model, asked)
    distinct = sorted({row for row in encoded if row is not None})
    served = share_prefix and bool(distinct) and is_served(model.model)
    found: dict[_Row, TokenScores] = {}
    size = _ROWS if served else rows
    for start in range(0, len(distinct), size):
        batch = distinct[start : start + size]
        found |= zip(batch, _scored(model, batch, temperature, served), strict=True)
    return [None if row is None else found[row] for row in encoded]


def _encoded(model: TransformersModel, asked: Sequence[Asked]) -> list[_Row | None]:
    """None for what is too long, or has no token."""
    if not asked:
        return []
    keys = [repr(row.prompt) for row in asked]
    prompts = dict(zip(keys, (row.prompt for row in asked), strict=True))
    ids = dict(zip(prompts, map(tuple, encode_prompts(model.tokenizer, list(prompts.values()))), strict=True))
    tokenizer: Any = model.tokenizer
    texts = tokenizer([row.completion for row in asked], add_special_tokens=False, verbose=False)["input_ids"]
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    out: list[_Row | None] = []
    for key, row, text in zip(keys, asked, texts, strict=True):
        completion = (*text, *(end if row.ended else []))
        fits = completion and ids[key] and len(ids[key]) + len(completion) <= model.context_tokens
        out.append((ids[key], completion) if fits else None)
    return out


def _scored(model: TransformersModel, batch: Sequence[_Row], temperature: float, served: bool) -> list[TokenScores]:
    network: Any = model.model
    scoring = side_by_side(batch, network.device, compute_entropy=True)
    with torch.no_grad(), evaluating(network):
        if served:
            with shared_attention_in(network):
                scorer = PackScorer(_PACK_TOKENS)
                found = scorer.score(network, network, scoring, temperature, entropy_gradient=False)
        else:
            found = score_completions(network, scoring, temperature, entropy_gradient=False)
    assert found[1] is not None
    log_probs, entropies = (x.double().cpu().numpy() for x in found if x is not None)
    return [TokenScores(log_probs[i, : len(row)], entropies[i, : len(row)]) for i, (_, row) in enumerate(batch)]
