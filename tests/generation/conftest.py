"""A tiny random model with a tokenizer of whole words, both made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

WORDS = "the a camera kettle orders covers replaces office mug sees User : <think> </think> <answer> </answer>"
CHAT = (
    "{% for m in messages %}<|user|>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def make_tokenizer(chat_template: str | None = CHAT) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "<eos>", "<|user|>", "<|assistant|>"]
    pieces = [f"{space}{word}" for word in dict.fromkeys(WORDS.split()) for space in ("", "Ġ")]
    letters = [chr(c) for c in range(33, 127)] + ["Ġ", "Ċ"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*special, *pieces, *letters]))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], ignore_merges=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="<eos>",
        additional_special_tokens=["<|user|>", "<|assistant|>"],
    )
    fast.chat_template = chat_template
    return fast


def make_model(tokenizer: Any, kind: str = "llama", positions: int = 256) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": positions,
        "initializer_range": 0.4,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
    }
    torch.manual_seed(7)
    return LlamaForCausalLM(LlamaConfig(**shape)) if kind == "llama" else Qwen2ForCausalLM(Qwen2Config(**shape))


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return make_tokenizer()


@pytest.fixture(params=["llama", "qwen2"])
def pair(request: pytest.FixtureRequest, tokenizer: Any) -> tuple[Any, Any]:
    return make_model(tokenizer, request.param), tokenizer


@pytest.fixture
def new_tokenizer() -> Callable[..., Any]:
    return make_tokenizer


@pytest.fixture
def new_model() -> Callable[..., Any]:
    return make_model


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A model directory as ours are: safetensors, tokenizer, prompt.json."""
    folder = tmp_path_factory.mktemp("model")
    make_model(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "prompt.json").write_text(
        '{"template": "short", "rendering": "rules", "closed_vocabulary": true, "max_new_tokens": 9}'
    )
    return folder
