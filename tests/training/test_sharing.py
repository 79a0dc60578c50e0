"""Training over shared prefixes beside TRL's own path: loss, gradients, and twenty steps of recorded rollouts."""

from __future__ import annotations

import copy
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from drawn_rollouts import make_trainer
from trl import GRPOTrainer

from bythebook.prefix import plan_prefixes
from bythebook.recipe import Recipe
from bythebook.training import sharing
from bythebook.training.grpo import GuidelineGRPOTrainer
from bythebook.training.shared_prefix import SharedCounts, regrouped, sharing_order

LOSS_TYPES = ("grpo", "dapo", "dr_grpo")
FOUR_PROMPTS = ("rollout.prompts_per_step=4", "training.micro_batch_size=16", "objective.beta=0.1")


def a_batch(trainer: GuidelineGRPOTrainer) -> dict[str, Any]:
    """What the trainer draws, with ragged completions, the weights moved away from those that drew it."""
    torch.manual_seed(3)
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in trainer.model.named_parameters():
            if parameter.requires_grad and "lora_A" not in name:
                spread = parameter.std() if parameter.any() else torch.tensor(0.05)
                parameter += 0.1 * spread * torch.randn(parameter.shape, generator=generator)
    width = batch["completion_mask"].shape[1]
    for row, length in enumerate(batch["completion_mask"].sum(dim=1).tolist()):
        batch["completion_mask"][row, max(1, length - row % 4) :] = 0
        assert 1 <= int(batch["completion_mask"][row].sum()) <= width
    batch["advantages"] = torch.linspace(-1.5, 1.0, len(batch["advantages"]))
    return batch


