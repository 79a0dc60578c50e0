"""The arms of the experiments: each trains from the embedded model, then is asked the same sentences as the others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bythebook.evaluation import evaluate_examples
from bythebook.generation import EMBEDDED, Model, Sampling, load_model
from bythebook.recipe import load_recipe
from bythebook.records import Record, write_jsonl
from bythebook.tasks import world
from bythebook.training import train
from bythebook.training.likelihood import likelihood_of
from bythebook.types import Example

__all__ = ["ARMS", "STUDIES", "Arm", "StudySize", "is_done", "run_arm", "sets_of"]

_MAX_NEW_TOKENS = 32
_BATCH = 256


@dataclass(frozen=True)
class Arm:
    """One line of a comparison. `recipe` None: the embedded model as it is."""

    name: str
    label: str
    recipe: str | None = None
    overrides: tuple[str, ...] = ()
    held_out: bool = False
    """Whether the held-out skills are tested, too."""


def _scaled(name: str, label: str, bad_format: float, wrong: float, right: float) -> Arm:
    values = {"bad_format": bad_format, "wrong": wrong, "right": right}
    return Arm(name, label, "r1_re_tiny", (f"reward.options={json.dumps(values)}",))


_FRESH = json.dumps([{"task": "world", "options": {"k": 4, "train": 216, "fresh_share": 1.0}}])
_FRESH_SEED = 4000
"""Seeds of the new guidelines in training count from here, apart from every seed used elsewhere."""

ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("start", "embedded model, before", held_out=True),
        Arm("rl", "RL: −3 / −0.5 / 3, six domains", "r1_re_tiny", held_out=True),
        _scaled("scale_ablation", "RL: −3 / −1 / 3", -3.0, -1.0, 3.0),
        _scaled("scale_binary", "RL: 0 / 0 / 1", 0.0, 0.0, 1.0),
        _scaled("scale_format", "RL: −3 / 2 / 3", -3.0, 2.0, 3.0),
        Arm("mix_one", "RL: one domain", "r1_re_tiny", ("data.options.domains=1",)),
        Arm("mix_two", "RL: two domains", "r1_re_tiny", ("data.options.domains=2",)),
        Arm(
            "mix_fresh",
            "RL: six domains and new guidelines, half and half",
            "r1_re_tiny",
            ("data.options.train=216", f"data.also={_FRESH}"),
        ),
        Arm("sft_answers", "SFT on answers only", "r1_re_tiny_sft", held_out=True),
        Arm(
            "sft_careful",
            "SFT on careful reasoning",
            "r1_re_tiny_sft",
            ("data.target=careful", "training.learning_rate=1e-4"),
            held_out=True,
        ),
    )
}
"""All of them on as many sentences; bad format / wrong / right is the reward's scale."""

STUDIES: dict[str, tuple[str, ...]] = {
    "reward_scale": ("start", "rl", "scale_ablation", "scale_binary", "scale_format"),
    "mixing": ("start", "mix_one", "mix_two", "rl", "mix_fresh"),
    "forgetting": ("start", "rl", "sft_answers", "sft_careful"),
    "traces": ("rl",),
}
"""Which arms a study compares; an arm of several studies is run once. `traces` are length and behaviours by step."""


@dataclass(frozen=True)
class StudySize:
    """How much of everything."""

    rl_steps: int = 36
    sft_steps: int = 80
    in_domain: int = 192
    out_of_domain: int = 256
    held_out: int = 256
    """Sentences of each held-out skill."""
    samples: int = 4
    model: str = EMBEDDED


def sets_of(size: StudySize, seed: int, *, held_out: bool) -> dict[str, list[Example]]:
    """The test sentences of a seed: `id` and `ood` with K = 4 as in training, and with `held_out` guidelines of sizes
    that no arm trains on, `k2` and `k8`, never seen either."""
    sets = world.load(seed=seed, k=4, id=size.in_domain, ood=size.out_of_domain)
    if held_out:
        sets |= {f"k{k}": world.load(seed=seed, k=k, ood=size.held_out)["ood"] for k in (2, 8)}
    return sets


def is_done(run: Path, arm: str) -> bool:
    """Whether the arm has been trained and asked everything in this folder."""
    return (run / "records" / f"{arm}.ood.jsonl").exists()


def run_arm(name: str, run: str, seed: int, size: StudySize) -> str:
    """Train one arm and write its records into `run`; what a former, interrupted attempt made is kept. Returns its
    name. Runs in a process of its own."""
    arm, folder = ARMS[name], Path(run)
    path = size.model if arm.recipe is None else str(_train(arm, folder, seed, size))
    model, sets = load_model(path), sets_of(size, seed, held_out=arm.held_out)
    if arm.held_out:
        careful = likelihood_of(path, sets["k8"], world.TASK.targets["careful"], seed=seed)
        write_jsonl(folder / "likelihood" / f"{name}.jsonl", [{"arm": name, "seed": seed, **careful._asdict()}])
    # The out-of-domain file comes last: it marks the arm as done.
    for split in sorted(sets, key=lambda split: split == "ood"):
        write_jsonl(folder / "records" / f"{name}.{split}.jsonl", _ask(model, sets[split], size.samples, seed))
    return name


def _train(arm: Arm, run: Path, seed: int, size: StudySize) -> Path:
    steps = size.sft_steps if arm.recipe == "r1_re_tiny_sft" else size.rl_steps
    settings = [
        f"model.path={size.model}",
        f"seed={seed}",
        f"data.options.seed={seed}",
        f"training.max_steps={steps}",
        *arm.overrides,
    ]
    if arm.name == "mix_fresh":
        settings.append(f"data.also.0.options.seed={_FRESH_SEED + seed}")
    return train(load_recipe(str(arm.recipe), settings), output=run / "arms" / arm.name, resume=True, quiet=True)


def _ask(model: Model, examples: Sequence[Example], samples: int, seed: int) -> list[Record]:
    sampling = Sampling(
        temperature=1.0, max_new_tokens=_MAX_NEW_TOKENS, n=max(1, samples), seed=seed, batch_size=_BATCH
    )
    return evaluate_examples(model, examples, style=model.settings.style, sampling=sampling, samples=samples)
