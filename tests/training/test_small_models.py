from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from bythebook.generation.chat import encode_prompts, starts_inside_thinking
from bythebook.parsing import parse_tagged_answer
from bythebook.prompts import PromptStyle, marked_text, render
from bythebook.recipe import load_recipe
from bythebook.schema import Grammar
from bythebook.tasks.world import annotate_as, examples
from bythebook.tasks.world.annotators import MIXED_SHARES
from bythebook.tasks.world.words import vocabulary
from bythebook.training.loading import load_for_training
from bythebook.training.small_models import SmallModelConfig, build_model, build_tokenizer, train_tokenizer

STYLE = PromptStyle(template="short", rendering="rules")
SENTENCES = (
    "The <e1>pump</e1> feeds the <e2>boiler</e2>.",
    "Rust, which the <e1>rain</e1> brings, spoils an <e2>engine</e2> in weeks.",
    "<think> it says brings</think><answer> Cause-Effect(e1,e2)</answer>",
    "Ärger im <e1>Labor</e1>: 17 <e2>Proben</e2> fehlen – «schon wieder»!",
)
# What Unicode calls white space. A mark takes the white space before it into itself: a prompt reads "the<e1>pump"
# and loses nothing else.
_BEFORE_A_MARK = re.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+(?=</?e[12]>)")


@pytest.fixture(scope="module")
def words() -> Any:
    return build_tokenizer(vocabulary())


@pytest.fixture(scope="module")
def learnt() -> Any:
    return train_tokenizer(SENTENCES * 20, 400)