def trl_loss(trainer: GuidelineGRPOTrainer, batch: dict[str, Any]) -> torch.Tensor:
    """TRL's loss with TRL's log-probs, every prompt computed in full."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (sharing.SharingTrainer, sharing.ObjectiveTrainer):
            original = GRPOTrainer._get_per_token_logps_and_entropies
            patch.setattr(kind, "_get_per_token_logps_and_entropies", original)
        loss: torch.Tensor = GRPOTrainer.compute_loss(trainer, trainer.model, batch)
        return loss


def gradient_of(trainer: GuidelineGRPOTrainer, losses: list[torch.Tensor]) -> torch.Tensor:
    trainer.model.zero_grad()
    for loss in losses:
        loss.backward()
    return torch.cat([p.grad.flatten().clone() for p in trainer.model.parameters() if p.grad is not None])


def assert_equal(trainer: GuidelineGRPOTrainer, batch: dict[str, Any]) -> None:
    trainer._packs.counts.take()
    ours = trainer.compute_loss(trainer.model, dict(batch))
    assert bool(trainer._packs.counts.take()) == trainer.shares_prefix  # whose log-probs these are
    theirs = trl_loss(trainer, dict(batch))
    assert not trainer._packs.counts.take()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    found, wanted = gradient_of(trainer, [ours]), gradient_of(trainer, [theirs])
    assert wanted.norm() > 0
    assert (found - wanted).norm() <= 1e-4 * wanted.norm()


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("lora", [False, True], ids=["full", "LoRA"])
def test_loss_and_gradients_are_trl_s(
    loss_type: str, lora: bool, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    adapter = ("model.lora.r=4", "model.lora.alpha=8", "model.lora.dropout=0", "model.lora.target_modules=all-linear")
    options = adapter if lora else ()
    trainer = make_trainer(short_rl(*FOUR_PROMPTS, f"objective.loss_type={loss_type}", *options), tmp_path)
    assert trainer.shares_prefix
    batch = a_batch(trainer)
    rows = [row[mask.bool()].tolist() for row, mask in zip(batch["prompt_ids"], batch["prompt_mask"], strict=True)]
    plan = plan_prefixes(rows)
    assert sum(node.parent < 0 or node.depth < 10 for node in plan.nodes) >= 2  # several guidelines
    assert len(set(batch["completion_mask"].sum(dim=1).tolist())) > 2
    assert_equal(trainer, batch)


def test_entropy_terms_and_sequence_ratios_are_trl_s(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    terms = ("objective.entropy_coef=0.05", "objective.importance_sampling_level=sequence", "rollout.temperature=0.8")
    trainer = make_trainer(short_rl(*FOUR_PROMPTS, "objective.num_iterations=2", *terms), tmp_path)
    assert_equal(trainer, a_batch(trainer))


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_eight_micro_batches_are_one(loss_type: str, short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    trainer = make_trainer(short_rl(*FOUR_PROMPTS, f"objective.loss_type={loss_type}"), tmp_path)
    batch = a_batch(trainer)
    whole = gradient_of(trainer, [trainer.compute_loss(trainer.model, dict(batch))])
    trainer.current_gradient_accumulation_steps = trainer.args.steps_per_generation = 8
    parts = [
        {name: v[i : i + 2] if isinstance(v, torch.Tensor) and v.ndim else v for name, v in batch.items()}
        for i in range(0, 16, 2)
    ]
    found = gradient_of(trainer, [trainer.compute_loss(trainer.model, part) for part in parts])
    assert (found - whole).norm() <= 1e-4 * whole.norm()


@pytest.mark.parametrize("checkpointing", [False, True])
def test_packs_of_few_tokens_change_nothing(
    checkpointing: bool, short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_rl(*FOUR_PROMPTS, f"training.gradient_checkpointing={str(checkpointing).lower()}")
    trainer = make_trainer(recipe, tmp_path)
    batch = a_batch(trainer)
    whole = gradient_of(trainer, [trainer.compute_loss(trainer.model, dict(batch))])
    shared = trainer._packs.counts.take()
    assert shared["prefix_recomputed"] == 0
    assert shared["tokens_saved"] > 0.5
    trainer._packs.pack_tokens = 300
    found = gradient_of(trainer, [trainer.compute_loss(trainer.model, dict(batch))])
    assert 0 < trainer._packs.counts.take()["tokens_saved"] < shared["tokens_saved"]
    assert (found - whole).norm() <= 1e-4 * whole.norm()
    trainer._packs.pack_tokens = 1  # every row on its own
    found = gradient_of(trainer, [trainer.compute_loss(trainer.model, dict(batch))])
    assert (found - whole).norm() <= 1e-4 * whole.norm()


def test_twenty_steps_of_recorded_rollouts_lead_to_the_same_weights(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    trainer = make_trainer(short_rl(*FOUR_PROMPTS), tmp_path)
    batches = [a_batch(trainer)]
    draw = random.Random(0)
    while len(batches) < 20:
        batch = copy.deepcopy(batches[0])
        batch["advantages"] = torch.tensor([draw.gauss(0, 1) for _ in batch["advantages"]])
        batches.append(batch)
    start = copy.deepcopy(trainer.model.state_dict())
    ends = []
    for loss_of in (lambda b: trainer.compute_loss(trainer.model, b), lambda b: trl_loss(trainer, b)):
        trainer.model.load_state_dict(start)
        optimizer = torch.optim.AdamW(trainer.model.parameters(), lr=4e-4)
        for batch in batches:
            optimizer.zero_grad()
            loss_of(dict(batch)).backward()
            torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
            optimizer.step()
        ends.append(torch.cat([p.detach().flatten().clone() for p in trainer.model.parameters()]))
    before = torch.cat([start[name].flatten() for name, _ in trainer.model.named_parameters()])
    moved = (ends[1] - before).norm()
    assert moved > 1e-2 * before.norm()
    assert (ends[0] - ends[1]).norm() <= 1e-3 * before.norm()


def test_bfloat16_is_no_further_off_than_the_plain_path_in_other_batches(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    trainer = make_trainer(short_rl(*FOUR_PROMPTS), tmp_path)
    batch = a_batch(trainer)
    exact = trainer._scored(trainer.model, batch)[0]
    trainer.model.to(torch.bfloat16)
    mask = batch["completion_mask"].bool()
    with torch.no_grad():
        ours = trainer._scored(trainer.model, batch)[0]
        ids, attention = (torch.cat([batch[f"prompt_{x}"], batch[f"completion_{x}"]], dim=1) for x in ("ids", "mask"))
        plain = GRPOTrainer._get_per_token_logps_and_entropies
        theirs = [plain(trainer, trainer.model, ids, attention, mask.shape[1], batch_size=size)[0] for size in (16, 1)]
    errors = [(x.float() - exact)[mask].abs().mean().item() for x in (ours, *theirs)]
    assert errors[0] <= 1.5 * max(errors[1:])


def test_rollouts_of_a_step_lie_together_and_are_the_same(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_rl("rollout.prompts_per_step=4", "training.micro_batch_size=4", "objective.num_iterations=2")
    trainer = make_trainer(recipe, tmp_path)
    generation = next(iter(trainer.get_train_dataloader()))
    trainer._prepare_inputs(generation)
    parts = trainer._buffered_inputs
    assert [len(part["prompt_ids"]) for part in parts] == [4] * 4
    for part in parts:
        assert len({tuple(row.tolist()) for row in part["prompt_ids"]}) == 1
    order = torch.cat([part["sharing_order"] for part in parts])
    assert order.tolist() == list(range(16))
    again = trainer._prepare_inputs(generation)
    assert again["prompt_ids"].equal(trainer._buffered_inputs[trainer._step % 4]["prompt_ids"])


def test_regrouping_moves_whole_rows_within_an_optimiser_step() -> None:
    rows = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    batches = [
        {"order": part, "value": part * 10, "items": torch.tensor(7.0), "none": None, "count": 3}
        for part in rows.split(2)
    ]
    made = regrouped(batches, "order", 3)
    assert [len(b["order"]) for b in made] == [2] * 6
    for window in (slice(0, 3), slice(3, 6)):
        before = torch.cat([b["order"] for b in batches[window]])
        assert torch.cat([b["order"] for b in made[window]]).equal(before.sort().values)
    for batch in made:
        assert batch["value"].equal(batch["order"] * 10)
        assert (batch["items"], batch["none"], batch["count"]) == (torch.tensor(7.0), None, 3)


def test_the_order_puts_equal_prompts_and_like_beginnings_together() -> None:
    ids = torch.tensor([[0, 5, 9], [0, 5, 7], [3, 5, 7], [0, 5, 9], [3, 5, 8]])
    mask = torch.tensor([[0, 1, 1], [0, 1, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]])
    assert sharing_order(ids, mask).tolist() == [3, 2, 0, 4, 1]


def test_what_is_saved_and_computed_again_is_counted() -> None:
    counts = SharedCounts()
    assert counts.take() == {}
    first = plan_prefixes([[1] * 6 + [2], [1] * 6 + [3]])
    counts.add(first)
    counts.add(plan_prefixes([[1] * 6 + [4], [1] * 6 + [5]]))
    assert counts.take() == {"tokens_saved": 1 - 16 / 28, "prefix_recomputed": 1.0}
    counts.add(first)
    assert counts.take() == {"tokens_saved": 1 - 8 / 14, "prefix_recomputed": 0.0}


def test_a_model_that_is_not_served_is_trained_as_trl_does_after_one_warning(
    short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "differs_from_plain", lambda model: "its outputs differ by 3 of their spread")
    with pytest.warns(UserWarning, match="prefixes are not shared, because its outputs differ by 3") as caught:
        trainer = make_trainer(short_rl(*FOUR_PROMPTS), tmp_path)
    assert len(caught) == 1
    assert not trainer.shares_prefix
    assert trainer.rollout_func is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # TRL uses the old name of transformers' activation checkpointing.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        batch = a_batch(trainer)
        assert "sharing_order" not in batch
        assert_equal(trainer, batch)


def test_one_line_of_the_recipe_turns_it_off(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    trainer = make_trainer(short_rl("rollout.share_prefix=false"), tmp_path)
    assert not trainer.shares_prefix
    assert trainer.rollout_func is None
    assert trainer.model.config._attn_implementation == "sdpa"
