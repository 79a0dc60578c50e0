"""Log-probs of completions: TRL's numbers with less work, and TRL's own code for everything unusual."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOTrainer

from bythebook.generation import embedded_path
from bythebook.recipe import Recipe
from bythebook.tasks import task_named
from bythebook.training import log_probs
from bythebook.training.grpo import GuidelineGRPOTrainer, make_grpo_trainer
from bythebook.training.log_probs import Scoring, score_completions, scores_prompts_too, scoring_asked

PROMPT, LONGEST = 9, 6


@pytest.fixture(scope="module")
def trainer(short_rl: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> GuidelineGRPOTrainer:
    recipe = short_rl("rollout.temperature=0.7", "objective.entropy_coef=0.1", "rollout.share_prefix=false")
    model, tokenizer = (c.from_pretrained(embedded_path()) for c in (AutoModelForCausalLM, AutoTokenizer))
    examples = task_named(recipe.data.task).read(recipe.data.path, **recipe.data.options)["train"]
    output = tmp_path_factory.mktemp("log_probs")
    return make_grpo_trainer(recipe, model, tokenizer, examples, output, callbacks=(), prefilled=False)


@pytest.fixture(scope="module")
def rows() -> tuple[torch.Tensor, torch.Tensor]:
    """Five rows of ids and masks: prompts padded on the left, completions on the right, one of them masked whole."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 600, (5, PROMPT + LONGEST), generator=generator)
    mask = torch.zeros_like(ids)
    for i, (prompt, completion) in enumerate([(9, 6), (4, 1), (7, 0), (1, 3), (9, 5)]):
        mask[i, PROMPT - prompt : PROMPT + completion] = 1
    return ids, mask


Rows = tuple[torch.Tensor, torch.Tensor]


def _both(trainer: GuidelineGRPOTrainer, rows: Rows, **options: Any) -> tuple[Any, Any]:
    return tuple(
        method(trainer, trainer.model, *rows, LONGEST, **options)  # type: ignore[return-value]
        for method in (
            type(trainer)._get_per_token_logps_and_entropies,
            GRPOTrainer._get_per_token_logps_and_entropies,
        )
    )


