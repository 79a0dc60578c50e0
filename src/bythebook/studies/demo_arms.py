"""The arms of the demo: each trains from the embedded model, then is evaluated by the same records as the others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bythebook.evaluation import evaluate_examples
from bythebook.generation import EMBEDDED, Model, Sampling, load_model
from bythebook.recipe import load_recipe
from bythebook.records import Record, write_jsonl
from bythebook.tasks import world
from bythebook.tasks.world.edits import EDITS, edited
from bythebook.training import train
from bythebook.types import Example, Guideline

__all__ = ["ARMS", "Arm", "DemoSize", "is_done", "run_arm", "test_sets"]

_MAX_NEW_TOKENS = 32
_BATCH = 256


@dataclass(frozen=True)
class Arm:
    """One line of the comparison."""

    name: str
    label: str
    kind: str
    recipe: str | None = None
    overrides: tuple[str, ...] = ()
    obedience: bool = False
    """Whether it is also tested under edited and wrong guidelines."""


ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("rl", "R1-RE RL", "rl", "r1_re_tiny", obedience=True),
        Arm("start", "embedded model, before", "start", obedience=True),
        Arm("sft_answers", "SFT on answers only", "sft", "r1_re_tiny_sft", obedience=True),
        Arm("rl_random", "RL, random reward", "control", "r1_re_tiny", ("reward.name=random",)),
        Arm("rl_format", "RL, format-only reward", "control", "r1_re_tiny", ("reward.name=format_only",)),
        Arm(
            "sft_careful",
            "SFT on careful reasoning",
            "ceiling",
            "r1_re_tiny_sft",
            ("data.target=careful", "training.learning_rate=1e-4"),
        ),
    )
}
"""In the order in which they start: the longest first."""


@dataclass(frozen=True)
class DemoSize:
    """How much of everything; the defaults take less than eight minutes on two idle cores."""

    rl_steps: int = 36
    control_steps: int = 18
    sft_steps: int = 80
    in_domain: int = 128
    out_of_domain: int = 256
    edits: int = 256
    """Out-of-domain sentences tried under each edit."""
    samples: int = 4
    k: int = 4
    model: str = EMBEDDED


def test_sets(size: DemoSize, seed: int) -> dict[str, list[Example]]:
    """The test sentences of a seed, the same for all arms."""
    return world.load(seed=seed, k=size.k, id=size.in_domain, ood=size.out_of_domain)


def is_done(run: Path, arm: str) -> bool:
    """Whether the arm has been trained and evaluated in this run directory."""
    return (run / "records" / f"{arm}.ood.jsonl").exists()


def run_arm(name: str, run: str, seed: int, size: DemoSize) -> str:
    """Train and evaluate one arm into `run`; returns its name. Runs in a process of its own."""
    arm, folder = ARMS[name], Path(run)
    model_path = size.model if arm.recipe is None else str(_train(arm, folder, seed, size))
    model = load_model(model_path)
    sets = test_sets(size, seed)
    ordinary = {split: _ask(model, examples, size.samples, seed) for split, examples in sets.items()}
    if arm.obedience:
        for edit, records in _obedience(model, sets["ood"][: size.edits], ordinary["ood"]).items():
            write_jsonl(folder / "records" / f"{name}.{edit}.jsonl", records)
    # The out-of-domain file comes last: it marks the arm as done.
    for split in ("id", "ood"):
        write_jsonl(folder / "records" / f"{name}.{split}.jsonl", ordinary[split])
    return name


def _train(arm: Arm, run: Path, seed: int, size: DemoSize) -> Path:
    output = run / "arms" / arm.name
    if (output / "model" / "config.json").exists():
        return output / "model"
    steps = {"rl": size.rl_steps, "control": size.control_steps}.get(arm.kind, size.sft_steps)
    settings = [
        f"model.path={size.model}",
        f"seed={seed}",
        f"data.options.seed={seed}",
        f"data.options.k={size.k}",
        f"training.max_steps={steps}",
        *arm.overrides,
    ]
    if arm.name == "rl_random":
        settings.append(f"reward.options.seed={seed}")
    return train(load_recipe(str(arm.recipe), settings), output=output, quiet=True)


def _ask(
    model: Model,
    examples: Sequence[Example],
    samples: int,
    seed: int,
    shown: dict[str, Guideline] | None = None,
) -> list[Record]:
    sampling = Sampling(
        temperature=1.0, max_new_tokens=_MAX_NEW_TOKENS, n=max(1, samples), seed=seed, batch_size=_BATCH
    )
    return evaluate_examples(
        model,
        examples,
        style=model.settings.style,
        sampling=sampling,
        greedy=True,
        samples=samples,
        guideline_of=(lambda e: shown[e.id]) if shown else None,
    )


def _obedience(model: Model, examples: Sequence[Example], ordinary: Sequence[Record]) -> dict[str, list[Record]]:
    """Greedy answers under edited guidelines, with the gold of the edit; and under another sentence's guideline, with
    the gold of the sentence's own."""
    right = {r.id: r.correct for r in ordinary if r.sample == -1}
    out: dict[str, list[Record]] = {}
    for edit in EDITS:
        rng = random.Random(f"bythebook demo/{edit}")
        changed = [c for c in (edited(e, edit, rng) for e in examples) if c is not None]
        out[edit] = _tagged(_ask(model, changed, 0, 0), changed, right)
    others = _other_guidelines(examples)
    out["wrong_guideline"] = _tagged(_ask(model, examples, 0, 0, others), examples, right)
    return out


def _other_guidelines(examples: Sequence[Example]) -> dict[str, Guideline]:
    """For each example the guideline of one half the list away: never its own."""
    half = len(examples) // 2
    return {e.id: examples[(i + half) % len(examples)].guideline for i, e in enumerate(examples)}


def _tagged(records: Sequence[Record], examples: Sequence[Example], right: dict[str, bool | None]) -> list[Record]:
    before = {e.id: e.meta.get("gold_before", e.gold.text if e.gold else "") for e in examples}
    return [
        r.model_copy(
            update={"tags": {**r.tags, "gold_before": before[r.id], "correct_before": str(bool(right[r.id])).lower()}}
        )
        for r in records
    ]
