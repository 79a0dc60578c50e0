from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from bythebook.errors import ModelError
from bythebook.generation import Model, Sampling, TransformersModel
from bythebook.generation.model import Messages
from bythebook.types import Completion

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")


def ask(*texts: str) -> list[Messages]:
    return [[{"role": "user", "content": text}] for text in texts]


def by_hand(model: Any, tokenizer: Any, text: str, most: int) -> tuple[str, str, int]:
    """Greedy decoding of one prompt without cache, padding or the library's loop."""
    ids = tokenizer(f"<|user|>{text}<|assistant|>", add_special_tokens=False)["input_ids"]
    written: list[int] = []
    for _ in range(most):
        with torch.no_grad():
            best = int(model(torch.tensor([ids + written])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            return tokenizer.decode(written, skip_special_tokens=True), "stop", len(written) + 1
        written.append(best)
    return tokenizer.decode(written, skip_special_tokens=True), "length", most


PROMPTS = ["the camera sees the office", "a mug", "the kettle replaces a mug : the office covers the camera", "mug"]


def test_greedy_batches_of_any_size_equal_decoding_by_hand(pair: tuple[Any, Any]) -> None:
    model, tokenizer = pair
    model.eval()
    expected = [by_hand(model, tokenizer, text, 12) for text in PROMPTS]
    for size in (1, 3, 64):
        sampling = Sampling(temperature=0, max_new_tokens=12, batch_size=size)
        got = TransformersModel(model, tokenizer).generate(ask(*PROMPTS), sampling)
        assert [(c.text, c.finish_reason, c.tokens) for (c,) in got] == expected


def test_end_token_finishes_a_completion_and_is_not_in_its_text(pair: tuple[Any, Any]) -> None:
    model, tokenizer = pair
    with torch.no_grad():  # every token, the end among them, is equally likely
        model.lm_head.weight.zero_()
    got = TransformersModel(model, tokenizer).generate(ask(*PROMPTS), Sampling(n=40, max_new_tokens=40))
    flat = [c for completions in got for c in completions]
    assert [len(completions) for completions in got] == [40] * 4
    assert {c.finish_reason for c in flat} == {"stop", "length"}
    assert all(c.tokens == 40 for c in flat if c.finish_reason == "length")
    assert all(1 <= (c.tokens or 0) <= 40 for c in flat)
    assert not any(mark in c.text for c in flat for mark in ("<eos>", "<pad>", "<|user|>", "<|assistant|>"))


def test_sampling_follows_its_seed_and_leaves_the_process_random_state_alone(pair: tuple[Any, Any]) -> None:
    wrapped = TransformersModel(*pair)
    sampling = Sampling(n=3, max_new_tokens=8, seed=5)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = wrapped.generate(ask(*PROMPTS), sampling)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert wrapped.generate(ask(*PROMPTS), sampling) == first
    assert wrapped.generate(ask(*PROMPTS), sampling.drawing(3, 6)) != first


def test_temperature_and_top_p_reach_the_decoder(pair: tuple[Any, Any]) -> None:
    wrapped = TransformersModel(*pair)
    greedy = wrapped.generate(ask(*PROMPTS), Sampling(temperature=0, max_new_tokens=6))
    cold = wrapped.generate(ask(*PROMPTS), Sampling(temperature=1e-4, max_new_tokens=6, n=2))
    narrow = wrapped.generate(ask(*PROMPTS), Sampling(top_p=1e-6, max_new_tokens=6, n=2))
    hot = wrapped.generate(ask(*PROMPTS), Sampling(temperature=50, max_new_tokens=6, n=2))
    doubled = [[c, c] for (c,) in greedy]
    assert cold == doubled
    assert narrow == doubled
    assert hot != doubled


def test_model_in_training_is_given_back_as_it_was(pair: tuple[Any, Any]) -> None:
    model, tokenizer = pair
    model.train()
    model.config.use_cache = False
    model.generation_config.repetition_penalty = 1.3
    settings = model.generation_config
    wrapped = TransformersModel(model, tokenizer)
    wrapped.generate(ask("a mug"), Sampling(temperature=0, max_new_tokens=2))
    assert model.training
    assert model.generation_config is settings
    assert model.config.use_cache is False
    loss = model(torch.tensor([[5, 6, 7]]), labels=torch.tensor([[5, 6, 7]])).loss
    loss.backward()
    assert model.lm_head.weight.grad is not None


def test_checkpoint_settings_do_not_leak_into_decoding_and_nothing_warns(
    pair: tuple[Any, Any], caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    model, tokenizer = pair
    wrapped = TransformersModel(model, tokenizer)
    sampling = Sampling(temperature=0, max_new_tokens=12)
    plain = wrapped.generate(ask(*PROMPTS), sampling)
    model.generation_config.update(repetition_penalty=5.0, temperature=0.6, top_k=20, top_p=0.8, do_sample=True)
    library = logging.getLogger("transformers")
    library.addHandler(caplog.handler)
    try:
        assert wrapped.generate(ask(*PROMPTS), sampling) == plain
        wrapped.generate(ask(*PROMPTS), Sampling(max_new_tokens=3, n=2))
    finally:
        library.removeHandler(caplog.handler)
    assert [r.getMessage() for r in caplog.records] == []
    assert [str(w.message) for w in recwarn] == []


def test_mode_and_settings_come_back_after_an_interruption(pair: tuple[Any, Any]) -> None:
    model, tokenizer = pair
    model.train()
    settings = model.generation_config

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TransformersModel(model, tokenizer).generate(ask("a", "the"), Sampling(max_new_tokens=2), interrupt)
    assert model.training
    assert model.generation_config is settings


def test_progress_counts_prompts_up_to_all(pair: tuple[Any, Any]) -> None:
    calls: list[tuple[int, int]] = []
    sampling = Sampling(n=2, batch_size=4, max_new_tokens=1)
    TransformersModel(*pair).generate(ask(*PROMPTS, "a"), sampling, lambda done, total: calls.append((done, total)))
    assert calls == [(2, 5), (4, 5), (5, 5)]


def test_no_prompts_no_completions(pair: tuple[Any, Any]) -> None:
    assert TransformersModel(*pair).generate([], Sampling()) == []


def test_prompt_beyond_the_context_is_an_error_row_and_others_are_untouched(
    tokenizer: Any, new_model: Callable[..., Any]
) -> None:
    wrapped = TransformersModel(new_model(tokenizer, positions=16), tokenizer)
    sampling = Sampling(temperature=0, max_new_tokens=8)
    alone = wrapped.generate(ask("a mug"), sampling)[0]
    near = "the camera sees the office the camera"
    got = wrapped.generate(ask("mug " * 40, "a mug", near), sampling)
    assert got[0] == [Completion(text="", finish_reason="error", tokens=0)]
    assert got[1] == alone
    prompt = len(tokenizer(f"<|user|>{near}<|assistant|>", add_special_tokens=False)["input_ids"])
    assert 8 < prompt < 16
    assert (got[2][0].tokens or 0) <= 16 - prompt


def test_prefilled_is_read_from_the_chat_template(
    new_tokenizer: Callable[..., Any], new_model: Callable[..., Any]
) -> None:
    opened = new_tokenizer("{% for m in messages %}{{ m['content'] }}{% endfor %}<|assistant|><think>\n")
    model = new_model(opened)
    assert TransformersModel(model, opened).prefilled
    assert not TransformersModel(model, new_tokenizer()).prefilled
    assert not TransformersModel(model, new_tokenizer(None)).prefilled


def test_base_model_without_template_reads_the_plain_text(
    new_tokenizer: Callable[..., Any], new_model: Callable[..., Any]
) -> None:
    from bythebook.generation.chat import encode_prompts, prompt_text

    plain = new_tokenizer(None)
    messages = [{"role": "system", "content": "the mug"}, {"role": "user", "content": "a camera"}]
    assert prompt_text(plain, messages) == "the mug\n\na camera\n"
    assert plain.decode(encode_prompts(plain, [messages])[0]) == "the mug\n\na camera\n"
    got = TransformersModel(new_model(plain), plain).generate([messages], Sampling(n=2, max_new_tokens=3))
    assert len(got[0]) == 2


def test_empty_prompt_of_a_base_model_is_completed(
    new_tokenizer: Callable[..., Any], new_model: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = new_tokenizer(None)
    monkeypatch.setattr("bythebook.generation.transformers_backend.encode_prompts", lambda t, p: [[], [5, 6]])
    got = TransformersModel(new_model(plain), plain).generate(ask("", "x"), Sampling(temperature=0, max_new_tokens=3))
    assert [len(c) for c in got] == [1, 1]


def test_template_that_refuses_a_prompt_is_a_model_error(
    new_tokenizer: Callable[..., Any], new_model: Callable[..., Any]
) -> None:
    refusing = new_tokenizer("{{ raise_exception('no such role') }}")
    with pytest.raises(ModelError, match="no such role"):
        TransformersModel(new_model(refusing), refusing)


def test_wrapped_pair_is_a_model(pair: tuple[Any, Any]) -> None:
    assert isinstance(TransformersModel(*pair), Model)


def test_hundreds_of_prompts_at_once(pair: tuple[Any, Any]) -> None:
    texts = [f"the {'camera sees ' * (i % 7)}mug" for i in range(300)]
    got = TransformersModel(*pair).generate(ask(*texts), Sampling(temperature=0, max_new_tokens=4, batch_size=256))
    assert [len(c) for c in got] == [1] * 300
    same = [got[i][0] for i in range(0, 300, 7)]
    assert len(set(same)) == 1
