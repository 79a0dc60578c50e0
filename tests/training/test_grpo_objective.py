"""Our loss beside TRL's own on real batches: value, gradient, metrics. Whole runs are in test_grpo_whole_runs.py."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOTrainer

from bythebook.errors import InputError
from bythebook.generation import embedded_path
from bythebook.objectives.surrogate import importance_ratio
from bythebook.recipe import Recipe, load_recipe
from bythebook.tasks import task_named
from bythebook.training.grpo import GuidelineGRPOTrainer, make_grpo_trainer
from bythebook.training.objective import ObjectiveTrainer, loss_config

LOSS_TYPES = ("grpo", "bnpo", "dr_grpo", "dapo")
LEVELS = ("token", "sequence")
CLIP_METRICS = "clip_ratio/low_mean clip_ratio/high_mean clip_ratio/region_mean clip_ratio/low_min clip_ratio/high_max"


def _trainer(recipe: Recipe, output: Path) -> GuidelineGRPOTrainer:
    model, tokenizer = (c.from_pretrained(embedded_path()) for c in (AutoModelForCausalLM, AutoTokenizer))
    examples = task_named(recipe.data.task).read(recipe.data.path, **recipe.data.options)["train"]
    return make_grpo_trainer(recipe, model, tokenizer, examples, output, callbacks=(), prefilled=False)


Setting = tuple[GuidelineGRPOTrainer, dict[str, Any]]


@pytest.fixture(scope="module")
def setting(short_rl: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """A trainer and a micro-batch that it drew, with log-probs of the old policy and of the reference; the policy has
    moved since, so that ratios lie on both sides of the clips. One completion of the batch is cut out."""
    recipe = short_rl(
        *("objective.beta=0.1", "objective.num_iterations=2", "rollout.temperature=0.9"),
        *("rollout.prompts_per_step=4", "training.micro_batch_size=8", "data.options.k=2"),
        "rollout.share_prefix=false",  # equal to within 1e-5; the shared path has tests of its own
    )
    trainer = _trainer(recipe, tmp_path_factory.mktemp("objective"))
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    generator = torch.Generator().manual_seed(2)
    torch.manual_seed(2)
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter += 0.1 * parameter.std() * torch.randn(parameter.shape, generator=generator)
    batch["completion_mask"][3] = 0
    assert {"old_per_token_logps", "ref_per_token_logps", "num_items_in_batch"} <= set(batch)
    with torch.no_grad():
        logp = trainer._scored(trainer.model, batch)[0]
    ratio = importance_ratio(logp, batch["old_per_token_logps"], batch["completion_mask"], "sequence")[:, 0]
    advantages = torch.tensor([-0.7, -0.2, 0.4, -1.3, 1.0, 0.2, -1.1, 0.8])
    # The least likely is bad, the likeliest good, the next one bad: every clip has its row.
    batch["advantages"] = advantages[ratio.argsort().argsort()].where(ratio != 1, 0.5)
    return trainer, batch


def _choose(trainer: GuidelineGRPOTrainer, **options: Any) -> None:
    """Set an objective in the arguments and in everything that TRL copied from them."""
    plain = {
        "loss_type": "grpo",
        "importance_sampling_level": "token",
        "beta": 0.0,
        "delta": None,
        "epsilon": 0.2,
        "epsilon_high": None,
        "entropy_coef": 0.0,
        "top_entropy_quantile": 1.0,
        "use_bias_correction_kl": False,
    }
    assert set(options) <= set(plain)
    for name, value in {**plain, **options}.items():
        setattr(trainer.args, name, value)
        if hasattr(trainer, name):
            setattr(trainer, name, value)
    trainer.epsilon_low = trainer.args.epsilon
    trainer.epsilon_high = trainer.args.epsilon_high or trainer.args.epsilon
    trainer._entropy_bonus_enabled = trainer.entropy_coef != 0
    trainer.loss_config = loss_config(trainer.args, "k3")


def _found(
    trainer: GuidelineGRPOTrainer, compute: Callable[..., torch.Tensor], batch: dict[str, Any]
) -> tuple[float, torch.Tensor, dict[str, float]]:
    """Loss, gradient and metrics."""
    trainer.model.zero_grad()
    trainer._metrics["train"].clear()
    loss = compute(trainer.model, dict(batch))
    loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None])
    return loss.item(), gradient, {name: values[-1] for name, values in trainer._metrics["train"].items()}


def _theirs(trainer: GuidelineGRPOTrainer) -> Callable[..., torch.Tensor]:
    """TRL's loss with TRL's log-probs."""

    def compute(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        with pytest.MonkeyPatch.context() as patch:
            original = GRPOTrainer._get_per_token_logps_and_entropies
            patch.setattr(ObjectiveTrainer, "_get_per_token_logps_and_entropies", original)
            loss: torch.Tensor = GRPOTrainer.compute_loss(trainer, model, inputs)
            return loss

    return compute


def _one_ratio_a_completion(trainer: GuidelineGRPOTrainer) -> bool:
    return trainer.loss_config.importance_sampling_level == "sequence"


def _assert_parity(trainer: GuidelineGRPOTrainer, batch: dict[str, Any]) -> tuple[float, dict[str, float]]:
    ours, our_gradient, our_metrics = _found(trainer, trainer.compute_loss, batch)
    theirs, their_gradient, their_metrics = _found(trainer, _theirs(trainer), batch)
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert theirs != 0
    assert their_gradient.norm() > 0
    assert (our_gradient - their_gradient).norm() <= 1e-5 * their_gradient.norm()
    shared = set(CLIP_METRICS.split()) | {"entropy"} | ({"kl"} if trainer.beta else set())
    assert shared <= set(our_metrics) & set(their_metrics)
    # With one ratio a completion TRL counts one without tokens as not clipped; we don't count it.
    sequences = batch["completion_mask"].any(dim=1).float().mean().item() if _one_ratio_a_completion(trainer) else 1.0
    for name in shared:
        expected = their_metrics[name] / (sequences if name.endswith("_mean") else 1.0)
        assert our_metrics[name] == pytest.approx(expected, rel=1e-4, abs=1e-6), name
    return ours, our_metrics


def test_the_batch_lies_on_both_sides_of_the_clips(setting: Setting) -> None:
    trainer, batch = setting
    for level in LEVELS:
        _choose(trainer, importance_sampling_level=level, epsilon=0.05)
        _, metrics = _assert_parity(trainer, batch)
        assert metrics["clip_ratio/low_mean"] > 0
        assert metrics["clip_ratio/high_mean"] > 0
    mask = batch["completion_mask"]
    assert len({int(n) for n in mask.sum(dim=1)}) > 2, "completions of several lengths"


KLS: tuple[dict[str, Any], ...] = ({}, {"beta": 0.1}, {"beta": 0.1, "use_bias_correction_kl": True})
CLIPS: tuple[dict[str, Any], ...] = ({"epsilon": 0.05}, {"epsilon": 0.05, "epsilon_high": 0.04, "delta": 1.05})


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("level", LEVELS)
def test_every_combination_has_the_loss_and_the_gradient_of_trl(loss_type: str, level: str, setting: Setting) -> None:
    """In double precision, down to the log-probs and entropies of the batch: what is above them is one and the same."""
    trainer, batch = setting
    with torch.no_grad():
        found = trainer._scored(trainer.model, batch)[:2]
    doubled = {k: v.double() if v.is_floating_point() else v for k, v in batch.items()}
    losses = set()
    for kl, clip, coefficient, share, steps in itertools.product(KLS, CLIPS, (0.0, 0.3), (1.0, 0.5), (1, 3)):
        options = {**kl, **clip, "entropy_coef": coefficient, "top_entropy_quantile": share}
        _choose(trainer, loss_type=loss_type, importance_sampling_level=level, **options)
        sides = []
        for compute in (trainer.compute_loss, functools.partial(GRPOTrainer.compute_loss, trainer)):
            logp, entropy = leaves = [x.double().requires_grad_() for x in found]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(trainer, "current_gradient_accumulation_steps", steps)
                given = (logp * 1, entropy * 1, None)
                patch.setattr(trainer, "_get_per_token_logps_and_entropies", lambda *a, given=given, **k: given)
                loss = compute(trainer.model, dict(doubled))
            sides.append((loss.item(), torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)))
        (ours, our_gradients), (theirs, their_gradients) = sides
        assert ours == pytest.approx(theirs, rel=1e-10), options
        for mine, trls in zip(our_gradients, their_gradients, strict=True):
            assert (mine - trls).norm() <= 1e-10 * trls.norm(), options
        losses.add(ours)
    assert len(losses) == 48, "every option matters here"


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kl", KLS, ids=["no KL", "KL", "KL with ratio"])
def test_loss_gradient_and_metrics_of_the_model_are_those_of_trl(
    loss_type: str, level: str, kl: dict[str, Any], setting: Setting
) -> None:
    trainer, batch = setting
    _choose(trainer, loss_type=loss_type, importance_sampling_level=level, epsilon=0.05, entropy_coef=0.1, **kl)
    _assert_parity(trainer, batch)


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
@pytest.mark.parametrize("coefficient", [0.0, 0.3])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_so_are_they_where_only_tokens_of_high_entropy_count(
    loss_type: str, coefficient: float, share: float, setting: Setting
) -> None:
    trainer, batch = setting
    _choose(trainer, loss_type=loss_type)
    everything, _ = _assert_parity(trainer, batch)
    _choose(trainer, loss_type=loss_type, top_entropy_quantile=share, entropy_coef=coefficient, beta=0.1)
    some, _ = _assert_parity(trainer, batch)
    assert some != pytest.approx(everything)


def test_so_are_they_on_policy_and_with_one_advantage_a_token(setting: Setting) -> None:
    trainer, batch = setting
    _choose(trainer, loss_type="dapo")
    _assert_parity(trainer, {name: value for name, value in batch.items() if name != "old_per_token_logps"})
    shape, generator = batch["completion_mask"].shape, torch.Generator().manual_seed(1)
    _assert_parity(trainer, {**batch, "advantages": torch.randn(shape, generator=generator)})


@pytest.mark.parametrize("per", ["token", "sequence"])
def test_so_are_they_with_the_correction_for_another_engine(per: str, setting: Setting) -> None:
    trainer, batch = setting
    _choose(trainer, beta=0.1)
    shape, generator = batch["completion_mask"].shape, torch.Generator().manual_seed(1)
    ratio = torch.rand(shape if per == "token" else (shape[0], 1), generator=generator) * 2
    plain, _ = _assert_parity(trainer, batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "use_vllm", True)
        corrected, _ = _assert_parity(trainer, {**batch, "importance_sampling_ratio": ratio})
    assert corrected != pytest.approx(plain)


def test_in_evaluation_nothing_is_accumulated(setting: Setting) -> None:
    trainer, batch = setting
    trainer.current_gradient_accumulation_steps = 4
    trainer.model.eval()
    try:
        for loss_type in LOSS_TYPES:
            _choose(trainer, loss_type=loss_type)
            ours, theirs = (c(trainer.model, dict(batch)).item() for c in (trainer.compute_loss, _theirs(trainer)))
            assert ours == pytest.approx(theirs, rel=1e-5)
        assert trainer._metrics["eval"]["entropy"]
    finally:
        trainer.model.train()
        trainer._metrics["eval"].clear()
        trainer.current_gradient_accumulation_steps = 1


def test_the_loss_of_a_mixture_of_experts_is_balanced_as_trl_does(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, batch = setting
    _choose(trainer)
    original = GRPOTrainer._get_per_token_logps_and_entropies

    def with_aux_loss(self: Any, *args: Any, compute_aux_loss: bool = False, **kwargs: Any) -> Any:
        logp, entropy, _ = original(self, *args, **kwargs)
        return logp, entropy, logp.pow(2).mean() if compute_aux_loss else None

    monkeypatch.setattr(GRPOTrainer, "_get_per_token_logps_and_entropies", with_aux_loss)
    monkeypatch.setattr(trainer, "aux_loss_enabled", True)
    monkeypatch.setattr(trainer, "router_aux_loss_coef", 0.5)
    monkeypatch.setattr(trainer, "current_gradient_accumulation_steps", 3)
    ours, theirs = (c(trainer.model, dict(batch)).item() for c in (trainer.compute_loss, _theirs(trainer)))
    monkeypatch.undo()
    without = trainer.compute_loss(trainer.model, dict(batch)).item() / 3
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert ours != pytest.approx(without)


def test_where_every_completion_was_cut_off_the_loss_is_zero_and_has_a_gradient(setting: Setting) -> None:
    trainer, batch = setting
    nothing = {**batch, "completion_mask": torch.zeros_like(batch["completion_mask"])}
    for loss_type, level in itertools.product(LOSS_TYPES, LEVELS):
        _choose(trainer, loss_type=loss_type, importance_sampling_level=level, beta=0.1, top_entropy_quantile=0.2)
        loss, gradient, metrics = _found(trainer, trainer.compute_loss, nothing)
        assert loss == 0
        assert gradient.eq(0).all()
        assert math.isnan(metrics["entropy"])


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_the_recipe_chooses_the_kl_estimator(
    estimator: str, short_rl: Callable[..., Recipe], setting: Setting, tmp_path: Path
) -> None:
    recipe = short_rl(f"objective.kl_estimator={estimator}", "objective.beta=0.2", "training.micro_batch_size=4")
    chosen = _trainer(recipe, tmp_path).loss_config
    assert chosen.kl_estimator == estimator
    trainer, batch = setting
    _choose(trainer)
    plain = trainer.compute_loss(trainer.model, dict(batch)).item()
    trainer.loss_config = chosen
    trainer._metrics["train"].clear()
    loss = trainer.compute_loss(trainer.model, dict(batch)).item()
    # grpo: the mean over completions of the mean over tokens.
    mask, ref = batch["completion_mask"], batch["ref_per_token_logps"]
    logp = trainer._scored(trainer.model, batch)[0].detach()
    kl = {"k1": logp - ref, "k2": (logp - ref) ** 2 / 2, "k3": (ref - logp).exp() - 1 - (ref - logp)}[estimator]
    mean = ((kl * mask).sum(1) / mask.sum(1).clamp(min=1)).mean().item()
    assert loss - plain == pytest.approx(0.2 * mean, rel=1e-3)
    assert trainer._metrics["train"]["kl"] == [pytest.approx(((kl * mask).sum() / mask.sum()).item(), rel=1e-3)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("loss_type", "sapo"), ("use_adaptive_entropy", True), ("off_policy_mask_threshold", 0.5)],
)
def test_a_loss_of_trl_that_we_do_not_have_is_refused(field: str, value: Any, setting: Setting) -> None:
    _choose(setting[0])
    arguments = copy.copy(setting[0].args)
    assert loss_config(arguments, "k3").beta == 0
    setattr(arguments, field, value)
    with pytest.raises(ValueError, match=f"{field}|{value}"):
        loss_config(arguments, "k3")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("objective.delta=1.2", r"objective.delta: must exceed 1 \+ epsilon_high = 1.2"),
        ("objective.epsilon_high=0", "objective.epsilon_high"),
        ("objective.kl_estimator=k4", "objective.kl_estimator"),
    ],
)
def test_an_objective_that_makes_no_sense_is_named(override: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"'{re.escape(override)}': {message}"):
        load_recipe("r1_re_tiny", [override])


def test_figures_are_those_of_all_processes(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process is feigned: it has twice the sums, and entropies of its own with padding."""
    trainer, batch = setting
    _choose(trainer, top_entropy_quantile=0.5)
    mask = batch["completion_mask"]
    entropy = trainer._scored(trainer.model, batch)[1]
    _, _, alone = _found(trainer, trainer.compute_loss, batch)
    others = torch.tensor([5.0, 6.0, -1.0, -1.0])
    monkeypatch.setattr(trainer.accelerator, "gather", lambda x: torch.cat([x, others]) if x.dim() == 1 else x)
    pool = trainer._entropy_pool(entropy, mask)
    assert pool is not None
    assert torch.equal(pool, torch.cat([entropy[mask.bool()], others[:2]]).detach())
    seen: list[torch.Tensor] = []

    def summed(x: torch.Tensor, reduction: str) -> torch.Tensor:
        assert reduction == "sum"
        seen.append(x)
        return x + torch.tensor([1.0, 1.0])

    monkeypatch.setattr(trainer.accelerator, "reduce", summed)
    _, _, together = _found(trainer, trainer.compute_loss, batch)
    tokens = int(mask.sum())
    assert together["entropy"] == pytest.approx((alone["entropy"] * tokens + 1) / (tokens + 1), rel=1e-5)
    assert len(seen) == 1


def test_the_reference_model_is_left_alone(setting: Setting) -> None:
    trainer, batch = setting
    before = copy.deepcopy(trainer.ref_model.state_dict())
    _choose(trainer, beta=0.1)
    _found(trainer, trainer.compute_loss, batch)
    assert all(p.grad is None for p in trainer.ref_model.parameters())
    assert all(torch.equal(before[k], v) for k, v in trainer.ref_model.state_dict().items())
