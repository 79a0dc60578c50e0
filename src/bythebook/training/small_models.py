"""Small models from scratch: a tokenizer with byte fallback, and a Llama with attention biases built from a config.

For the embedded model and for runs on real data where no pretrained model can be had.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bythebook.training.heads_install import install_heads
from bythebook.training.joint_heads import joint_plan, joint_sample
from bythebook.training.lookup_heads import PLANS, install_lookup_heads

__all__ = [
    "CHAT_TEMPLATE",
    "SmallModelConfig",
    "build_model",
    "build_tokenizer",
    "llama_config",
    "shrink_outputs",
    "train_tokenizer",
]

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ '' if loop.first else '\\n' }}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] }}"
    "{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '\\n<|im_start|>assistant\\n' }}{% endif %}"
)
_CONTROL = ("<pad>", "<|im_start|>", "<|im_end|>")
_TAGS = ("<think>", "</think>", "<answer>", "</answer>", "<e1>", "</e1>", "<e2>", "</e2>")
_DIRECTIONS = ("(e1,e2)", "(e2,e1)", " e1", " e2")
_TAG_CUT = re.compile(r"</?(?:think|answer|e1|e2)>|\(e[12],e[12]\)")
_PIECES = r"[ -]?[A-Z][a-z]*| ?[a-z]+|\d| |[^ a-zA-Z\d]"
"""What the text is cut into before look-up: words with the space before them, capitalised label halves with their
hyphen, digits and signs one by one."""


class SmallModelConfig(BaseModel):
    """Size and initialisation of a model from scratch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_size: int = Field(default=128, ge=1)
    layers: int = Field(default=3, ge=1)
    heads: int = Field(default=8, ge=1)
    head_size: int = Field(default=32, ge=2, multiple_of=2)
    mlp_size: int = Field(default=256, ge=1)
    init_std: float = 0.08
    output_shrink: float = 0.05
    """Factor on the output projections at initialisation: keeps token identity readable in the residual stream."""
    rope_theta: float = 1e6
    """Long rotary wavelengths: content can be compared over a hundred tokens."""
    context: int = Field(default=2048, ge=1)
    lookup_heads: bool | Literal["rules", "quotes", "tables", "joint"] = True
    """Which hand-made heads are installed, if any; True: those for rules. `joint` fits its own sizes alone: see
    `training.joint_heads`."""


def build_tokenizer(words: Sequence[str], pieces: Sequence[str] = ()) -> PreTrainedTokenizerFast:
    """Byte-level vocabulary in which each of `words` (leading space included) is one token and every other text falls
    back to bytes; the tags of the answer form, the directions and `pieces` are single tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for word in words:
        bytes_of_it = "".join(piece for piece, _ in byte_level.pre_tokenize_str(word))
        vocabulary.setdefault(bytes_of_it, len(vocabulary))
    # Left-to-right merges would break words; with ignore_merges a whole piece found in the vocabulary is one token.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = _pre_tokenizer()
    return _finished(tokenizer, pieces)


def train_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about `size` tokens learnt from `texts`, with the same tags and template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = _pre_tokenizer()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    # The tags are cut out first, as they will be when the tokenizer is used.
    tokenizer.train_from_iterator((piece for text in texts for piece in _TAG_CUT.split(text) if piece), trainer)
    return _finished(tokenizer)


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(_PIECES), "isolated"), byte_level])


def _finished(tokenizer: Tokenizer, pieces: Sequence[str] = ()) -> PreTrainedTokenizerFast:
    """With decoder, tags, special tokens and chat template."""
    tokenizer.decoder = decoders.ByteLevel()
    marks = ("<e1>", "</e1>", "<e2>", "</e2>")
    tokenizer.add_tokens(
        [
            AddedToken(token, normalized=False, special=token in _CONTROL, lstrip=token in marks)
            for token in (*_CONTROL, *_TAGS, *_DIRECTIONS, *pieces)
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def build_model(config: SmallModelConfig, tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """A Llama with tied embeddings and attention biases, initialised from `seed`.

    Not a Qwen2: transformers reads the tokenizer of a Qwen2 folder by rules of its own, whatever the folder says.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(llama_config(config, tokenizer))
    shrink_outputs(model.model.layers, config.output_shrink)
    if config.lookup_heads == "joint":
        install_heads(model, tokenizer, joint_plan(), joint_sample(tokenizer), seed)
    elif config.lookup_heads:
        plan = PLANS["rules" if config.lookup_heads is True else config.lookup_heads]
        (preferred,) = tokenizer(plan.prefer_after, add_special_tokens=False)["input_ids"]
        install_lookup_heads(model, plan, preferred, seed)
    return model


def llama_config(config: SmallModelConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The Llama of that size, with tied embeddings and attention biases."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden_size,
        intermediate_size=config.mlp_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        head_dim=config.head_size,
        attention_bias=True,
        max_position_embeddings=config.context,
        tie_word_embeddings=True,
        initializer_range=config.init_std,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def shrink_outputs(layers: Iterable[Any], factor: float) -> None:
    """Scale the output projections of a Llama's layers."""
    with torch.no_grad():
        for layer in layers:
            layer.self_attn.o_proj.weight.mul_(factor)
            layer.mlp.down_proj.weight.mul_(factor)
