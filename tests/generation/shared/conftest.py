"""Tiny models, prompts that share something, and what `generate` of transformers makes of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

STOPS = (5, 9, 11, 30, 31, 32)
KINDS = {
    "Qwen2": {"num_key_value_heads": 2},
    "Llama": {"num_key_value_heads": 4},
    "Qwen3": {"num_key_value_heads": 1, "head_dim": 8},
}


def tiny(kind: str = "Qwen2", **more: Any) -> Any:
    import transformers

    torch.manual_seed(3)
    size: dict[str, Any] = {
        "vocab_size": 97,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.4,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    config = getattr(transformers, f"{kind}Config")(**{**size, **KINDS[kind], **more})
    return getattr(transformers, f"{kind}ForCausalLM")(config).eval()


def drawn_ids(count: int, seed: int, vocabulary: int = 97) -> list[int]:
    draw = random.Random(seed)
    return [draw.randrange(2, vocabulary) for _ in range(count)]


def by_generate(model: Any, prompt: Sequence[int], most: int, stops: Sequence[int] = STOPS, **more: Any) -> list[int]:
    """Greedy, one prompt alone, with the library's loop."""
    from transformers import GenerationConfig

    config = GenerationConfig(
        max_new_tokens=most, do_sample=False, eos_token_id=list(stops) or None, pad_token_id=0, **more
    )
    ids = torch.tensor([list(prompt)], device=model.device)
    with torch.no_grad():
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)
    written: list[int] = out[0, len(prompt) :].tolist()
    return written


@pytest.fixture
def tiny_model() -> Callable[..., Any]:
    return tiny


@pytest.fixture
def prompt_sets() -> dict[str, list[list[int]]]:
    """Prompts in the ways in which they may share."""
    one, other = drawn_ids(70, 1), drawn_ids(40, 2)
    nested = one + drawn_ids(30, 3)
    tails = [drawn_ids(n, 10 + n) for n in (3, 12, 1, 25, 7)]
    return {
        "one guideline": [one + tail for tail in tails],
        "several guidelines": [g + tail for g in (one, other) for tail in tails[:3]] + [other + tails[3]],
        "a guideline and its variant": [nested + tails[0], nested + tails[1], one + tails[2], one + tails[3]],
        "nothing in common": [[number + 2, *drawn_ids(5 * number + 1, number)] for number in range(5)],
        "one is the beginning of another": [one, one + tails[0], one + tails[0] + tails[1], one[:50]],
        "several samples": [one + tails[0]] * 3 + [one + tails[1]] * 2 + [one + tails[0]] + [other + tails[2]] * 3,
        "a single one": [one + tails[0]],
        "a single one, several samples": [one] * 4,
    }
