"""Any causal LM: architectures, tokenizers and templates as they come, LoRA, activation checkpointing, bfloat16.

Every model here is tiny, made from its own configuration with a tokenizer trained on the spot, saved into a folder and
taken from there, as a hub model is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import ModelError, RecipeError
from bythebook.generation import Sampling, TransformersModel, load_model
from bythebook.generation.chat import encode_prompts, prompt_text
from bythebook.recipe import Recipe
from bythebook.records import read_jsonl, read_records

torch = pytest.importorskip("torch", reason="the 'train' extra is not installed")

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING = CHATML.replace("assistant\n{% endif %}", "assistant\n<think>\n{% endif %}")
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>model\n{% endif %}"
)
FORGETS_SYSTEM = (
    "{% for m in messages %}{% if m['role'] != 'system' %}<|im_start|>{{ m['content'] }}<|im_end|>{% endif %}"
    "{% endfor %}<|im_start|>"
)


def make_tokenizer(template: str | None, *, pad: bool = True, bos: bool = False) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<|im_end|>", "<|im_start|>", *(["<pad>"] if pad else []), *(["<s>"] if bos else [])]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        ["<think> the first relation holds </think><answer>Feeds(e1,e2)</answer>"] * 9, trainer
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        **({"pad_token": "<pad>"} if pad else {}),
        **({"bos_token": "<s>"} if bos else {}),
    )
    fast.chat_template = template
    return fast


def make_config(kind: str, tokenizer: Any) -> Any:
    import transformers as t

    ids = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    ids |= {"bos_token_id": tokenizer.bos_token_id, "vocab_size": len(tokenizer)}
    common = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 4096,
        **ids,
    }
    grouped = {**common, "num_key_value_heads": 2, "head_dim": 8}
    makers: dict[str, Callable[[], Any]] = {
        "llama": lambda: t.LlamaConfig(**grouped),
        "qwen2": lambda: t.Qwen2Config(**{k: v for k, v in grouped.items() if k != "head_dim"}),
        "qwen3": lambda: t.Qwen3Config(**grouped),
        "mistral": lambda: t.MistralConfig(**grouped, sliding_window=None),
        "gemma": lambda: t.GemmaConfig(**grouped),
        "gemma3": lambda: t.Gemma3TextConfig(**grouped, sliding_window=64),
        "gpt_neox": lambda: t.GPTNeoXConfig(**common),
        "gpt2": lambda: t.GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=4096, **ids),
    }
    return makers[kind]()


KINDS: dict[str, tuple[str | None, bool, bool]] = {
    "llama": (CHATML, True, True),
    "qwen2": (CHATML, True, False),
    "qwen3": (THINKING, True, False),
    "mistral": (CHATML, False, True),
    "gemma": (NO_SYSTEM, True, True),
    "gemma3": (NO_SYSTEM, True, True),
    "gpt_neox": (None, False, False),
    "gpt2": (None, False, False),
}
"""Architecture → chat template (None: a base model), whether there is a pad token, a beginning-of-text token."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model of that architecture; made once."""
    from transformers import AutoModelForCausalLM

    root = tmp_path_factory.mktemp("models")

    def make(kind: str) -> Path:
        path = root / kind
        if not path.exists():
            template, pad, bos = KINDS[kind]
            tokenizer = make_tokenizer(template, pad=pad, bos=bos)
            torch.manual_seed(3)
            model = AutoModelForCausalLM.from_config(make_config(kind, tokenizer))
            with torch.no_grad():
                for parameter in model.parameters():
                    if parameter.dim() > 1:
                        parameter.mul_(4)  # so that its likeliest tokens are told apart clearly
            model.save_pretrained(path)
            tokenizer.save_pretrained(path)
        return path

    return make


