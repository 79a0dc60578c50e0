"""The transformers back end with shared prefixes gives what it gives without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bythebook.generation import Sampling, TransformersModel
from bythebook.generation.model import Messages
from bythebook.types import Completion

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

GUIDELINE = "the camera covers the office : the kettle replaces a mug " * 6
TEXTS = [GUIDELINE + tail for tail in ("the camera", "a mug sees", "a", "the kettle orders the mug", "office : mug")]


def ask(*texts: str) -> list[Messages]:
    return [[{"role": "user", "content": text}] for text in texts]


def largest_pass(model: Any) -> Callable[[], int]:
    """Tokens of the largest forward pass so far."""
    sizes: list[int] = []
    model.register_forward_pre_hook(lambda m, a, kwargs: sizes.append(kwargs["input_ids"].numel()), with_kwargs=True)
    return lambda: max(sizes)


def test_greedy_completions_are_the_same_with_and_without(pair: tuple[Any, Any]) -> None:
    sampling = Sampling(temperature=0, max_new_tokens=10, batch_size=3)
    plain = TransformersModel(*pair, share_prefix=False).generate(ask(*TEXTS), sampling)
    TransformersModel(*pair).generate(ask("a"), sampling)  # the engine is tried
    most = largest_pass(pair[0])
    assert TransformersModel(*pair).generate(ask(*TEXTS), sampling) == plain
    # Three whole prompts would be more.
    assert most() < 2 * len(pair[1](TEXTS[0])["input_ids"])


def test_samples_do_not_depend_on_the_batch_size(pair: tuple[Any, Any]) -> None:
    model = TransformersModel(*pair)
    runs = [
        model.generate(ask(*TEXTS, TEXTS[0]), Sampling(max_new_tokens=6, n=3, seed=3, batch_size=size))
        for size in (64, 5, 1)
    ]
    assert runs[0] == runs[1] == runs[2]
    assert [len(completions) for completions in runs[0]] == [3] * 6
    assert runs[0][0] != runs[0][5]


def test_progress_counts_whole_prompts_when_samples_do_not_fit_into_a_batch(pair: tuple[Any, Any]) -> None:
    calls: list[tuple[int, int]] = []
    sampling = Sampling(max_new_tokens=2, n=5, batch_size=2)
    TransformersModel(*pair).generate(ask(*TEXTS[:2]), sampling, lambda *count: calls.append(count))
    assert calls == [(0, 2), (0, 2), (1, 2), (1, 2), (1, 2), (2, 2)]


def test_prompts_without_room_are_errors_and_the_others_have_what_is_left(
    tokenizer: Any, new_model: Callable[..., Any]
) -> None:
    model = new_model(tokenizer, positions=16)
    near = "the camera sees the office the camera"
    texts = ("mug " * 40, near, "a mug", "office " * 30)
    sampling = Sampling(max_new_tokens=8, n=2, temperature=1e-4)
    shared = TransformersModel(model, tokenizer).generate(ask(*texts), sampling)
    assert shared == TransformersModel(model, tokenizer, share_prefix=False).generate(ask(*texts), sampling)
    assert shared[0] == shared[3] == [Completion(text="", finish_reason="error", tokens=0)] * 2
    assert shared[1][0].finish_reason == "length"
    assert (shared[1][0].tokens or 0) < 8


def test_a_model_that_is_not_served_is_decoded_by_the_library(tokenizer: Any) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(**size, vocab_size=len(tokenizer), num_key_value_heads=2, sliding_window=8)
    model = MistralForCausalLM(config)
    most = largest_pass(model)
    got = TransformersModel(model, tokenizer).generate(ask(*TEXTS), Sampling(temperature=0, max_new_tokens=3))
    assert [len(c) for c in got] == [1] * 5
    assert most() >= 5 * len(tokenizer(TEXTS[2])["input_ids"])


def test_a_model_that_differs_is_said_once_and_decoded_by_the_library(
    pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = Sampling(temperature=0, max_new_tokens=4)
    plain = TransformersModel(*pair, share_prefix=False).generate(ask(*TEXTS), sampling)
    monkeypatch.setattr("bythebook.generation.shared.serving.differs_from_plain", lambda model: "its outputs differ")
    with pytest.warns(UserWarning, match="its outputs differ"):
        assert TransformersModel(*pair).generate(ask(*TEXTS), sampling) == plain
    assert TransformersModel(*pair).generate(ask(*TEXTS), sampling) == plain


def test_the_prefix_cache_serves_a_model_that_is_loaded_again(saved: Path, tmp_path: Path) -> None:
    sampling = Sampling(temperature=0, max_new_tokens=6)
    first = TransformersModel.load(saved, prefix_cache=tmp_path / "kept")
    expected = first.generate(ask(*TEXTS), sampling)
    assert len(list((tmp_path / "kept").iterdir())) == 1
    again = TransformersModel.load(saved, prefix_cache=tmp_path / "kept")
    again.generate(ask("a"), sampling)  # the engine is tried
    most = largest_pass(again.model)
    assert again.generate(ask(*TEXTS), sampling) == expected
    assert most() < len(again.tokenizer(TEXTS[2])["input_ids"])
    assert TransformersModel.load(saved, share_prefix=False).generate(ask(*TEXTS), sampling) == expected
