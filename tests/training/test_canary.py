"""Private methods of TRL that training overrides or relies on: an upgrade that changes one fails here, by name."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import version
from typing import Any

import pytest
from transformers import Trainer
from trl import GRPOTrainer, SFTTrainer
from trl.trainer import utils as trl_utils

from bythebook.training.grpo import GuidelineGRPOTrainer
from bythebook.training.ppo_trainer import PPOTrainer
from bythebook.training.refill import RefillingTrainer
from bythebook.training.self_play import SelfPlayTrainer
from bythebook.training.sft import TargetSFTTrainer

PINNED: dict[tuple[Any, str], tuple[str, str]] = {
    (GRPOTrainer, "_calculate_rewards"): (
        "736ae29b083840b5",
        "overridden: it must hand every column of `inputs` to the rewards and return the gathered (B, rewards) matrix",
    ),
    (GRPOTrainer, "_generate_and_score_completions"): (
        "1fa48922792dcd5c",
        (
            "overridden: it must call `_calculate_rewards` once a generation and return this process's `advantages` in "
            "the order of `inputs`, `num_generations` of a prompt side by side"
        ),
    ),
    (GRPOTrainer, "_generate"): (
        "2a27fdf8f5e6f356",
        (
            "relied on: it must call `rollout_func(prompts, trainer)` with this process's prompts, each repeated for "
            "its group, and take prompt ids, completion ids with the end token, and no log-probs from it"
        ),
    ),
    (GRPOTrainer, "_generate_single_turn"): (
        "e0f02e4fc094cefd",
        "called by self-play: token ids of prompts in, those of completions and their log-probs, or None, out",
    ),
    (GRPOTrainer, "_tokenize_prompts"): (
        "d2d27f7c9bfda85f",
        "repeated for text in training/rollouts.py: the arguments of the chat template, and what plain text becomes",
    ),
    (GRPOTrainer, "_prepare_inputs"): (
        "f824e7fb07147956",
        (
            "relied on: it must generate once for each `steps_per_generation` × `num_iterations` micro-batches, and "
            "anew after a resumption"
        ),
    ),
    (GRPOTrainer, "compute_loss"): (
        "a2d6ef8bd29c3e26",
        "overridden: it must be the only way to the loss, in training and in evaluation, with the model as wrapped",
    ),
    (GRPOTrainer, "_compute_loss"): (
        "80295546bbdbf6f7",
        (
            "replaced by objectives.policy_loss: compare formulas, what `inputs` holds, how accumulation scales each "
            "loss, and the names of the metrics"
        ),
    ),
    (GRPOTrainer, "_get_per_token_logps_and_entropies"): (
        "ea73c3909275851d",
        (
            "overridden and called: it must return (log-probs, entropies, …) of the last `logits_to_keep` tokens at "
            "`temperature`, 0 where the attention mask is 0; training/log_probs.py must do the same"
        ),
    ),
    (GRPOTrainer, "get_high_entropy_mask"): (
        "ce6e86287bac23d6",
        "replaced by objectives.entropy: which entropies the quantile is taken of, and whether tokens on it are kept",
    ),
    (GRPOTrainer, "log"): (
        "1e7772819cc8cf09",
        "relied on: it must average `_metrics[mode]` over a logging step, leave NaN out, and empty it",
    ),
    (GRPOTrainer, "training_step"): (
        "9e18632f7dd8e8d8",
        "relied on: it must count micro-batches in `_step`, of which a generation feeds several",
    ),
    (GRPOTrainer, "_get_train_sampler"): (
        "36497afb4d311dc9",
        "overridden: its sampler must draw from its `generator` alone",
    ),
    (GRPOTrainer, "_log_metric"): (
        "bcd19b9ca1016e3a",
        "called: `format_rate` and `accuracy` must come out averaged over a logging step, under these names",
    ),
    (GRPOTrainer, "_save_checkpoint"): (
        "ec91bde123649111",
        "overridden: it must save model, optimiser and state in `_get_output_dir(trial)`, all in `checkpoint-N`",
    ),
    (trl_utils, "add_fused_lm_head"): (
        "422d009f04b66659",
        (
            "relied on: without `fused_lm_head` the model's own forward must run as it was; once prompts aren't scored "
            "on a CPU, training/log_probs.py has done its duty"
        ),
    ),
    (SFTTrainer, "_save_checkpoint"): ("b6ee0a370c266b6f", "overridden: see GRPO's"),
    (SFTTrainer, "compute_loss"): ("ca448211ff653fe6", "overridden: the token mean over the rows' own labels"),
}


def fingerprint(function: object) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]  # type: ignore[arg-type]


def test_another_source_has_another_fingerprint() -> None:
    assert fingerprint(GRPOTrainer._calculate_rewards) != fingerprint(GRPOTrainer._log_metric)
    assert len(fingerprint(GRPOTrainer._log_metric)) == 16


@pytest.mark.parametrize(("owner", "name"), PINNED, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_a_private_method_of_trl_is_as_it_was_read(owner: Any, name: str) -> None:
    pinned, check = PINNED[owner, name]
    assert fingerprint(getattr(owner, name)) == pinned, (
        f"{owner.__name__}.{name} has another source in TRL {version('trl')}. Read it again ({check}), run "
        "tests/training, then write the new fingerprint here."
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (GuidelineGRPOTrainer, GRPOTrainer),
        (RefillingTrainer, GRPOTrainer),
        (PPOTrainer, GRPOTrainer),
        (SelfPlayTrainer, GRPOTrainer),
        (TargetSFTTrainer, SFTTrainer),
    ],
    ids=["GRPO", "refilled", "PPO", "self-play", "SFT"],
)
def test_whatever_we_override_of_trl_is_pinned(ours: type, theirs: type) -> None:
    own = {name for c in ours.__mro__ if c.__module__.startswith("bythebook.") for name in vars(c)}
    overridden = {name for name in own & set(vars(theirs)) if inspect.isfunction(getattr(theirs, name))} - {"__init__"}
    assert "compute_loss" in overridden
    assert overridden <= {name for owner, name in PINNED if owner is theirs}


def test_transformers_still_saves_a_checkpoint_of_a_model_and_a_trial() -> None:
    assert list(inspect.signature(Trainer._save_checkpoint).parameters) == ["self", "model", "trial"]