def by_hand(model: Any, tokenizer: Any, messages: list[dict[str, str]], most: int) -> str:
    """Greedy decoding of one prompt without cache, padding or the library's loop."""
    (ids,) = encode_prompts(tokenizer, [messages])
    start = len(ids)
    for _ in range(most):
        with torch.no_grad():
            best = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if best == tokenizer.eos_token_id:
            break
        ids = [*ids, best]
    return str(tokenizer.decode(ids[start:], skip_special_tokens=True, clean_up_tokenization_spaces=False))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_any_architecture_is_asked_in_padded_batches(kind: str, folder: Callable[[str], Path]) -> None:
    model = load_model(folder(kind), device="cpu")
    assert isinstance(model, TransformersModel)
    asked = [[{"role": "user", "content": text}] for text in ("a", "the relation holds " * 9, "Feeds? " * 3)]
    got = model.generate(asked, Sampling(temperature=0, max_new_tokens=6))
    assert [c.text for (c,) in got] == [by_hand(model.model, model.tokenizer, messages, 6) for messages in asked]
    assert model.prefilled == (KINDS[kind][0] == THINKING)


@pytest.mark.parametrize(
    "kind",
    [kind if kind in ("qwen3", "gemma", "gpt2") else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS],
)
@pytest.mark.parametrize("method", ["sft", "rl"])
def test_any_architecture_is_trained_and_loaded_again(
    kind: str,
    method: str,
    folder: Callable[[str], Path],
    short_sft: Callable[..., Recipe],
    short_rl: Callable[..., Recipe],
    tmp_path: Path,
) -> None:
    recipe = {"sft": short_sft, "rl": short_rl}[method](f"model.path={folder(kind)}")
    unshared = kind == "gemma3" and method == "rl"
    with pytest.warns(UserWarning, match="layers of sliding attention") if unshared else nullcontext():
        trained = run(recipe, tmp_path)
    before = load_model(folder(kind), device="cpu")
    after = load_model(trained, device="cpu")
    assert isinstance(before, TransformersModel)
    assert isinstance(after, TransformersModel)
    assert after.tokenizer.chat_template == before.tokenizer.chat_template
    assert after.prefilled == before.prefilled
    moved = changed(before.model, after.model)
    assert len(moved) > (4 if method == "sft" else -1)
    if method == "rl":
        records = read_records(tmp_path / "run" / "records" / "rollouts.jsonl")
        assert len(records) == 16
        assert not any("<|im_" in str(r.completion) for r in records)


def run(recipe: Recipe, folder: Path) -> Path:
    from bythebook.training import train

    return train(recipe, output=folder / "run", quiet=True)


def changed(before: Any, after: Any) -> set[str]:
    old, new = before.state_dict(), after.state_dict()
    assert set(old) == set(new)
    return {name for name in old if not torch.equal(old[name].float(), new[name].float())}


# ---------------------------------------------------------------------------------------------------------- templates


SYSTEM = [{"role": "system", "content": "the guideline"}, {"role": "user", "content": "the sentence"}]


@pytest.mark.parametrize("template", [NO_SYSTEM, FORGETS_SYSTEM])
def test_template_without_system_role_gets_it_before_the_first_question(template: str) -> None:
    text = prompt_text(make_tokenizer(template, bos=True), SYSTEM)
    assert "the guideline\n\nthe sentence" in text
    assert "system" not in text


def test_template_with_system_role_keeps_it() -> None:
    assert "<|im_start|>system\nthe guideline<|im_end|>" in prompt_text(make_tokenizer(CHATML), SYSTEM)


def test_template_that_refuses_the_question_itself_is_a_model_error() -> None:
    refuses = "{{ raise_exception('never') }}"
    for messages in (SYSTEM, SYSTEM[1:]):
        with pytest.raises(ModelError, match="never"):
            prompt_text(make_tokenizer(refuses), messages)


def test_prompt_of_a_model_that_opens_thinking_is_the_same_in_sft_and_in_use(
    folder: Callable[[str], Path], short_sft: Callable[..., Recipe]
) -> None:
    from bythebook.tasks import task_named
    from bythebook.training.data import sft_dataset

    model = load_model(folder("qwen3"), device="cpu")
    assert isinstance(model, TransformersModel)
    task = task_named("world")
    examples = task.read(None, train=3, id=0, ood=0)["train"]
    rows = sft_dataset(examples, model.tokenizer, model.settings.style, task.targets["careful"], 0, prefilled=True)
    for row in rows:
        text = model.tokenizer.decode(row["input_ids"])
        assert text.count("<think>") == text.rpartition("<|im_start|>assistant")[0].count("<think>") + 1
        assert text.endswith("</answer><|im_end|>")


