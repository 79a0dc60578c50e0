"""How much of everything: every number of the study that may be changed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["QUICK", "SCRATCH", "StudySize"]

SCRATCH = "scratch"
"""In place of a start model: one is made from scratch for each seed, by imitating the world's annotators."""


@dataclass(frozen=True)
class StudySize:
    """Sizes of training and tests; steps, sentences and samples are those of one seed."""

    model: str = SCRATCH
    """Where every arm starts: a folder, a name, or `scratch`."""
    start_steps: int = 600
    """SFT from scratch, where there is no start model."""
    start_train: int = 7680
    train: int = 256
    """Sentences that all arms are trained on."""
    sft_steps: int = 80
    mimic_steps: int = 60
    """Of MimicSFT's sub-tasks, before its `sft_steps`."""
    rl_steps: int = 20
    prompts_per_step: int = 8
    num_generations: int = 8
    rft_samples: int = 8
    """Completions of each training sentence from which rejection sampling keeps the right ones."""
    rft_keep: int = 2
    """Different ones of a sentence that are kept at most."""
    in_domain: int = 96
    out_of_domain: int = 192
    drawn: int = 24
    """Sentences of each test, the first ones, that are answered `samples` times."""
    samples: int = 64
    """N of Best F1@K and Avg@K, of the arms that are compared."""
    few: int = 8
    """The same of the ablations, and at the other temperatures."""
    temperatures: tuple[float, ...] = (0.3, 0.6, 1.4)
    """Beside 1, at which everything else is sampled."""
    max_new_tokens: int = 512
    """More than plan and answer take in a vocabulary that spells the words of the plan."""


QUICK = StudySize(
    start_steps=2,
    start_train=32,
    train=16,
    sft_steps=2,
    mimic_steps=1,
    rl_steps=2,
    prompts_per_step=2,
    num_generations=2,
    rft_samples=2,
    in_domain=4,
    out_of_domain=4,
    drawn=2,
    samples=4,
    few=2,
    temperatures=(0.6,),
    max_new_tokens=24,
)
"""Whether it runs at all; no figure of it means anything."""
