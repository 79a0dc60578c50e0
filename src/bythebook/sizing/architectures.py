"""How large a model is, from its architecture: a saved folder, the table of known models, or the hub's `config.json`.

Decoder-only transformers of the Llama type (RMS norm, rotary positions, grouped-query attention, gated MLP). Shapes in
formulas: V vocabulary, h hidden size, L layers, a heads, k key-value heads, d head size, f width of the MLP.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from pydantic import Field

from bythebook.errors import ModelError
from bythebook.generation import folder_of
from bythebook.recipe import ModelSection
from bythebook.tasks.world.words import vocabulary
from bythebook.types import Noun

__all__ = ["KNOWN", "Architecture", "architecture_of", "read_config"]

_BYTES_AND_TAGS = 256 + 15
"""Tokens that every vocabulary of ours has beside words: single bytes, tags and control tokens."""
_PATIENCE = 3.0
"""Seconds to wait for the hub."""
_MOST_BYTES = 1_000_000
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Architecture(Noun):
    """The figures that fix the number of parameters and the size of activations."""

    hidden_size: int = Field(ge=1)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    head_size: int = Field(ge=1)
    mlp_size: int = Field(ge=1)
    vocabulary: int = Field(ge=1)
    tied: bool = False
    """Whether the LM head is the embedding matrix."""
    qkv_bias: bool = False
    output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    """Whether queries and keys are normalised by head."""

    @property
    def layer_parameters(self) -> int:
        """h·a·d + 2·h·k·d + a·d·h (attention) + 3·h·f (MLP) + 2·h (norms), with biases where there are any."""
        h, f = self.hidden_size, self.mlp_size
        queries, keys = self.heads * self.head_size, self.kv_heads * self.head_size
        weights = 2 * h * queries + 2 * h * keys + 3 * h * f + 2 * h
        biases = self.qkv_bias * (queries + 2 * keys) + self.output_bias * h + self.mlp_bias * (2 * f + h)
        return weights + biases + self.qk_norm * 2 * self.head_size

    def adapter_parameters(self, rank: int, modules: Collection[str] = ()) -> int:
        """Of LoRA adapters (arXiv 2106.09685, section 4.1): rank × (inputs + outputs) of each adapted matrix.

        `modules` are names as transformers has them (`q_proj`, …); none of them means every linear layer but the head.
        """
        h, f, queries, keys = (
            self.hidden_size,
            self.mlp_size,
            self.heads * self.head_size,
            self.kv_heads * self.head_size,
        )
        shapes = {
            "q_proj": h + queries,
            "k_proj": h + keys,
            "v_proj": h + keys,
            "o_proj": queries + h,
            "gate_proj": h + f,
            "up_proj": h + f,
            "down_proj": f + h,
        }
        return self.layers * rank * sum(n for name, n in shapes.items() if not modules or name in modules)

    @property
    def outer_parameters(self) -> int:
        """V·h, twice where the LM head is a matrix of its own, and h for the last norm."""
        return (1 if self.tied else 2) * self.vocabulary * self.hidden_size + self.hidden_size

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.layers * self.layer_parameters + self.outer_parameters


def _qwen25(h: int, layers: int, a: int, k: int, f: int, v: int, tied: bool) -> Architecture:
    return Architecture(
        hidden_size=h, layers=layers, heads=a, kv_heads=k, head_size=128 if h > 896 else 64, mlp_size=f, vocabulary=v,
        tied=tied, qkv_bias=True,
    )  # fmt: skip


def _llama3(h: int, layers: int, a: int, d: int, f: int, tied: bool) -> Architecture:
    return Architecture(
        hidden_size=h, layers=layers, heads=a, kv_heads=8, head_size=d, mlp_size=f, vocabulary=128256, tied=tied
    )


def _qwen3(h: int, layers: int, a: int, f: int, tied: bool) -> Architecture:
    return Architecture(
        hidden_size=h, layers=layers, heads=a, kv_heads=8, head_size=128, mlp_size=f, vocabulary=151936, tied=tied,
        qk_norm=True,
    )  # fmt: skip


KNOWN: dict[str, Architecture] = {
    # Qwen2.5 technical report, arXiv 2412.15115, table 1; MLP and vocabulary from each model's config.json.
    "Qwen/Qwen2.5-0.5B": _qwen25(896, 24, 14, 2, 4864, 151936, True),
    "Qwen/Qwen2.5-1.5B": _qwen25(1536, 28, 12, 2, 8960, 151936, True),
    "Qwen/Qwen2.5-3B": _qwen25(2048, 36, 16, 2, 11008, 151936, True),
    "Qwen/Qwen2.5-7B": _qwen25(3584, 28, 28, 4, 18944, 152064, False),
    "Qwen/Qwen2.5-14B": _qwen25(5120, 48, 40, 8, 13824, 152064, False),
    "Qwen/Qwen2.5-32B": _qwen25(5120, 64, 40, 8, 27648, 152064, False),
    "Qwen/Qwen2.5-72B": _qwen25(8192, 80, 64, 8, 29568, 152064, False),
    # The Llama 3 herd of models, arXiv 2407.21783, table 3; the small ones from their config.json.
    "meta-llama/Llama-3.2-1B": _llama3(2048, 16, 32, 64, 8192, True),
    "meta-llama/Llama-3.2-3B": _llama3(3072, 28, 24, 128, 8192, True),
    "meta-llama/Llama-3.1-8B": _llama3(4096, 32, 32, 128, 14336, False),
    "meta-llama/Llama-3.1-70B": _llama3(8192, 80, 64, 128, 28672, False),
    # Qwen3 technical report, arXiv 2505.09388, table 1; MLP and vocabulary from each model's config.json.
    "Qwen/Qwen3-0.6B": _qwen3(1024, 28, 16, 3072, True),
    "Qwen/Qwen3-1.7B": _qwen3(2048, 28, 16, 6144, True),
    "Qwen/Qwen3-4B": _qwen3(2560, 36, 32, 9728, True),
    "Qwen/Qwen3-8B": _qwen3(4096, 36, 32, 12288, False),
}
"""Models by the hub id of their base; the instruction-tuned ones have the same figures."""

_SUPPORTED = ("llama", "mistral", "qwen2", "qwen3")


def architecture_of(model: ModelSection) -> tuple[Architecture, str]:
    """The architecture of a recipe's model, and where it was found. ModelError says why it is not known."""
    if model.path == "scratch":
        return _of_scratch(model.scratch), "the recipe"
    folder = folder_of(model.path)
    if folder.is_dir():
        return read_config(_json_of(folder / "config.json"), folder / "config.json"), "config.json of the folder"
    base = model.path.replace("/Meta-Llama-", "/Llama-").removesuffix("-Instruct").removesuffix("-Base")
    if base in KNOWN:
        return KNOWN[base], "the table of known models"
    return read_config(_from_hub(model), model.path), "config.json of the hub"