def _ids(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


# ----------------------------------------------------------------------------------- the tokenizers


def test_every_word_of_the_world_is_one_token(words: Any) -> None:
    pieces = [_ids(words, word) for word in vocabulary()]
    assert [word for word, ids in zip(vocabulary(), pieces, strict=True) if len(ids) != 1] == []
    assert len({ids[0] for ids in pieces}) == len(set(vocabulary()))


def test_no_text_of_the_world_needs_bytes(words: Any) -> None:
    plain = {*vocabulary(), *"-.,:;\n ", *words.get_added_vocab()}
    for e in examples("ood", 60, seed=2, k=(2, 8)):
        for text in (render(e, STYLE)[0]["content"], *(annotate_as(a, e, _rng()) for a in MIXED_SHARES)):
            pieces = [words.decode([i]) for i in _ids(words, text)]
            assert [piece for piece in pieces if piece not in plain] == [], text


def _rng() -> random.Random:
    return random.Random(0)


@pytest.mark.parametrize("tag", ["<think>", "</think>", "<answer>", "</answer>", "<e1>", "</e2>", "(e1,e2)", "(e2,e1)"])
def test_tags_and_directions_are_single_tokens(tag: str, words: Any, learnt: Any) -> None:
    for tokenizer in (words, learnt):
        assert len(_ids(tokenizer, tag)) == 1
        assert tag in tokenizer.decode(_ids(tokenizer, f"x{tag}y"), skip_special_tokens=True)


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example(text="a  <e1>b</e1>\n<e2>c </e2>")
@example(text="\ufeff\x00 e1(e1,e2) <|im_end|></think> \u200b\U0001f600 \x1f<e1>")
@example(text=" " * 50 + "-Abc-ABC--12 3")
def test_any_text_comes_back_but_for_the_space_before_a_mark(text: str, words: Any, learnt: Any) -> None:
    for tokenizer in (words, learnt):
        assert tokenizer.decode(_ids(tokenizer, text)) == _BEFORE_A_MARK.sub("", text)


@settings(max_examples=200, deadline=None)
@given(
    pieces=st.lists(st.sampled_from([" ", "\u00a0", "\n", "\t", "<e1>", "</e1>", "<e2>", "</e2>", "pump", ".", "é"]))
)
def test_texts_full_of_marks_come_back_likewise(pieces: list[str], words: Any, learnt: Any) -> None:
    text = "".join(pieces)
    for tokenizer in (words, learnt):
        assert tokenizer.decode(_ids(tokenizer, text)) == _BEFORE_A_MARK.sub("", text)


def test_a_learnt_tokenizer_merges_what_is_frequent(learnt: Any) -> None:
    assert len(learnt) <= 400 + len(learnt.get_added_vocab())
    assert len(_ids(learnt, " feeds")) == 1
    assert len(_ids(learnt, " quixotry")) > 1


def test_tags_are_no_part_of_a_learnt_word(learnt: Any) -> None:
    inside = [token for token in learnt.get_vocab() if "<" in token and token not in learnt.get_added_vocab()]
    assert inside == ["<"]


@pytest.mark.parametrize("name", ["words", "learnt"])
def test_from_disk_the_same_tokens_come(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tokenizer = request.getfixturevalue(name)
    small = SmallModelConfig(hidden_size=32, mlp_size=32, heads=2, lookup_heads=False)
    build_model(small, tokenizer, 0).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    sentences = examples("ood", 20, seed=0, k=(2, 8))
    texts = [*SENTENCES, *(marked_text(e) for e in sentences), "日本 x\n\n  y <e1> z</e1> e1 (e2,e1)"]
    assert [_ids(loaded, text) for text in texts] == [_ids(tokenizer, text) for text in texts]
    prompts = [render(e, STYLE) for e in sentences]
    assert encode_prompts(loaded, prompts) == encode_prompts(tokenizer, prompts)
    special = [
        (t.eos_token, t.pad_token, t.padding_side, t.chat_template, len(t), t.eos_token_id, t.pad_token_id)
        for t in (tokenizer, loaded)
    ]
    assert special[0] == special[1]
    assert loaded.decode(_ids(loaded, SENTENCES[2])) == SENTENCES[2]


def test_the_chat_template_closes_the_prompt_and_leaves_the_thinking_to_the_model(words: Any) -> None:
    messages = [{"role": "user", "content": "x"}]
    text = words.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n"
    assert not starts_inside_thinking(words)
    whole = words.apply_chat_template([*messages, {"role": "assistant", "content": "y"}], tokenize=False)
    assert whole == text + "y<|im_end|>"


def test_what_annotators_write_is_of_the_form_after_decoding(words: Any) -> None:
    for e in examples("id", 30, seed=4):
        assert e.gold is not None
        ids = _ids(words, annotate_as("careful", e, _rng()))
        parsed = parse_tagged_answer(
            words.decode([*ids, words.eos_token_id], skip_special_tokens=True), Grammar.of(e.guideline)
        )
        assert parsed.well_formed
        assert parsed.anchored
        assert parsed.label == e.gold


# ----------------------------------------------------------------------------------- the model


def test_a_model_has_the_size_it_was_given(words: Any) -> None:
    config = SmallModelConfig(
        hidden_size=48, layers=4, heads=3, head_size=16, mlp_size=40, context=99, lookup_heads=False
    )
    model = build_model(config, words, 0)
    c = model.config
    assert (c.hidden_size, c.num_hidden_layers, c.num_attention_heads, c.head_dim) == (48, 4, 3, 16)
    assert (c.intermediate_size, c.max_position_embeddings, c.vocab_size) == (40, 99, len(words))
    assert (c.eos_token_id, c.pad_token_id) == (words.eos_token_id, words.pad_token_id)
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_model_depends_on_its_seed_and_leaves_the_random_state_alone(words: Any) -> None:
    config = SmallModelConfig(lookup_heads=False)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = (build_model(config, words, seed).model.embed_tokens.weight for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_output_projections_start_small(words: Any) -> None:
    full, shrunk = (
        build_model(SmallModelConfig(lookup_heads=False, output_shrink=shrink), words, 0) for shrink in (1.0, 0.05)
    )
    for one, other in zip(full.model.layers, shrunk.model.layers, strict=True):
        assert torch.allclose(one.self_attn.o_proj.weight * 0.05, other.self_attn.o_proj.weight)
        assert torch.allclose(one.mlp.down_proj.weight * 0.05, other.mlp.down_proj.weight)
        assert torch.equal(one.self_attn.q_proj.weight, other.self_attn.q_proj.weight)


def test_a_saved_model_is_safetensors_and_computes_the_same(words: Any, tmp_path: Path) -> None:
    model = build_model(SmallModelConfig(), words, 0).eval()
    model.save_pretrained(tmp_path)
    assert [p.name for p in tmp_path.iterdir() if p.suffix not in (".json",)] == ["model.safetensors"]
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    ids = torch.tensor([_ids(words, SENTENCES[0])])
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, loaded(ids).logits, atol=1e-5)


def test_a_recipe_from_scratch_builds_tokenizer_and_model(tmp_path: Path) -> None:
    sizes = ["model.scratch.hidden_size=32", "model.scratch.mlp_size=32", "model.scratch.lookup_heads=false"]
    recipe = load_recipe("embedded_careful", sizes)
    sentences = examples("fresh", 4, seed=0)
    model, tokenizer, settings = load_for_training(recipe, sentences)
    assert model.config.vocab_size == len(tokenizer) == len(build_tokenizer(vocabulary()))
    assert settings.closed_vocabulary
    assert settings.style == STYLE
    own = recipe.model_copy(
        update={"model": recipe.model.model_copy(update={"scratch": {"vocabulary": 320, "lookup_heads": False}})}
    )
    _, learnt, open_settings = load_for_training(own, sentences)
    assert len(learnt) < len(tokenizer)
    assert not open_settings.closed_vocabulary
