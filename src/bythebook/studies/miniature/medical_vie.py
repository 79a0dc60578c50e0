"""Efficient Medical VIE in miniature and in text: forms read into JSON, by RL on 100 of them.

All arms but the first begin with a model that has learnt to read forms from clerks of differing care, and see the same
100 forms six times, or 25 times. Fine-tuning sees their gold; RL is told how much of an answer is right. Under the
paper's strategy A a form is asked for some of the keys that it states, so that no key is ever asked for in vain; under
our variant for some of all keys.
"""

from __future__ import annotations

import json

from bythebook.studies.miniature.arms import START, Arm, Claim, Miniature, QuantityName, Questions

__all__ = ["MEDICAL_VIE"]

_STEPS, _LONG = 60, 250
_BLURRED = 0.15
_START = "medical_vie_start_tiny"
_COLUMNS: tuple[tuple[str, QuantityName], ...] = (
    ("F1", "f1"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("TED", "ted"),
    ("tokens", "length"),
)
_SFT = (
    "data.target=careful",
    "data.options.train=100",
    "training.batch_size=10",
    "training.micro_batch_size=10",
    "training.lr_scheduler=linear",
    "training.min_lr_rate=0",
    "training.warmup_steps=4",
)
"""As RL: ten forms a step, and its schedule."""


def _tuned(name: str, label: str, rate: str, steps: int = _STEPS) -> Arm:
    settings = (*_SFT, f"training.learning_rate={rate}")
    return Arm(name, label, _START, settings, begins_with=START.name, steps=steps)


def _paid(name: str, label: str, alpha: float = 0.5, *overrides: str, steps: int = _STEPS) -> Arm:
    options = json.dumps({"faithful": True, "alpha": alpha})
    settings = (f"reward.options={options}", *overrides)
    return Arm(name, label, "medical_vie_tiny", settings, begins_with=START.name, steps=steps)


MEDICAL_VIE = Miniature(
    system="medical_vie",
    title="Efficient Medical VIE: forms read into JSON, RL on 100 of them",
    paper="arXiv 2506.13363",
    arms=(
        Arm(START.name, "start", _START, steps=300, data_seed=4000),
        _tuned("sft", "SFT-100", "4.0e-4"),
        _tuned("sft_slow", "SFT-100, a quarter of the rate", "1.0e-4"),
        _paid("balanced", "RL-100, α = 0.5"),
        _paid("recall", "RL-100, α = 0 (recall)", 0.0),
        _paid("precision", "RL-100, α = 1 (precision)", 1.0),
        _paid("subset", "RL-100, α = 0.5, strategy A", 0.5, "data.options.keys=subset"),
        _paid("declared", "RL-100, α = 0.5, some of all keys", 0.5, "data.options.keys=declared"),
        _tuned("sft_long", "SFT-100, 25 rounds", "4.0e-4", _LONG),
        _paid("balanced_long", "RL-100, α = 0.5, 25 rounds", steps=_LONG),
    ),
    claims=(
        Claim("RL-100 raises F1", "balanced", (START.name,), "f1", "id"),
        Claim("RL-100 beats SFT-100 on F1", "balanced", ("sft", "sft_slow"), "f1", "id"),
        Claim("F1 is higher at α = 0.5 than at 0 and at 1", "balanced", ("recall", "precision"), "f1", "id"),
        Claim("Paid for recall alone, answers are longer than at α = 0.5", "recall", ("balanced",), "length", "id"),
        Claim("Paid for precision alone, they are shorter", "balanced", ("precision",), "length", "id"),
        Claim("Strategy A is better than asking for all keys", "subset", ("balanced",), "f1", "id"),
        Claim("Asking for some of all keys is better than strategy A", "declared", ("subset",), "f1", "id"),
        Claim("RL-100 raises F1 under schemas never asked for", "balanced", (START.name,), "f1"),
        Claim("RL-100 beats SFT-100 there", "balanced", ("sft", "sft_slow"), "f1"),
        Claim("In 25 rounds RL-100 raises F1", "balanced_long", (START.name,), "f1", "id"),
        Claim("In 25 rounds it does so under schemas never asked for", "balanced_long", (START.name,), "f1"),
        Claim("In 25 rounds RL-100 beats SFT-100 on F1", "balanced_long", ("sft_long", "sft"), "f1", "id"),
    ),
    questions=Questions(
        task="world_forms",
        options={"plain": True, "blurred": _BLURRED},
        splits={"id": "kinds of form of training", "ood": "schemas never asked for"},
        max_new_tokens=48,
        samples=0,
    ),
    columns=tuple(
        (f"{split.upper()} {head}", split, quantity) for split in ("id", "ood") for head, quantity in _COLUMNS
    ),
    said="All figures are of greedy answers; F1, precision and recall of the pairs of all documents together, TED is "
    "tree-edit accuracy, tokens the length of an answer.",
)
