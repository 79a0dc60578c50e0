"""What is handed to vLLM and what is made of its answer, with a stand-in for vLLM that records its calls."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import Model, Sampling, VllmModel, load_model
from bythebook.types import Completion


class Engine:
    """Answers every prompt with its own length; remembers what it was asked."""

    made: dict[str, Any]

    def __init__(self, tokenizer: Any, limit: int) -> None:
        self.tokenizer = tokenizer
        self.llm_engine = SimpleNamespace(model_config=SimpleNamespace(max_model_len=limit))
        self.asked: list[tuple[Any, Any]] = []

    def get_tokenizer(self) -> Any:
        return self.tokenizer

    def generate(self, prompts: list[Any], params: list[Any], use_tqdm: bool) -> list[Any]:
        assert use_tqdm is False
        self.asked += list(zip(prompts, params, strict=True))
        reasons = ["stop", "length", "abort"]
        return [
            SimpleNamespace(
                outputs=[
                    SimpleNamespace(
                        text=f"{len(p['prompt_token_ids'])}", finish_reason=reasons[i % 3], token_ids=(1, 2)
                    )
                    for i in range(q.n)
                ]
            )
            for p, q in zip(prompts, params, strict=True)
        ]


@pytest.fixture
def engine(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine(tokenizer, limit=20)
    module = ModuleType("vllm")

    def make(**options: Any) -> Engine:
        engine.made = options
        return engine

    module.LLM = make  # type: ignore[attr-defined]
    module.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    return engine


def ask(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_missing_vllm_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[vllm\]"):
        VllmModel("somewhere")


def test_load_model_passes_folder_dtype_and_settings(engine: Engine, saved: Path) -> None:
    model = load_model(saved, backend="vllm", dtype="bfloat16")
    assert isinstance(model, VllmModel)
    assert isinstance(model, Model)
    assert engine.made == {"model": str(saved), "dtype": "bfloat16", "enable_prefix_caching": True}
    assert model.settings.closed_vocabulary
    assert model.unknown_words(["zeppelin mug"]) == ("zeppelin",)
    assert not model.prefilled


def test_prompts_go_as_token_ids_each_with_its_own_seed(engine: Engine, tokenizer: Any) -> None:
    model = VllmModel("m")
    sampling = Sampling(n=3, temperature=0.5, top_p=0.9, max_new_tokens=7, seed=4)
    calls: list[tuple[int, int]] = []
    got = model.generate([ask("the mug"), ask("a camera sees")], sampling, lambda d, t: calls.append((d, t)))
    ids = [p["prompt_token_ids"] for p, _ in engine.asked]
    assert [tokenizer.decode(i) for i in ids] == ["<|user|>the mug<|assistant|>", "<|user|>a camera sees<|assistant|>"]
    params = [q for _, q in engine.asked]
    assert {(q.n, q.temperature, q.top_p, q.max_tokens) for q in params} == {(3, 0.5, 0.9, 7)}
    assert params[0].seed != params[1].seed
    assert [c.finish_reason for c in got[0]] == ["stop", "length", "error"]
    assert got[0][0] == Completion(text=str(len(ids[0])), finish_reason="stop", tokens=2)
    assert calls == [(2, 2)]


def test_prompt_beyond_the_context_is_not_sent(engine: Engine) -> None:
    got = VllmModel("m").generate([ask("mug " * 30), ask("mug")], Sampling(n=2, max_new_tokens=50))
    assert got[0] == [Completion(text="", finish_reason="error", tokens=0)] * 2
    assert len(got[1]) == 2
    ((prompt, params),) = engine.asked
    assert params.max_tokens == 20 - len(prompt["prompt_token_ids"])


def test_no_prompts_ask_nothing(engine: Engine) -> None:
    assert VllmModel("m").generate([], Sampling()) == []
    assert engine.asked == []


def test_engine_that_does_not_start_is_a_model_error(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("vllm")

    def fail(**options: Any) -> None:
        raise RuntimeError("no GPU\nlong trace")

    module.LLM = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    with pytest.raises(ModelError, match="no GPU") as error:
        VllmModel("m")
    assert "long trace" not in str(error.value)