@pytest.mark.parametrize("batch_size", [None, 2, 5, 64])
def test_values_and_gradients_are_those_of_trl(
    batch_size: int | None, trainer: GuidelineGRPOTrainer, rows: Rows
) -> None:
    found = []
    for logp, entropy, aux_loss in _both(trainer, rows, batch_size=batch_size, compute_entropy=True):
        assert aux_loss is None
        trainer.model.zero_grad()
        (logp.sum() + 0.3 * entropy.sum()).backward()
        gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
        found.append((logp, entropy, gradient))
    ours, theirs = found
    assert ours[0].shape == ours[1].shape == (5, LONGEST)
    torch.testing.assert_close(ours[0], theirs[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-5, atol=1e-5)
    assert (ours[2] - theirs[2]).norm() < 1e-5 * theirs[2].norm()
    outside = rows[1][:, PROMPT:] == 0
    assert ours[0][outside].eq(0).all()
    assert ours[0][~outside].lt(0).all()


def test_by_hand(trainer: GuidelineGRPOTrainer, rows: Rows) -> None:
    ids, mask = rows
    logp, entropy, _ = trainer._get_per_token_logps_and_entropies(trainer.model, *rows, LONGEST, compute_entropy=True)
    with torch.no_grad():
        logits = trainer.model(input_ids=ids, attention_mask=mask).logits[3, PROMPT - 1]
    distribution = (logits / 0.7).softmax(dim=-1)
    assert logp[3, 0].item() == pytest.approx(distribution[ids[3, PROMPT]].log().item(), rel=1e-4)
    assert entropy[3, 0].item() == pytest.approx(
        torch.distributions.Categorical(distribution).entropy().item(), rel=1e-4
    )


def test_entropies_come_when_asked_for_and_with_a_gradient_when_needed(
    trainer: GuidelineGRPOTrainer, rows: Rows
) -> None:
    assert trainer._get_per_token_logps_and_entropies(trainer.model, *rows, LONGEST)[1:] == (None, None)
    asked = Scoring(*rows, LONGEST, compute_entropy=True)
    for gradient in (True, False):
        logp, entropy = score_completions(trainer.model, asked, 1.0, entropy_gradient=gradient)
        assert logp.requires_grad
        assert entropy is not None
        assert entropy.requires_grad == gradient


def test_a_batch_without_tokens_has_a_gradient_of_zero(trainer: GuidelineGRPOTrainer, rows: Rows) -> None:
    ids, mask = rows[0], rows[1].clone()
    mask[:, PROMPT:] = 0
    logp, entropy, _ = trainer._get_per_token_logps_and_entropies(
        trainer.model, ids, mask, LONGEST, compute_entropy=True
    )
    trainer.model.zero_grad()
    (logp.sum() + entropy.sum()).backward()
    assert logp.eq(0).all()
    assert any(p.grad is not None and p.grad.eq(0).all() for p in trainer.model.parameters())


def _positions(trainer: GuidelineGRPOTrainer, score: Callable[[], Any]) -> int:
    """Positions that go through the LM head's own forward."""
    seen = 0

    def count(_module: Any, inputs: Any) -> None:
        nonlocal seen
        seen += inputs[0].shape[0] * inputs[0].shape[1]

    handle = trainer.model.get_output_embeddings().register_forward_pre_hook(count)
    score()
    handle.remove()
    return seen


def test_prompts_are_not_scored(trainer: GuidelineGRPOTrainer, rows: Rows) -> None:
    ours = _positions(trainer, lambda: trainer._get_per_token_logps_and_entropies(trainer.model, *rows, LONGEST))
    assert ours == len(rows[0]) * (LONGEST + 1)


# ----------------------------------------------------------------------------------- what is left to TRL


def _method(
    model: Any,
    input_ids: Any,
    attention_mask: Any,
    logits_to_keep: Any,
    batch_size: Any = None,
    compute_entropy: Any = False,
    pixel_values: Any = None,
) -> None:
    """TRL's signature in short."""


@pytest.mark.parametrize(
    ("args", "kwargs", "ours"),
    [
        ((1, 2, 3), {}, True),
        ((1, 2, 3, 4, True), {}, True),
        ((), {"input_ids": 1, "attention_mask": 2, "logits_to_keep": 3, "batch_size": 4}, True),
        ((1, 2, 3), {"pixel_values": None}, True),
        ((1, 2, 3), {"pixel_values": torch.ones(2)}, False),
        ((1, 2, 3), {"never_heard_of": None}, False),
        ((1, 2), {}, False),
    ],
)
def test_what_is_asked_is_read_from_trls_signature(args: Any, kwargs: Any, ours: bool) -> None:
    asked = scoring_asked(_method, args, kwargs)
    assert (asked is not None) == ours
    if asked is not None:
        assert asked[:3] == (1, 2, 3)
        assert asked.batch_size == (4 if len(args) > 3 or "batch_size" in kwargs else None)
        assert asked.compute_entropy == (len(args) > 4)


def test_a_signature_that_moved_is_trls_business() -> None:
    def with_other_names(model: Any, ids: Any, mask: Any, keep: Any) -> None: ...
    def with_everything_new(model: Any, *args: Any, **kwargs: Any) -> None: ...
    def with_one_more(
        model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: Any, sharpness: Any = 1
    ) -> None: ...
    def in_another_order(model: Any, logits_to_keep: Any, input_ids: Any, attention_mask: Any) -> None: ...

    assert scoring_asked(with_other_names, (1, 2, 3), {}) is None
    assert scoring_asked(with_everything_new, (1, 2, 3), {}) is None
    assert scoring_asked(with_one_more, (1, 2, 3), {}) == Scoring(1, 2, 3)  # type: ignore[arg-type]
    assert scoring_asked(with_one_more, (1, 2, 3), {"sharpness": 2}) is None
    assert scoring_asked(in_another_order, (3, 1, 2), {}) == Scoring(1, 2, 3)  # type: ignore[arg-type]


def test_a_new_argument_of_trl_reaches_trl(
    trainer: GuidelineGRPOTrainer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(self: Any, model: Any, tokens: Any, *, sharpness: int) -> str:
        return f"{tokens} {sharpness}"

    monkeypatch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", newer)
    assert trainer._get_per_token_logps_and_entropies(trainer.model, "tokens", sharpness=3) == "tokens 3"


def test_only_single_precision_on_a_cpu_with_a_model_that_can_is_ours(
    trainer: GuidelineGRPOTrainer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Scoring(*rows, LONGEST)
    assert scores_prompts_too(trainer.model, asked)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not scores_prompts_too(trainer.model, asked)
    assert not scores_prompts_too(trainer.model, Scoring(rows[0].to("meta"), rows[1], LONGEST))
    assert not scores_prompts_too(trainer.model, asked._replace(logits_to_keep=0))
    monkeypatch.setattr(log_probs, "_LARGEST", 1000)
    assert not scores_prompts_too(trainer.model, asked)
    monkeypatch.undo()
    half = AutoModelForCausalLM.from_pretrained(embedded_path(), dtype=torch.bfloat16)
    assert not scores_prompts_too(half, asked)
    whole = AutoModelForCausalLM.from_pretrained(embedded_path())
    monkeypatch.setattr(whole, "forward", lambda input_ids, attention_mask: None)
    assert not scores_prompts_too(whole, asked)


def test_adapters_are_scored_with_what_they_adapt(rows: Rows, trainer: GuidelineGRPOTrainer) -> None:
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_pretrained(embedded_path())
    adapted = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False))
    asked = Scoring(*rows, LONGEST)
    assert scores_prompts_too(adapted, asked)
    ours, _ = score_completions(adapted, asked, 1.0, entropy_gradient=False)
    logits = adapted(input_ids=rows[0], attention_mask=rows[1]).logits[:, PROMPT - 1 : -1].log_softmax(dim=-1)
    expected = logits.gather(-1, rows[0][:, PROMPT:, None])[..., 0] * rows[1][:, PROMPT:]
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)
    plain, _ = score_completions(trainer.model, asked, 1.0, entropy_gradient=False)
    assert not torch.allclose(ours, plain, atol=1e-3)
