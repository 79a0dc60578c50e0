from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import ModelError
from bythebook.generation import embedded_path
from bythebook.recipe import ModelSection, load_recipe
from bythebook.sizing import KNOWN, Architecture, architecture_of

PUBLISHED = {
    # Parameters as the hub counts them in the published weights.
    "Qwen/Qwen2.5-0.5B": 494_032_768,
    "Qwen/Qwen2.5-1.5B": 1_543_714_304,
    "Qwen/Qwen2.5-3B": 3_085_938_688,
    "Qwen/Qwen2.5-7B": 7_615_616_512,
    "Qwen/Qwen2.5-14B": 14_770_033_664,
    "Qwen/Qwen2.5-32B": 32_763_876_352,
    "Qwen/Qwen2.5-72B": 72_706_203_648,
    "meta-llama/Llama-3.2-1B": 1_235_814_400,
    "meta-llama/Llama-3.2-3B": 3_212_749_824,
    "meta-llama/Llama-3.1-8B": 8_030_261_248,
    "meta-llama/Llama-3.1-70B": 70_553_706_496,
    "Qwen/Qwen3-0.6B": 596_049_920,
    "Qwen/Qwen3-1.7B": 1_720_574_976,
    "Qwen/Qwen3-4B": 4_022_468_096,
    "Qwen/Qwen3-8B": 8_190_735_360,
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_model_has_its_published_number_of_parameters(name: str) -> None:
    assert KNOWN[name].parameters == PUBLISHED[name]


def test_parameters_by_hand() -> None:
    a = Architecture(
        hidden_size=8, layers=3, heads=4, kv_heads=2, head_size=2, mlp_size=16, vocabulary=10, qkv_bias=True
    )
    attention = 8 * 8 + 2 * 8 * 4 + 8 * 8 + (8 + 4 + 4)  # q, k and v, output, biases of q, k and v
    assert a.layer_parameters == attention + 3 * 8 * 16 + 2 * 8
    assert a.parameters == 3 * a.layer_parameters + 2 * 10 * 8 + 8
    tied = a.model_copy(update={"tied": True})
    assert a.parameters - tied.parameters == 10 * 8


CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2": {"num_key_value_heads": 2},
    "qwen2, tied": {"num_key_value_heads": 2, "tie_word_embeddings": True},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 24},
    "llama": {"num_key_value_heads": 4},
    "llama, biases": {"num_key_value_heads": 2, "attention_bias": True, "mlp_bias": True},
    "mistral": {"num_key_value_heads": 2, "head_dim": 16},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_parameters_are_those_of_the_model_that_transformers_builds(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {
        "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 160, "vocab_size": 97,
        "tie_word_embeddings": False,
    }  # fmt: skip
    config = AutoConfig.for_model(name.partition(",")[0], **{**sizes, **CONFIGS[name]})
    config.save_pretrained(tmp_path)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    found, source = architecture_of(ModelSection(path=str(tmp_path)))
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert source == "config.json of the folder"


@pytest.mark.parametrize("modules", ["all-linear", ["q_proj", "down_proj"]])
def test_adapters_are_as_large_as_those_that_peft_makes(modules: Any) -> None:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(embedded_path())
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=3, target_modules=modules, task_type="CAUSAL_LM"))
    trained = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    architecture = architecture_of(ModelSection(path="embedded"))[0]
    assert architecture.adapter_parameters(3, () if isinstance(modules, str) else modules) == trained


def test_the_embedded_model_has_the_parameters_in_its_weights() -> None:
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(embedded_path() / "model.safetensors", "np") as weights:
        stored = sum(weights.get_tensor(key).size for key in weights.keys())  # noqa: SIM118 - not a dict
    assert architecture_of(ModelSection(path="embedded"))[0].parameters == stored


def test_a_model_from_scratch_on_the_words_of_the_world_has_the_size_of_the_embedded_one() -> None:
    scratch = architecture_of(load_recipe("embedded_careful").model)[0]
    assert scratch.parameters == architecture_of(ModelSection(path="embedded"))[0].parameters


@pytest.mark.parametrize(
    "path",
    ["Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7B-Instruct", "meta-llama/Llama-3.1-8B-Instruct",
     "meta-llama/Meta-Llama-3.1-8B-Instruct", "Qwen/Qwen3-8B-Base"],
)  # fmt: skip
def test_a_known_model_needs_no_network(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bythebook.sizing.architectures.urlopen", None)
    assert architecture_of(ModelSection(path=path))[1] == "the table of known models"


def test_without_network_an_unknown_model_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("bythebook.sizing.architectures.urlopen", nowhere)
    with pytest.raises(ModelError, match=r"'some/model' .* hub can't be reached \(download it first"):
        architecture_of(ModelSection(path="some/model"))


@pytest.mark.parametrize("path", ["./no", "../../etc/passwd", "a/b/c", "http://x/y", "a"])
def test_what_is_no_hub_id_is_never_asked_for(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("bythebook.sizing.architectures.urlopen", asked)
    with pytest.raises(ModelError, match="hub can't be reached"):
        architecture_of(ModelSection(path=path))


class _Answer:
    def __init__(self, text: bytes) -> None:
        self.text = text

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, most: int) -> bytes:
        return self.text[:most]


def test_the_hub_is_asked_for_the_configuration_of_the_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    config = json.loads((embedded_path() / "config.json").read_text(encoding="utf-8"))

    def answer(url: str, timeout: float) -> _Answer:
        asked.append(url)
        return _Answer(json.dumps(config).encode())

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror")
    monkeypatch.setattr("bythebook.sizing.architectures.urlopen", answer)
    found, source = architecture_of(ModelSection(path="some/model", revision="a b"))
    assert found == architecture_of(ModelSection(path="embedded"))[0]
    assert (asked, source) == (["http://mirror/some/model/resolve/a%20b/config.json"], "config.json of the hub")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "mamba"}, "no size formula for models of type 'mamba'"),
        ({"model_type": "llama", "hidden_size": 8}, "not the figures of a model"),
        ({"model_type": "llama", "hidden_size": 8, "num_attention_heads": 0}, "not the figures of a model"),
        ([1], "not the configuration of a model"),
    ],
)
def test_a_folder_of_another_kind_is_refused(config: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=message):
        architecture_of(ModelSection(path=str(tmp_path)))


def test_a_model_from_scratch_of_unsaid_size_is_refused() -> None:
    with pytest.raises(ModelError, match="does not say hidden_size"):
        architecture_of(ModelSection(path="scratch"))
