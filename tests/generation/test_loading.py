from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import (
    ModelSettings,
    Sampling,
    load_model,
    loading,
    prompt_style_of,
    settings_of,
    unknown_words,
    write_settings,
)
from bythebook.prompts import PromptStyle

PROMPT = [[{"role": "user", "content": "the mug"}]]


def test_saved_directory_is_loaded_with_its_settings(saved: Path) -> None:
    model = load_model(saved, device="cpu")
    assert model.settings == ModelSettings(
        template="short", rendering="rules", closed_vocabulary=True, max_new_tokens=9
    )
    assert model.name == str(saved)
    assert len(model.generate(PROMPT, Sampling(n=2, max_new_tokens=2))[0]) == 2


@pytest.mark.parametrize("name", ["embedded", "embedded-joint"])
def test_embedded_models_come_with_the_package(name: str, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "embedded_path", {name: saved}.__getitem__)
    assert load_model(name, device="cpu").name == name


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c", "~/nowhere", "", "no where"])
def test_path_that_is_not_there_is_a_model_error_without_asking_the_hub(name: str, monkeypatch: Any) -> None:
    from bythebook.generation import TransformersModel

    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("asked the hub")

    monkeypatch.setattr(TransformersModel, "load", forbidden)
    monkeypatch.chdir(Path(__file__).parent)
    with pytest.raises(ModelError, match=r"no such folder|no config\.json|the name of the model is empty"):
        load_model(name)


@pytest.mark.parametrize("failure", [OSError("offline"), ValueError("odd"), RuntimeError("broken\nsecond line")])
def test_hub_that_cannot_be_reached_is_a_model_error(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    transformers = pytest.importorskip("transformers", reason="the 'train' extra is not installed")

    def fail(*args: object, **kwargs: object) -> None:
        raise failure

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", fail)
    with pytest.raises(ModelError, match="no such folder, and the hub can't be reached") as error:
        load_model("nobody/nothing")
    assert "second line" not in str(error.value)


def test_folder_without_a_model_and_file_instead_of_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(tmp_path)
    file = tmp_path / "weights.bin"
    file.write_bytes(b"x")
    with pytest.raises(ModelError, match="a model is a folder"):
        load_model(file)


def test_broken_weights_are_a_model_error_that_names_the_folder(saved: Path, tmp_path: Path) -> None:
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match=str(tmp_path)):
        load_model(tmp_path)


def test_pickled_weights_are_refused(saved: Path, tmp_path: Path) -> None:
    for file in saved.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="safetensors"):
        load_model(tmp_path)


def test_unknown_backend_dtype_and_device(saved: Path) -> None:
    with pytest.raises(ModelError, match="no backend"):
        load_model(saved, backend="llama.cpp")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="no dtype"):
        load_model(saved, dtype="float99")
    with pytest.raises(ModelError, match="device"):
        load_model(saved, device="warp9")
    with pytest.raises(ModelError, match="GPU"):
        load_model(saved, backend="vllm", device="cpu")


def test_without_torch_the_message_names_the_extra(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[train\]"):
        load_model(saved)


def test_settings_defaults_round_trip_and_faults(tmp_path: Path) -> None:
    assert settings_of(tmp_path) == ModelSettings()
    assert prompt_style_of(tmp_path) == PromptStyle()
    settings = ModelSettings(template="short", rendering="rules", closed_vocabulary=True)
    write_settings(tmp_path, settings)
    assert settings_of(tmp_path) == settings
    assert prompt_style_of(tmp_path) == PromptStyle(template="short", rendering="rules")
    assert type(prompt_style_of(tmp_path)) is PromptStyle
    for bad in ({"template": "long"}, {"tempalte": "short"}, {"max_new_tokens": 0}, ["short"]):
        (tmp_path / "prompt.json").write_text(json.dumps(bad))
        with pytest.raises(ModelError, match=r"prompt\.json"):
            settings_of(tmp_path)
    (tmp_path / "prompt.json").write_text("{")
    with pytest.raises(ModelError, match="can't be read"):
        settings_of(tmp_path)


def test_words_outside_a_closed_vocabulary(tokenizer: Any, saved: Path) -> None:
    texts = ["the <e1>pancake</e1> sees the <e2>camera's</e2> mug", "The mug, the pancake: zeppelin"]
    assert unknown_words(tokenizer, texts) == ("pancake", "The", "zeppelin")
    closed = load_model(saved, device="cpu")
    assert closed.unknown_words(texts) == ("pancake", "The", "zeppelin")


def test_open_vocabulary_knows_every_word(pair: tuple[Any, Any]) -> None:
    from bythebook.generation import TransformersModel

    assert TransformersModel(*pair).unknown_words(["pancake"]) == ()


def test_greedy_has_one_completion() -> None:
    assert Sampling(n=4, temperature=0.7, seed=3).as_greedy() == Sampling(n=1, temperature=0, seed=3)
    with pytest.raises(ValueError, match="n must be 1"):
        Sampling(n=2, temperature=0)


def test_importing_the_room_imports_no_torch() -> None:
    code = "import sys, bythebook.generation; print(sorted({'torch', 'transformers', 'vllm'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
