from __future__ import annotations

import copy
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bythebook.errors import InputError, Interrupted
from bythebook.generation.chat import encode_prompts
from bythebook.prompts import PromptStyle, render
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import read_jsonl
from bythebook.tasks import task_named
from bythebook.tasks.base import Target
from bythebook.tasks.world import examples
from bythebook.training import run as run_module
from bythebook.training import train
from bythebook.training.data import rl_dataset, sft_dataset
from bythebook.training.progress import MetricsCallback
from bythebook.training.sft import TargetSFTTrainer, make_sft_trainer
from bythebook.types import Example

STYLE = PromptStyle(template="short", rendering="rules")
TARGETS = task_named("world").targets


def _rows(tokenizer: Any, sentences: list[Example], target: Target, prefilled: bool = False) -> list[dict[str, Any]]:
    return list(sft_dataset(sentences, tokenizer, STYLE, target, 0, prefilled=prefilled))


@pytest.mark.parametrize("name", ["answer", "careful", "mixed"])
def test_the_loss_is_on_the_target_alone(name: str, embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences, rng = examples("id", 12, seed=3), random.Random("bythebook sft targets/0")
    prompts = encode_prompts(tokenizer, [render(e, STYLE) for e in sentences])
    for e, prompt, row in zip(sentences, prompts, _rows(tokenizer, sentences, TARGETS[name]), strict=True):
        kept = row["input_ids"][len(prompt) :]
        assert row["input_ids"][: len(prompt)] == prompt
        assert row["labels"] == [-100] * len(prompt) + kept
        assert kept[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(kept[:-1]) == TARGETS[name](e, rng)


def test_where_the_template_opens_the_thinking_the_target_does_not(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    (opened,) = tokenizer("<think>", add_special_tokens=False)["input_ids"]
    sentences = examples("id", 4, seed=3)
    for e, plain, prefilled in zip(
        sentences,
        _rows(tokenizer, sentences, TARGETS["careful"]),
        _rows(tokenizer, sentences, TARGETS["careful"], prefilled=True),
        strict=True,
    ):
        ours, theirs = ([t for t in row["labels"] if t != -100] for row in (plain, prefilled))
        assert ours == [opened, *theirs]
        assert e.gold is not None
        assert tokenizer.decode(theirs[:-1]).endswith(f"</think><answer> {e.gold}</answer>")


@pytest.mark.parametrize("target", ["answer", "careful"])
def test_two_steps_leave_a_model_and_its_metrics(target: str, short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_sft(f"data.target={target}", "evaluation.every=1", "evaluation.limit=2")
    train(recipe, output=tmp_path, quiet=True)
    assert load_recipe(tmp_path / "recipe.yaml") == recipe
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert [row["step"] for row in rows if "eval" not in row] == [1, 2]
    assert all(row["loss"] > 0 for row in rows if "eval" not in row)
    assert [row["step"] for row in rows if "eval" in row] == [0, 1, 2]
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "prompt.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_the_loss_falls_on_sentences_that_are_seen_again(short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_sft(
        "data.options.train=8", "training.max_steps=8", "training.warmup_steps=0", "training.learning_rate=1e-3"
    )
    train(recipe, output=tmp_path, quiet=True)
    losses = [row["loss"] for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert len(losses) == 8
    assert losses[-1] < 0.7 * losses[0]


def test_the_reported_loss_is_the_token_mean_over_the_targets(
    short_sft: Callable[..., Recipe], tmp_path: Path, embedded: tuple[Any, Any]
) -> None:
    recipe = short_sft(
        "data.options.train=8", "training.max_steps=1", "training.micro_batch_size=4", "data.target=careful"
    )
    train(recipe, output=tmp_path, quiet=True)
    model, tokenizer = embedded
    sentences = task_named("world").read(None, **recipe.data.options)["train"]
    total, count = 0.0, 0
    for row in _rows(tokenizer, sentences, TARGETS["careful"]):
        ids, labels = (torch.tensor(row[column]) for column in ("input_ids", "labels"))
        with torch.no_grad():
            logits = model(input_ids=ids[None]).logits[0]
        wanted = labels[1:] != -100
        total += torch.nn.functional.cross_entropy(logits[:-1][wanted], labels[1:][wanted], reduction="sum").item()
        count += int(wanted.sum())
    ((_, reported),) = read_jsonl(tmp_path / "metrics.jsonl")
    # Reported with the digits that TRL keeps.
    assert reported["loss"] == pytest.approx(total / count, rel=2e-3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.target=nosuch"], "task 'world' has no target 'nosuch'.*careful"),
        (["training.batch_size=6", "training.micro_batch_size=4"], "don.t divide"),
    ],
)
def test_a_mistake_in_a_recipe_is_named(
    overrides: list[str], message: str, short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        train(short_sft(*overrides), output=tmp_path, quiet=True)


def test_an_interrupted_run_goes_on_to_the_same_weights(
    short_sft: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(MetricsCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            super().on_log(args, state, control, **kwargs)
            if state.global_step == 2:
                signal.raise_signal(signal.SIGINT)

    recipe = short_sft("training.max_steps=4", "data.options.train=48")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(recipe, output=whole, quiet=True)
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "MetricsCallback", Stopping)
        with pytest.raises(Interrupted, match="stopped at step 3"):
            train(recipe, output=broken, quiet=True)
    train(recipe, output=broken, quiet=True, resume=True)
    metrics = [[row for _, row in read_jsonl(run / "metrics.jsonl")] for run in (whole, broken)]
    assert [row["step"] for row in metrics[1]] == [1, 2, 3, 4]
    for straight, resumed in zip(*metrics, strict=True):
        assert resumed["loss"] == straight["loss"]


def test_rl_rows_carry_what_rewards_and_records_need(embedded: tuple[Any, Any]) -> None:
    _, tokenizer = embedded
    sentences = examples("id", 3, seed=1)
    rows = list(rl_dataset(sentences, tokenizer, STYLE))
    assert [row["prompt"] for row in rows] == [render(e, STYLE) for e in sentences]
    assert [(row["example_id"], row["domain"], row["guideline_hash"]) for row in rows] == [
        (e.id, e.domain, e.guideline.hash) for e in sentences
    ]
    tokenizer.chat_template = None
    plain = rl_dataset(sentences, tokenizer, STYLE)
    assert [row["prompt"] for row in plain] == [render(e, STYLE)[0]["content"] + "\n" for e in sentences]


def test_rl_needs_labelled_examples(embedded: tuple[Any, Any]) -> None:
    unlabelled = examples("id", 1, seed=1)[0].model_copy(update={"gold": None})
    with pytest.raises(InputError, match=f"{unlabelled.id} has no gold"):
        rl_dataset([unlabelled], embedded[1], STYLE)


def test_several_sentences_in_a_row_train_as_single_ones_do(
    short_sft: Callable[..., Recipe], embedded: tuple[Any, Any], tmp_path: Path
) -> None:
    recipe = short_sft("training.sentences_per_row=4", "training.batch_size=2", "training.micro_batch_size=2")
    sentences = examples("id", 8, seed=2, per_guideline=4)
    trainer = make_sft_trainer(
        recipe, *embedded, sentences, TARGETS["careful"], tmp_path, callbacks=(), prefilled=False
    )
    assert len(trainer.train_dataset) == 2
    assert trainer.train().training_loss > 0


@pytest.mark.parametrize("sentences_per_row", [1, 3])
def test_loss_and_gradient_are_those_of_trl(
    sentences_per_row: int, short_sft: Callable[..., Recipe], tmp_path: Path, embedded: tuple[Any, Any]
) -> None:
    model, tokenizer = embedded
    recipe = short_sft(f"training.sentences_per_row={sentences_per_row}")
    sentences = sorted(examples("id", 12, seed=3), key=lambda e: e.guideline.hash)
    trainer = make_sft_trainer(
        recipe, copy.deepcopy(model), tokenizer, sentences, TARGETS["careful"], tmp_path, [], prefilled=False
    )
    trainer.model.train()
    batch = next(iter(trainer.get_train_dataloader()))
    found = []
    for compute in (trainer.compute_loss, super(TargetSFTTrainer, trainer).compute_loss):
        trainer.model.zero_grad()
        trainer._metrics["train"].clear()
        loss = compute(trainer.model, dict(batch), num_items_in_batch=torch.tensor(37))
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
        metrics = {k: trainer._metrics["train"][k] for k in ("entropy", "mean_token_accuracy")}
        found.append((loss.item(), gradient, metrics))
    (ours, our_gradient, our_metrics), (theirs, their_gradient, their_metrics) = found
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert (our_gradient - their_gradient).norm() < 1e-5 * their_gradient.norm()
    for name, values in our_metrics.items():
        assert values == pytest.approx(their_metrics[name], rel=1e-4)