def _json_of(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"can't be read: {error}", file=file) from None
    if not isinstance(found, dict):
        raise ModelError("not the configuration of a model", file=file)
    return found


def read_config(found: Mapping[str, Any], called: str | Path) -> Architecture:
    """The architecture in a `config.json` as transformers writes it. ModelError, with what the model is `called`, for
    another type of model or figures that are none."""
    kind = found.get("model_type")
    if kind not in _SUPPORTED:
        raise ModelError(
            f"no size formula for models of type {kind!r}",
            file=called,
            remedy=f"there is one for {', '.join(_SUPPORTED)}",
        )
    try:
        h, heads = int(found["hidden_size"]), int(found["num_attention_heads"])
        return Architecture(
            hidden_size=h,
            layers=found["num_hidden_layers"],
            heads=heads,
            kv_heads=found.get("num_key_value_heads") or heads,
            head_size=found.get("head_dim") or h // heads,
            mlp_size=found["intermediate_size"],
            vocabulary=found["vocab_size"],
            tied=bool(found.get("tie_word_embeddings", False)),
            qkv_bias=kind == "qwen2" or bool(found.get("attention_bias", False)),
            output_bias=kind == "llama" and bool(found.get("attention_bias", False)),
            mlp_bias=bool(found.get("mlp_bias", False)),
            qk_norm=kind == "qwen3",
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ModelError(f"not the figures of a model: {str(error).splitlines()[0]}", file=called) from None


def _of_scratch(options: Mapping[str, Any]) -> Architecture:
    """What training.small_models builds: a Llama with attention biases and tied embeddings."""
    words = options.get("words") == "world"
    try:
        return Architecture(
            hidden_size=options["hidden_size"],
            layers=options["layers"],
            heads=options["heads"],
            kv_heads=options["heads"],
            head_size=options["head_size"],
            mlp_size=options["mlp_size"],
            vocabulary=len(vocabulary()) + _BYTES_AND_TAGS if words else options["vocabulary"],
            tied=True,
            qkv_bias=True,
            output_bias=True,
        )
    except KeyError as error:
        raise ModelError(f"model.scratch does not say {error.args[0]}", remedy="write it into the recipe") from None
    except ValueError as error:
        raise ModelError(f"model.scratch: {str(error).splitlines()[0]}") from None


def _from_hub(model: ModelSection) -> dict[str, Any]:
    """The `config.json` of a hub model, from the cache or over the network. ModelError if it can't be had."""
    unknown = ModelError(
        f"model {model.path!r} is in no folder and not in the table of known models, and the hub can't be reached",
        remedy="download it first, or name its folder in model.path",
    )
    if not _HUB_NAME.fullmatch(model.path):
        raise unknown
    cached = _cached(model)
    if cached is not None:
        return _json_of(cached)
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("0", ""):
        raise unknown
    # Not by the hub's client, which tries again and again for half a minute where there is no network.
    host, revision = os.environ.get("HF_ENDPOINT", "https://huggingface.co"), quote(model.revision or "main", safe="")
    try:
        with urlopen(f"{host}/{model.path}/resolve/{revision}/config.json", timeout=_PATIENCE) as answer:
            found = json.loads(answer.read(_MOST_BYTES))
    except (OSError, ValueError, HTTPException, RecursionError):
        raise unknown from None
    if not isinstance(found, dict):
        raise unknown
    return found


def _cached(model: ModelSection) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(model.path, "config.json", revision=model.revision)
    return Path(found) if isinstance(found, str) else None