# ------------------------------------------------------------------------------------------------------- tokenizers


def test_tokenizer_without_end_token_is_refused(
    folder: Callable[[str], Path], short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    copy(folder("llama"), tmp_path / "m")
    edit(tmp_path / "m" / "tokenizer_config.json", eos_token=None)
    with pytest.raises(ModelError, match="no end token"):
        run(short_sft(f"model.path={tmp_path / 'm'}"), tmp_path)


def test_tokenizer_of_another_model_is_refused(
    folder: Callable[[str], Path], short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    copy(folder("llama"), tmp_path / "m")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "m")
    tokenizer.add_special_tokens({"eos_token": "<another end>"})
    tokenizer.save_pretrained(tmp_path / "m")
    with pytest.raises(ModelError, match="tokens beyond"):
        run(short_sft(f"model.path={tmp_path / 'm'}"), tmp_path)


def copy(source: Path, target: Path) -> None:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())


def edit(file: Path, **fields: Any) -> None:
    settings = {**json.loads(file.read_text()), **fields}
    file.write_text(json.dumps({key: value for key, value in settings.items() if value is not None}))


# ------------------------------------------------------------------------------------------------------------- LoRA

LORA = "model.lora={r: 4, alpha: 8, dropout: 0.0, target_modules: all-linear}"


