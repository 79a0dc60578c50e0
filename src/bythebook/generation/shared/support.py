"""Which models the engine serves, recognised from their configuration; and a trial, since configurations change.

It serves causal language models whose every layer attends to all that stands before, whose positions are numbers, and
whose attention is exchangeable in transformers.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from bythebook.generation.shared.interface import NAME, PackAttention, forward_arguments, shared_attention_in
from bythebook.generation.shared.layout import attention_layout
from bythebook.prefix import plan_prefixes

__all__ = ["differs_from_plain", "why_not_shared"]

_EXCHANGEABLE = (None, "sdpa", "eager", NAME)
_FULL = "full_attention"
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
"""Largest difference of outputs, as a share of their spread, that is rounding; other types round in batches too."""


def why_not_shared(model: Any, *, training: bool = False) -> str | None:
    """Why the engine can't serve this model, in a few words; None if nothing is known against it.

    With `training`, dropout counts too: under the plain path every rollout would drop something else of the guideline.
    """
    adapter = _adapter_reason(model)
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    reasons = itertools.chain([adapter], _class_reasons(inner), _config_reasons(inner.config, inner))
    if training:
        reasons = itertools.chain(reasons, _dropout_reasons(model, inner.config))
    return next((reason for reason in reasons if reason), None)


def _adapter_reason(model: Any) -> str | None:
    configs = getattr(model, "peft_config", None) or {}
    kinds = [c for c in configs.values() if getattr(c, "is_prompt_learning", False)]
    return "its adapter puts virtual tokens before the prompt" if kinds else None


def _class_reasons(model: Any) -> Iterator[str | None]:
    known = inspect.signature(model.forward).parameters
    if not getattr(model, "_supports_attention_backend", False):
        yield "its attention can't be exchanged"
    if not {"position_ids", "logits_to_keep"} <= set(known):
        yield "it takes no positions, or computes logits everywhere"
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        yield "it hands nothing on to its attention"
    if getattr(model, "_is_stateful", False):
        yield "it has recurrent layers"
    if any(name.rpartition(".")[2] in ("sinks", "sink") for name, _ in model.named_parameters()):
        yield "it has attention sinks"


def _config_reasons(config: Any, model: Any) -> Iterator[str | None]:
    text = config.get_text_config(decoder=True)
    if getattr(config, "is_encoder_decoder", False):
        yield "it has an encoder"
    if text is not config:
        yield "it reads more than text"
    layers = getattr(text, "layer_types", None) or []
    other = next((kind for kind in layers if kind != _FULL), None)
    if other:
        yield f"it has layers of {other.replace('_', ' ')}"
    if not layers and getattr(text, "sliding_window", None) and getattr(text, "use_sliding_window", True):
        yield "it has a sliding window"
    if getattr(text, "attn_logit_softcapping", None):
        yield "it caps attention scores"
    if getattr(text, "alibi", False) or getattr(text, "position_embedding_type", "absolute") == "alibi":
        yield "it uses ALiBi"
    rope = getattr(text, "rope_parameters", None) or getattr(text, "rope_scaling", None) or {}
    if "mrope_section" in rope:
        yield "its positions have several parts"
    if str(rope.get("rope_type", rope.get("type", "default"))) in ("dynamic", "longrope"):
        yield "its rotary positions depend on the length of the sequence"
    if getattr(text, "output_router_logits", False):
        yield "its routers have a loss of their own"
    if getattr(text, "_attn_implementation", None) not in _EXCHANGEABLE:
        yield f"it is loaded with {text._attn_implementation}"


def _dropout_reasons(model: Any, config: Any) -> Iterator[str | None]:
    rates = [getattr(config.get_text_config(decoder=True), "attention_dropout", 0.0)]
    rates += [module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)]
    if any(isinstance(rate, float) and rate > 0 for rate in rates):
        yield "dropout is active"


def differs_from_plain(model: Any) -> str | None:
    """Runs the model on a few short made-up sequences with the engine and without; what is different, None if nothing
    is. The model must not be wrapped for several processes; it is left as it was."""
    sequences = _trial_sequences(model)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            plain = _plain(model, sequences)
            shared = _shared(model, sequences)
            allowed = _TOLERANCE.get(plain.dtype, 0.0)
            if plain.dtype not in _TOLERANCE:
                # How far the plain path is from itself when only its batch changes.
                alone = torch.cat([_plain(model, [sequence]) for sequence in sequences])
                allowed = 4 * _apart(plain, alone) + 1e-2
    except (TypeError, ValueError, AttributeError, RuntimeError, IndexError, KeyError) as error:
        return f"a trial failed: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    finally:
        model.train(was_training)
    difference = _apart(plain, shared)
    # Written so that NaN counts as different.
    return None if difference <= allowed else f"its outputs differ by {difference:.2g} of their spread"


def _trial_sequences(model: Any) -> list[list[int]]:
    """Two guidelines, three prompts, five sequences of different lengths, over ids that every vocabulary has."""
    rows = model.get_input_embeddings().num_embeddings
    drawn = torch.randint(0, rows, (80,), generator=torch.Generator().manual_seed(0)).tolist()
    first, second = drawn[:24], drawn[24:30]
    tails = [[*first, *drawn[30:38]], [*first, *drawn[38:60]], [*second, *drawn[60:64]]]
    return [
        tails[0] + drawn[64:67],
        tails[0] + drawn[67:73],
        tails[1] + drawn[64:65],
        tails[1] + drawn[73:80],
        tails[2],
    ]


def _plain(model: Any, sequences: list[list[int]]) -> Tensor:
    """(tokens, V): logits of all tokens, sequence after sequence."""
    device = model.get_input_embeddings().weight.device
    width = max(map(len, sequences))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in sequences], device=device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in sequences], device=device)
    logits: Tensor = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    return logits[mask.bool()]


def _shared(model: Any, sequences: list[list[int]]) -> Tensor:
    device = model.get_input_embeddings().weight.device
    plan = plan_prefixes(sequences)
    attention = PackAttention(attention_layout(plan, device))
    ids, positions = (torch.from_numpy(x)[None].to(device) for x in (plan.token_ids, plan.positions))
    everywhere = torch.arange(ids.shape[1], device=device)
    with shared_attention_in(model):
        logits: Tensor = model(**forward_arguments(ids, positions, attention), logits_to_keep=everywhere).logits
    places = torch.cat([torch.from_numpy(plan.places(number)) for number in range(len(sequences))])
    return logits[0, places.to(device)]


def _apart(a: Tensor, b: Tensor) -> float:
    """Largest difference, as a share of the spread of a."""
    a, b = a.double(), b.double()
    return float((a - b).abs().max() / a.std().clamp(min=1e-12))
