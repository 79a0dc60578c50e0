"""Private methods of TRL that training overrides or relies on: an upgrade that changes one fails here, by name."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import version

import pytest
from transformers import Trainer
from trl import GRPOTrainer, SFTTrainer

PINNED: dict[tuple[type, str], tuple[str, str]] = {
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
    (GRPOTrainer, "_prepare_inputs"): (
        "f824e7fb07147956",
        (
            "relied on: it must generate once for each `steps_per_generation` × `num_iterations` micro-batches, and "
            "anew after a resumption"
        ),
    ),
    (GRPOTrainer, "compute_loss"): ("a2d6ef8bd29c3e26", "relied on: the loss that the pinned arguments describe"),
    (GRPOTrainer, "_log_metric"): (
        "bcd19b9ca1016e3a",
        "called: `format_rate` and `accuracy` must come out averaged over a logging step, under these names",
    ),
    (GRPOTrainer, "_save_checkpoint"): (
        "ec91bde123649111",
        "called on Ctrl-C: it must save model, optimiser and state",
    ),
    (SFTTrainer, "_save_checkpoint"): ("b6ee0a370c266b6f", "called on Ctrl-C: it must save model, optimiser and state"),
    (SFTTrainer, "compute_loss"): ("ca448211ff653fe6", "relied on: the token mean over the rows' own labels"),
}


def fingerprint(function: object) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the source."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]  # type: ignore[arg-type]


def test_another_source_has_another_fingerprint() -> None:
    assert fingerprint(GRPOTrainer._calculate_rewards) != fingerprint(GRPOTrainer._log_metric)
    assert len(fingerprint(GRPOTrainer._log_metric)) == 16


@pytest.mark.parametrize(("owner", "name"), PINNED, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_a_private_method_of_trl_is_as_it_was_read(owner: type, name: str) -> None:
    pinned, check = PINNED[owner, name]
    assert fingerprint(getattr(owner, name)) == pinned, (
        f"{owner.__name__}.{name} has another source in TRL {version('trl')}. Read it again ({check}), run "
        "tests/training, then write the new fingerprint here."
    )


def test_transformers_still_saves_a_checkpoint_of_a_model_and_a_trial() -> None:
    assert list(inspect.signature(Trainer._save_checkpoint).parameters) == ["self", "model", "trial"]
