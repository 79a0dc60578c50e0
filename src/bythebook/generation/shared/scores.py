"""Log-probs and entropies of completions, computed over the pack of their sequences."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bythebook.generation.shared.interface import PackAttention, forward_arguments
from bythebook.generation.shared.layout import attention_layout
from bythebook.generation.shared.log_softmax import chosen_log_probs, entropies, is_plain_product
from bythebook.prefix import PrefixPlan

__all__ = ["CompletionScores", "score_pack"]

# Shapes: M completion tokens, K distinct positions that predict them, V vocabulary.


class CompletionScores(NamedTuple):
    """Of the completion tokens, sequence after sequence."""

    log_probs: Tensor
    """(M,)"""
    entropies: Tensor | None
    """(M,), in nats"""


def score_pack(
    model: Any,
    plan: PrefixPlan,
    prompt_lengths: list[int],
    *,
    temperature: float,
    entropy: bool,
    entropy_gradient: bool = False,
) -> CompletionScores:
    """Log-probs at `temperature` of what follows the prompts, with gradients where they are enabled.

    The model answers to the engine (`use_shared_attention`) and may be wrapped for several processes. Entropies carry
    a gradient only with `entropy_gradient`.
    """
    device = next(model.parameters()).device
    scored = plan.scored(prompt_lengths)
    sources, source_of, targets, ids, positions = (
        torch.from_numpy(np.ascontiguousarray(x)).to(device)
        for x in (*scored, plan.token_ids[None], plan.positions[None])
    )
    arguments = forward_arguments(ids, positions, PackAttention(attention_layout(plan, device)))
    # Not [0]: the gradient of an index is a second tensor of the logits' size.
    logits = model(**arguments, logits_to_keep=sources).logits.squeeze(0)  # (K, V)
    # Entropies with a gradient need the logits in the backward pass, too.
    consume = not (entropy and entropy_gradient) and is_plain_product(logits)
    log_probs, log_sums = chosen_log_probs(logits, source_of, targets, temperature, consume=consume)
    if not entropy:
        return CompletionScores(log_probs, None)
    each = (
        entropies(logits, None, temperature) if entropy_gradient else entropies(logits.detach(), log_sums, temperature)
    )
    return CompletionScores(log_probs, each[source_of])
