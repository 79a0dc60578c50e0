"""Models that read pictures: prompts with their pictures in, completions out, by transformers' own classes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from bythebook.errors import MissingExtraError, ModelError
from bythebook.generation import (
    Model,
    Sampling,
    SeeingModel,
    TransformersModel,
    generate_constrained,
    load_model,
    opened,
)
from bythebook.generation import weights as weights_module
from bythebook.generation.chat import prompt_text, sees, starts_inside_thinking, tokenizer_of
from small_seeing import asked, painted, small_seeing

pytest.importorskip("PIL")
RED, BLUE = painted((200, 20, 20)), painted((20, 20, 200))
GREEDY = Sampling(temperature=0.0, max_new_tokens=4)


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    return small_seeing()


@pytest.fixture(scope="module")
def seeing(pair: tuple[Any, Any]) -> SeeingModel:
    return SeeingModel(*pair, name="tiny")


@pytest.fixture(scope="module")
def folder(pair: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("seeing")
    for part in pair:
        part.save_pretrained(place)
    return place


def log_probs(seeing: SeeingModel, picture: bytes, words: str = "what colour ?") -> torch.Tensor:
    """(V,): of the first token of a completion."""
    inputs = seeing._tokens([(prompt_text(seeing.processor, asked(words, picture)), [picture])])
    with torch.no_grad():
        return seeing.model(**inputs).logits[0, -1].log_softmax(dim=-1)


def test_pixels_matter(seeing: SeeingModel) -> None:
    assert torch.equal(log_probs(seeing, RED), log_probs(seeing, RED))
    assert (log_probs(seeing, RED) - log_probs(seeing, BLUE)).abs().max() > 1e-3


def test_a_picture_has_its_place_in_the_prompt_and_a_token_for_each_patch(seeing: SeeingModel) -> None:
    text = prompt_text(seeing.processor, asked("what colour ?", RED))
    assert text == "<|im_start|>user\n<image>\nwhat colour ?<|im_end|>\n<|im_start|>assistant\n"
    ids = seeing._tokens([(text, [RED])])["input_ids"][0].tolist()
    assert ids.count(seeing.tokenizer.convert_tokens_to_ids("<image>")) == 4


def test_what_is_asked_together_is_answered_as_alone(seeing: SeeingModel) -> None:
    prompts = [
        asked("what colour is the circle at b2 ?", RED),
        asked("size ?", BLUE),
        asked("what size is the star ?"),
        asked("star ?", RED),
    ]
    alone = [seeing.generate([prompt], GREEDY)[0] for prompt in prompts]
    assert seeing.generate(prompts, GREEDY) == alone
    pairs = Sampling(temperature=0.0, max_new_tokens=4, batch_size=2)
    assert seeing.generate(prompts, pairs) == alone


def test_samples_hang_on_the_seed_alone(seeing: SeeingModel) -> None:
    drawn = Sampling(temperature=1.0, max_new_tokens=6, n=3, seed=5)
    prompts = [asked("what colour ?", RED), asked("what colour is the star ?", BLUE)]
    state = torch.random.get_rng_state()
    first = seeing.generate(prompts, drawn)
    assert torch.equal(state, torch.random.get_rng_state())
    assert first == seeing.generate(prompts, drawn)
    assert [len(row) for row in first] == [3, 3]
    assert len({c.text for row in first for c in row}) > 1
    assert first != seeing.generate(prompts, drawn.drawing(3, 6))


def test_a_prompt_beyond_the_context_is_an_error_of_its_own() -> None:
    model = SeeingModel(*small_seeing(context=72))
    long, short = asked("star " * 80, RED), asked("star ?", RED)
    found = model.generate([long, short], Sampling(temperature=0.0, max_new_tokens=2))
    assert [row[0].finish_reason == "error" for row in found] == [True, False]


def test_a_folder_is_loaded_with_its_processor(folder: Path, seeing: SeeingModel) -> None:
    loaded = load_model(folder)
    assert isinstance(loaded, SeeingModel)
    assert isinstance(loaded, Model)
    assert (loaded.sees, loaded.constrains, loaded.prefilled) == (True, False, False)
    prompts = [asked("what colour ?", RED), asked("what colour ?", BLUE)]
    assert loaded.generate(prompts, GREEDY) == seeing.generate(prompts, GREEDY)


def test_a_text_model_refuses_a_picture() -> None:
    model = load_model("embedded")
    assert isinstance(model, TransformersModel)
    assert not model.sees
    with pytest.raises(ModelError, match=r"reads text alone \(name a model that reads pictures"):
        model.generate([asked("what colour ?", RED)], GREEDY)


def test_decoding_is_not_constrained(seeing: SeeingModel) -> None:
    with pytest.raises(ModelError, match="can't be constrained"):
        generate_constrained(seeing, [], GREEDY, [])


def test_bytes_that_are_no_picture_are_refused() -> None:
    for data in (b"", b"text", RED[:50]):
        with pytest.raises(ModelError, match="what a prompt has for a picture is none"):
            opened(data)


def test_a_processor_without_a_template_is_refused(pair: tuple[Any, Any]) -> None:
    _, processor = small_seeing()
    processor.chat_template = None
    with pytest.raises(ModelError, match="no chat template, so pictures have no place"):
        SeeingModel(pair[0], processor)


def test_tokenizers_and_processors_are_told_apart(pair: tuple[Any, Any]) -> None:
    processor = pair[1]
    assert sees(processor)
    assert not sees(processor.tokenizer)
    assert tokenizer_of(processor) is tokenizer_of(processor.tokenizer) is processor.tokenizer
    assert not starts_inside_thinking(processor)


def test_without_pillow_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[images\]"):
        load_model(folder)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[images\]"):
        opened(RED)
