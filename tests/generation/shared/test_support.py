"""Who is served, who isn't and why; and a trial that sees what a configuration doesn't say."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
import transformers

from bythebook.generation.shared import interface
from bythebook.generation.shared.support import differs_from_plain, why_not_shared

SIZE = {
    "vocab_size": 90,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def a_model(name: str, **more: Any) -> Any:
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{**SIZE, **more})
    kind = "GPT2LMHeadModel" if name == "GPT2" else f"{name.removesuffix('Text')}ForCausalLM"
    return getattr(transformers, kind)(config)


SERVED: dict[str, dict[str, Any]] = {
    "Llama": {},
    "Qwen2": {},
    "Qwen3": {"head_dim": 8},
    "Mistral": {"sliding_window": None},
    "Gemma": {"head_dim": 8},
    "Phi3": {},
    "SmolLM3": {},
    "Olmo2": {},
    "Granite": {},
    "Cohere": {},
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4},
    "Qwen3Moe": {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
}


@pytest.mark.parametrize("name", SERVED)
def test_full_attention_is_served_and_the_trial_agrees(name: str) -> None:
    model = a_model(name, **SERVED[name])
    model.train()
    assert why_not_shared(model) is None
    assert differs_from_plain(model) is None
    assert model.training
    assert model.config._attn_implementation == "sdpa"


NOT_SERVED: dict[str, tuple[str, dict[str, Any], str]] = {
    "sliding window": ("Mistral", {"sliding_window": 16}, "sliding window"),
    "sliding layers": ("Gemma3Text", {"head_dim": 8}, "layers of sliding attention"),
    "some sliding layers": ("Qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1}, "slid"),
    "attention sinks": (
        "GptOss",
        {"head_dim": 8, "layer_types": ["full_attention"] * 2, "num_local_experts": 2, "num_experts_per_tok": 1},
        "attention sinks",
    ),
    "capped scores": ("Gemma2", {"head_dim": 8, "layer_types": ["full_attention"] * 2}, "caps attention scores"),
    "ALiBi": ("Bloom", {"n_head": 4, "n_layer": 2}, "can't be exchanged"),
    "recurrent": ("Mamba", {}, "can't be exchanged"),
    "routers' loss": (
        "Mixtral",
        {"sliding_window": None, "output_router_logits": True, "num_local_experts": 2},
        "routers",
    ),
    "positions by length": (
        "Llama",
        {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}},
        "depend on the length",
    ),
    "positions of several parts": (
        "Llama",
        {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}},
        "several parts",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", NOT_SERVED)
def test_other_models_are_refused_with_a_reason(kind: str) -> None:
    name, options, reason = NOT_SERVED[kind]
    assert reason in str(why_not_shared(a_model(name, **options)))


def test_dropout_counts_in_training_only() -> None:
    model = a_model("Qwen2", attention_dropout=0.1)
    assert why_not_shared(model) is None
    assert why_not_shared(model, training=True) == "dropout is active"


def test_adapters_are_served_unless_they_put_tokens_before_the_prompt() -> None:
    lora = peft.get_peft_model(a_model("Qwen2"), peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"]))
    assert why_not_shared(lora, training=True) is None
    assert differs_from_plain(lora) is None
    dropping = peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj"], lora_dropout=0.1)
    assert why_not_shared(peft.get_peft_model(a_model("Qwen2"), dropping), training=True) == "dropout is active"
    virtual = peft.get_peft_model(
        a_model("Qwen2"), peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    )
    assert "virtual tokens" in str(why_not_shared(virtual))


def test_other_attention_than_the_library_s_own_stays() -> None:
    model = a_model("Qwen2")
    model.config._attn_implementation = "flex_attention"
    assert "flex_attention" in str(why_not_shared(model))


def test_a_wrong_attention_fails_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "tree_attention", lambda q, k, v, layout, scale: q * 0)
    assert "differ by" in str(differs_from_plain(a_model("Llama")))
    monkeypatch.setattr(interface, "tree_attention", lambda q, k, v, layout, scale: q * torch.nan)
    assert "differ by nan" in str(differs_from_plain(a_model("Llama")))

    def broken(*_: Any) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(interface, "tree_attention", broken)
    assert differs_from_plain(a_model("Llama")) == "a trial failed: RuntimeError: no such kernel"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_the_trial_knows_rounding(dtype: torch.dtype) -> None:
    assert differs_from_plain(a_model("Qwen2").to(dtype)) is None
