"""Rollouts with shared prefixes are what TRL's own generation would give the trainer."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from trl import GRPOConfig, GRPOTrainer

from bythebook.training.rollouts import shared_rollouts

GUIDELINE = "Annotate by these rules. Cause-Effect: e1 makes e2 happen. " * 3
QUESTIONS = [GUIDELINE + tail for tail in ("The <e1>storm</e1> broke the <e2>mast</e2>.", "A <e1>cup</e1>.")]
CONVERSATIONS = [[{"role": "user", "content": question}] for question in QUESTIONS]


@pytest.fixture
def trainer_of(embedded: tuple[Any, Any], tmp_path: Path) -> Callable[..., GRPOTrainer]:
    """A trainer on the embedded model that draws with our function, with further arguments."""
    from datasets import Dataset

    model, tokenizer = embedded

    def make(rollout_func: Any = shared_rollouts, **more: Any) -> GRPOTrainer:
        settings = {"num_generations": 2, "per_device_train_batch_size": 4, "max_completion_length": 12, **more}
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You are using 'rollout_func'")
            return GRPOTrainer(
                model=model,
                processing_class=tokenizer,
                reward_funcs=lambda completions, **_: [float(len(c[0]["content"])) for c in completions],
                args=GRPOConfig(
                    tmp_path, report_to=[], use_cpu=True, bf16=False, max_steps=1, logging_steps=1, **settings
                ),
                train_dataset=Dataset.from_dict({"prompt": CONVERSATIONS}),
                rollout_func=rollout_func,
            )

    return make


@pytest.mark.parametrize("prompts", [CONVERSATIONS, QUESTIONS], ids=["conversations", "texts"])
def test_prompts_are_tokenised_as_trl_does(prompts: list[Any], trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of()
    batch = [prompts[0], prompts[0], prompts[1], prompts[0]]
    expected, _, _ = trainer._tokenize_prompts(batch)
    assert shared_rollouts(batch, trainer)["prompt_ids"] == [list(ids) for ids in expected]


def test_arguments_of_the_chat_template_are_the_trainers(trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of(chat_template_kwargs={"shout": True})
    trainer.processing_class.chat_template = (
        "{% for m in messages %}{{ m['content'] | upper if shout else m['content'] }}{% endfor %}"
    )
    expected, _, _ = trainer._tokenize_prompts(CONVERSATIONS)
    found = shared_rollouts(CONVERSATIONS, trainer)["prompt_ids"]
    assert found == [list(ids) for ids in expected]
    assert "RULES" in trainer.processing_class.decode(found[0])


def test_completions_are_what_trl_draws_when_the_draw_has_one_outcome(trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of(temperature=1e-3, top_k=1, max_completion_length=40)
    batch = [CONVERSATIONS[i] for i in (0, 0, 1, 1)]
    prompt_ids, _, fields = trainer._tokenize_prompts(batch)
    expected, _ = trainer._generate_single_turn(prompt_ids, None, fields, 2)
    found = shared_rollouts(batch, trainer)
    assert found["completion_ids"] == expected
    assert found["logprobs"] is None
    assert found.keys() == {"prompt_ids", "completion_ids", "logprobs"}
    ended = [ids[-1] in trainer.eos_token_ids for ids in expected]
    assert any(ended)  # the end token is part of the completion


@pytest.mark.parametrize(("argument", "value"), [("top_k", 1), ("top_p", 1e-6), ("min_p", 1.0), ("temperature", 1e-4)])
def test_every_setting_of_the_trainer_narrows_the_draw(
    argument: str, value: float, trainer_of: Callable[..., GRPOTrainer]
) -> None:
    hot = {"temperature": 2.0, argument: value}
    trainer = trainer_of(**hot)
    batch = [CONVERSATIONS[0]] * 4
    assert len({tuple(ids) for ids in shared_rollouts(batch, trainer)["completion_ids"]}) == 1
    setattr(trainer, argument, {"top_k": 0, "top_p": 1.0, "min_p": None, "temperature": 2.0}[argument])
    assert len({tuple(ids) for ids in shared_rollouts(batch, trainer)["completion_ids"]}) > 1


def test_draws_follow_the_random_state_of_the_process(trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of(repetition_penalty=1.1)
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append(shared_rollouts([CONVERSATIONS[0]] * 4, trainer)["completion_ids"])
    assert runs[0] == runs[1] != runs[2]
    assert shared_rollouts([CONVERSATIONS[0]] * 4, trainer)["completion_ids"] != runs[2]


def test_the_trainer_is_left_as_it_was(trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of()
    trainer.model.train()
    trainer.model.gradient_checkpointing_enable()
    attention = trainer.model.config._attn_implementation
    shared_rollouts(CONVERSATIONS, trainer)
    assert all(module.training for module in trainer.model.modules())
    assert trainer.model.config._attn_implementation == attention
    assert trainer.model.is_gradient_checkpointing


def test_trl_trains_on_them(trainer_of: Callable[..., GRPOTrainer]) -> None:
    trainer = trainer_of()
    trainer.train()
    (first, *_) = trainer.state.log_history
    assert first["completions/mean_length"] > 0
    assert json.dumps(first["loss"])


# ------------------------------------------------------------------------------------- TRL's side of the contract


def test_trl_calls_the_function_with_prompts_and_trainer_and_asks_for_three_keys(
    trainer_of: Callable[..., GRPOTrainer],
) -> None:
    calls: list[tuple[Any, ...]] = []

    def recording(*given: Any) -> dict[str, Any]:
        calls.append(given)
        return {**shared_rollouts(*given), "seen": [7] * len(given[0])}

    trainer = trainer_of(recording)
    out = trainer._generate(CONVERSATIONS)
    assert calls == [(CONVERSATIONS, trainer)]
    assert out[5] == {"seen": [7, 7]}  # what is more is handed to the rewards
    for key in ("prompt_ids", "completion_ids", "logprobs"):
        trainer.rollout_func = lambda p, t, key=key: {k: v for k, v in shared_rollouts(p, t).items() if k != key}
        with pytest.raises(ValueError, match=key):
            trainer._generate(CONVERSATIONS)


def test_trl_still_warns_that_the_hook_is_experimental(trainer_of: Callable[..., GRPOTrainer]) -> None:
    import inspect

    source = inspect.getsource(GRPOTrainer.__init__)
    assert "You are using 'rollout_func', which is an experimental feature" in source
