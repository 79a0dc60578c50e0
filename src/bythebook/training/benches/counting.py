"""How many multiplications a step of GRPO has at least, where every distinct token is computed once.

For a token: the matrices of all layers; for a token of a completion also the output matrix; and attention, which grows
with the tokens before it. Generation and the forward pass have these once each, the backward pass twice.
"""

from __future__ import annotations

from typing import Any

from bythebook.training.benches.workload import Workload, config_of

__all__ = ["multiplications"]

_PASSES = 4


def multiplications(workload: Workload) -> dict[str, float]:
    """`matrices`, `output` and `attention` of a step, and their sum `all`. Softmax, norms and sampling don't count."""
    config: Any = config_of(workload)
    d, layers = config.hidden_size, config.num_hidden_layers
    head = getattr(config, "head_dim", None) or d // config.num_attention_heads
    queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
    of_a_token = layers * (d * (2 * queries + 2 * keys) + 3 * d * config.intermediate_size)
    g, t, c = workload.guideline, workload.tail, workload.completion
    tails, completions = workload.prompts * t, workload.rollouts * c
    # Keys that a token attends to, on average over its segment: all before it, and half of its own.
    seen = g * (g / 2) + tails * (g + t / 2) + completions * (g + t + c / 2)
    found = {
        "matrices": float(_PASSES * of_a_token * (g + tails + completions)),
        "output": float(_PASSES * d * config.vocab_size * completions),
        "attention": float(_PASSES * 2 * layers * queries * seen),
    }
    return {**found, "all": sum(found.values())}