@pytest.mark.parametrize("method", ["sft", "rl"])
@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_lora_moves_the_adapter_alone_and_both_forms_load(
    method: str,
    kind: str,
    folder: Callable[[str], Path],
    short_sft: Callable[..., Recipe],
    short_rl: Callable[..., Recipe],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from safetensors.torch import load_file

    seen = watch_parameters(monkeypatch)
    base = folder(kind)
    settings = [f"model.path={base}", LORA, "training.learning_rate=0.01", "training.warmup_steps=0"]
    if method == "rl":
        settings += ["objective.beta=0.1", *ALWAYS_PAID]
    trained = run({"sft": short_sft, "rl": short_rl}[method](*settings), tmp_path)
    assert set(seen["trainable"]) == {n for n in seen["before"] if "lora_" in n and ".ref." not in n}
    moved = {n for n in seen["before"] if not torch.equal(seen["before"][n], seen["after"][n])}
    assert moved
    assert moved <= set(seen["trainable"])
    # The whole model with the update merged in, and the adapter, which names its base.
    adapter = json.loads((trained / "adapter" / "adapter_config.json").read_text())
    assert (adapter["base_model_name_or_path"], adapter["r"], adapter["lora_alpha"]) == (str(base), 4, 8)
    assert load_file(trained / "adapter" / "adapter_model.safetensors")
    assert not (trained / "adapter_config.json").exists()
    whole, adapted = load_model(trained, device="cpu"), load_model(trained / "adapter", device="cpu")
    start = load_model(base, device="cpu")
    assert all(isinstance(m, TransformersModel) for m in (whole, adapted, start))
    assert changed(whole.model, adapted.model) == set()  # type: ignore[attr-defined]
    assert changed(start.model, whole.model)  # type: ignore[attr-defined]
    asked = [[{"role": "user", "content": "the relation holds"}]]
    greedy = Sampling(temperature=0, max_new_tokens=5)
    assert whole.generate(asked, greedy) == adapted.generate(asked, greedy)


ALWAYS_PAID = ("reward.name=random", "reward.options={}")
"""A reward that differs within every group, so that the untrained model gets a gradient."""


def watch_parameters(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Names and values of the parameters before and after training."""
    from transformers import Trainer

    seen: dict[str, Any] = {}
    original = Trainer.train

    def values(model: Any) -> dict[str, Any]:
        return {name: p.detach().clone() for name, p in model.named_parameters()}

    def train(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen["trainable"] = [name for name, p in self.model.named_parameters() if p.requires_grad]
        seen["before"] = values(self.model)
        found = original(self, *args, **kwargs)
        seen["after"] = values(self.model)
        return found

    monkeypatch.setattr(Trainer, "train", train)
    return seen


def test_lora_of_the_embedded_model_names_it_as_the_recipe_did(
    short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    trained = run(short_sft("model.path=embedded", LORA), tmp_path)
    settings = (trained / "adapter" / "adapter_config.json").read_text()
    assert json.loads(settings)["base_model_name_or_path"] == "embedded"
    assert load_model(trained / "adapter", device="cpu").generate([], Sampling()) == []


def test_lora_on_a_model_from_scratch_or_on_an_adapter_is_refused(
    short_sft: Callable[..., Recipe], folder: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"model\.lora adapts a trained model"):
        run(short_sft("model.path=scratch", "model.scratch={words: world}", LORA), tmp_path)
    (tmp_path / "run" / "recipe.yaml").unlink()
    trained = run(short_sft(f"model.path={folder('llama')}", LORA), tmp_path)
    with pytest.raises(ModelError, match="can't carry another"):
        run(short_sft(f"model.path={trained / 'adapter'}", LORA), tmp_path / "second")
    # Without a further adapter, training goes on from the merged weights.
    assert run(short_sft(f"model.path={trained / 'adapter'}"), tmp_path / "third").is_dir()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_model_name_or_path": "./nowhere"}, "no such folder"),
        ({"base_model_name_or_path": None}, "does not name its base"),
        ({"base_model_name_or_path": "."}, "is an adapter"),
        ({"peft_type": "NOTHING"}, "can't be loaded"),
    ],
)
def test_adapter_that_cannot_be_used_is_a_model_error(
    change: dict[str, Any],
    message: str,
    folder: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder("llama"))
    get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")).save_pretrained(tmp_path)
    assert load_model(tmp_path, device="cpu").generate([], Sampling()) == []
    edit(tmp_path / "adapter_config.json", **change)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path, device="cpu")


def test_pickled_adapter_is_refused(folder: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(folder("llama"))}))
    (tmp_path / "adapter_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match="safetensors"):
        load_model(tmp_path)


# ------------------------------------------------------------------------------------- activation checkpointing, bf16


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("method", ["sft", "rl"])
def test_gradient_checkpointing_changes_memory_and_not_the_result(
    method: str,
    lora: bool,
    folder: Callable[[str], Path],
    short_sft: Callable[..., Recipe],
    short_rl: Callable[..., Recipe],
    tmp_path: Path,
) -> None:
    recipe = {"sft": short_sft, "rl": short_rl}[method]
    settings = [f"model.path={folder('llama')}", *([LORA] if lora else []), "training.learning_rate=0.001"]
    settings += ALWAYS_PAID if method == "rl" else ()
    plain = run(recipe(*settings), tmp_path / "plain")
    saving = run(recipe(*settings, "training.gradient_checkpointing=true"), tmp_path / "saving")
    one, other = (load_model(path, device="cpu").model.state_dict() for path in (plain, saving))  # type: ignore[attr-defined]
    start = load_model(folder("llama"), device="cpu").model.state_dict()  # type: ignore[attr-defined]
    assert any(not torch.equal(one[name], start[name]) for name in one)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", ["sft", "rl"])
def test_bfloat16_weights_and_arithmetic(
    method: str,
    folder: Callable[[str], Path],
    short_sft: Callable[..., Recipe],
    short_rl: Callable[..., Recipe],
    tmp_path: Path,
) -> None:
    from safetensors.torch import load_file

    settings = [f"model.path={folder('qwen2')}", "model.dtype=bfloat16", "training.bf16=true"]
    trained = run({"sft": short_sft, "rl": short_rl}[method](*settings), tmp_path)
    assert {str(t.dtype) for t in load_file(trained / "model.safetensors").values()} == {"torch.bfloat16"}
    losses = [row["loss"] for _, row in read_jsonl(tmp_path / "run" / "metrics.jsonl") if "loss" in row]
    assert len(losses) == 2
    assert all(value == value for value in losses)
    assert len(load_model(trained, device="cpu").generate([[{"role": "user", "content": "a"}]], Sampling())) == 1
