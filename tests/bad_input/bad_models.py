"""Bad input: models on disk, models behind a server."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

from bad_case import Case, Content
from bad_parts import BOOK, MARKED, folder, holding, model, without
from safetensors.numpy import load_file, save_file

from bythebook.generation import embedded_path

_ASK = ("evaluate", "--task", "world", "--split", "id", "--limit", "1", "--samples", "0", "--json", "--model")


def _model(name: str, place: Content | None, said: str, called: str = "./m", *more: str) -> Case:
    return Case(name, (*_ASK, called, *more), said, {} if place is None else {"m": place})


def _broken(name: str, place: Content, reason: str) -> Case:
    """A folder that is a model's, and can't be loaded. The reason is what the libraries say today."""
    expected = "it must be a transformers model directory with config.json, tokenizer and safetensors weights"
    return _model(name, place, f"m: the model can't be loaded: {reason} ({expected})")


def _config(**changes: object) -> str:
    return json.dumps(json.loads((embedded_path() / "config.json").read_text("utf-8")) | changes)


def _no_tokenizer(path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (path / name).unlink()


def _lacks_a_layer(path: Path) -> None:
    weights = load_file(path / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, path / "model.safetensors")


def _only_pickled(path: Path) -> None:
    (path / "model.safetensors").rename(path / "pytorch_model.bin")


def _adapter(weights: bytes | None = None, **settings: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.mkdir()
        (path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **settings}))
        if weights is not None:
            (path / "adapter_model.safetensors").write_bytes(weights)

    return make


def _foreign_tokenizer(path: Path) -> None:
    """One token more than the model has rows for."""
    file = path / "tokenizer.json"
    tokenizer = json.loads(file.read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    known = next(word for word in vocabulary if len(word) > 3)
    for word in vocabulary:
        vocabulary[word] += 100_000 if word != known else 0
    file.write_text(json.dumps(tokenizer), encoding="utf-8")


_HEADER = json.dumps(
    {"model.embed_tokens.weight": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 324]}}
).encode()

MODELS = (
    _model("a model that is not there", None, "no model './m': no such folder (name the folder of a saved model)"),
    _model("a model that is a file", "x", "m: a model is a folder, this is a file (name the folder around it)"),
    _model("a folder without a model", folder, "m: no config.json in this folder (name the folder of a saved model)"),
    _model(
        "a model name with blanks",
        None,
        "no model 'my model': no such folder (name the folder of a saved model)",
        "my model",
    ),
    _model("an empty model name", None, "the name of the model is empty (name the folder of a saved model)", ""),
    _model(
        "a home that is nobody's",
        None,
        "no model '~nobody-of-this-name/m': no such home folder (write the path without ~)",
        "~nobody-of-this-name/m",
    ),
    _model(
        "a hub model without network",
        None,
        (
            "no model 'bythebook-tests/no-such-model': no such folder, and the hub can't be reached or has no "
            "model of that name with safetensors weights (We couldn't connect to 'https://huggingface.co' to "
            "load the files, and couldn't find them in the cached files.) (give the path of a model directory, "
            "'embedded', or a hub name such as Qwen/Qwen2.5-7B-Instruct)"
        ),
        "bythebook-tests/no-such-model",
    ),
    _broken(
        "a model without tokenizer",
        model(_no_tokenizer),
        "Couldn't instantiate the backend tokenizer…",
    ),
    _broken("a model without weights", without("model.safetensors"), "…model.safetensors…"),
    _broken("a model with pickled weights", model(_only_pickled), "…model.safetensors…"),
    _broken("a config that is not JSON", holding("config.json", "{"), "…m/config.json…"),
    _broken("a config that is a list", holding("config.json", "[]"), "…must be a mapping, not list…"),
    _broken("a config that is not UTF-8", holding("config.json", b"\xff\xfe{"), "…m/config.json…"),
    _broken("a config of an unknown architecture", holding("config.json", _config(model_type="brain")), "…`brain`…"),
    _broken("a config with a negative size", holding("config.json", _config(hidden_size=-1)), "…-1…"),
    _broken(
        "a config with a size that is a text",
        holding("config.json", _config(num_hidden_layers="x")),
        "…num_hidden_layers…",
    ),
    _broken(
        "a config that names code",
        holding("config.json", _config(auto_map={"AutoModelForCausalLM": "x.Y"}, model_type="brain")),
        "…`brain`…",
    ),
    _broken(
        "a config of another size",
        holding("config.json", _config(hidden_size=64)),
        "its weights have other shapes than its config.json says",
    ),
    _broken("weights of no byte", holding("model.safetensors", b""), "…header too small…"),
    _model(
        "weights that lack a layer",
        model(_lacks_a_layer),
        "m: the weights lack model.norm.weight (save the whole model again)",
    ),
    _broken("weights that are garbage", holding("model.safetensors", b"\xff" * 64), "…header too large…"),
    _broken(
        "weights with a header beyond the file",
        holding("model.safetensors", struct.pack("<Q", 10**15) + b"{}"),
        "…header too large…",
    ),
    _broken(
        "weights that break off",
        holding("model.safetensors", struct.pack("<Q", len(_HEADER)) + _HEADER),
        "…not fully covered…",
    ),
    _broken("a tokenizer that is not JSON", holding("tokenizer.json", "x"), "Expecting value…"),
    _model(
        "a tokenizer of another model",
        model(_foreign_tokenizer),
        ("the tokenizer of './m' gives token 100632, the model has 649 (put the model's own tokenizer beside it)"),
    ),
    _model(
        "a chat template that is broken",
        holding("chat_template.jinja", "{% for %}"),
        ("the model's chat template refuses the prompt: Expected an expression, got 'end of statement block'"),
    ),
    _model(
        "a chat template that refuses",
        holding("chat_template.jinja", "{{ raise_exception('no user') }}"),
        "the model's chat template refuses the prompt: no user",
    ),
    _model(
        "an unknown prompt template",
        holding("prompt.json", '{"template": "long"}'),
        "m/prompt.json: template: Input should be 'r1_re' or 'short'",
    ),
    _model(
        "prompt settings that are not JSON",
        holding("prompt.json", "{"),
        ("m/prompt.json: can't be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ),
    _model(
        "an adapter that names no base", _adapter(), "m/adapter_config.json: the adapter does not name its base model"
    ),
    _model(
        "an adapter whose base is gone",
        _adapter(base_model_name_or_path="./gone", weights=b""),
        "no model './gone': no such folder (name the folder of a saved model)",
    ),
    _model(
        "an adapter on itself",
        _adapter(base_model_name_or_path="./m", weights=b""),
        "m: the base of the adapter is an adapter (merge that one first)",
    ),
    _broken(
        "an adapter with weights that are garbage",
        _adapter(base_model_name_or_path="embedded", weights=b"x" * 99),
        "…header…",
    ),
    _model(
        "an adapter without weights",
        _adapter(base_model_name_or_path="embedded"),
        "m: no adapter_model.safetensors here (save the adapter as safetensors)",
    ),
    _model(
        "an unknown backend",
        None,
        "no backend 'torch' (transformers, vllm or openai)",
        "embedded",
        "--backend",
        "torch",
    ),
    _model(
        "vLLM without its installation",
        None,
        "the vLLM backend needs the 'vllm' extra: pip install 'bythebook[vllm]'",
        "embedded",
        "--backend",
        "vllm",
    ),
    _model(
        "a server without address",
        None,
        ("no endpoint for the model openai:gpt (give both: --model openai:NAME --endpoint http://localhost:8000/v1)"),
        "openai:gpt",
    ),
    _model(
        "an address without model",
        None,
        ("no name for the model openai: (give both: --model openai:NAME --endpoint http://localhost:8000/v1)"),
        "openai:",
        "--endpoint",
        "http://localhost:9/v1",
    ),
    _model(
        "an address that is none",
        None,
        (
            "endpoint: url: an endpoint looks like http://localhost:8000/v1 (the address of an OpenAI-compatible "
            "server, mostly with /v1 at its end)"
        ),
        "openai:x",
        "--endpoint",
        "localhost:8000",
    ),
    _model(
        "an address of another protocol",
        None,
        (
            "endpoint: url: an endpoint looks like http://localhost:8000/v1 (the address of an OpenAI-compatible "
            "server, mostly with /v1 at its end)"
        ),
        "openai:x",
        "--endpoint",
        "ftp://localhost/v1",
    ),
    _model(
        "a port out of range",
        None,
        (
            "endpoint: url: an endpoint looks like http://localhost:8000/v1 (the address of an OpenAI-compatible "
            "server, mostly with /v1 at its end)"
        ),
        "openai:x",
        "--endpoint",
        "http://localhost:99999/v1",
    ),
    _model(
        "a backend that asks no server",
        None,
        "the backend 'vllm' asks no server (leave out the backend, or the endpoint)",
        "x",
        "--endpoint",
        "http://localhost:9/v1",
        "--backend",
        "vllm",
    ),
    _model(
        "a key that is not set",
        None,
        (
            "the environment variable NO_SUCH_KEY_HERE holds no API key (export NO_SUCH_KEY_HERE=…, or name "
            "another variable)"
        ),
        "openai:x",
        "--endpoint",
        "http://localhost:9/v1",
        "--api-key-env",
        "NO_SUCH_KEY_HERE",
    ),
    _model(
        "more requests at once than possible",
        None,
        (
            "endpoint: concurrency: Input should be less than or equal to 1024 (the address of an "
            "OpenAI-compatible server, mostly with /v1 at its end)"
        ),
        "openai:x",
        "--endpoint",
        "http://localhost:9/v1",
        "--concurrency",
        "9999",
    ),
    _model(
        "a patience without end",
        None,
        (
            "endpoint: timeout: Input should be a finite number (the address of an OpenAI-compatible server, "
            "mostly with /v1 at its end)"
        ),
        "openai:x",
        "--endpoint",
        "http://localhost:9/v1",
        "--timeout",
        "inf",
    ),
    _model(
        "a server that nobody runs",
        None,
        (
            "http://127.0.0.1:9/v1 does not answer: no connection: All connection attempts failed (is a server "
            "running there, and does the address end as its documentation says (mostly /v1)?)"
        ),
        "openai:x",
        "--endpoint",
        "http://127.0.0.1:9/v1",
    ),
    Case(
        "a model to annotate with that is not there",
        ("annotate", "r.jsonl", "-g", "b.md", "-o", "o.jsonl", "-m", "./m"),
        "no model './m': no such folder (name the folder of a saved model)",
        {"r.jsonl": MARKED, "b.md": BOOK},
    ),
    Case(
        "a model to train that is not there",
        ("train", "r1_re_tiny", "model.path=./m", "-o", "run"),
        "no model './m': no such folder (name the folder of a saved model)",
        leaves=("run", "run/recipe.yaml"),
    ),
)
