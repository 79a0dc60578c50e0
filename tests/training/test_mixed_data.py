"""Training on several tasks at once, and on micro-batches smaller than a group."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bythebook.recipe import Recipe
from bythebook.records import read_jsonl, read_records
from bythebook.training import train

FRESH = json.dumps([{"task": "world", "options": {"train": 32, "fresh_share": 1.0, "seed": 9}}])


def test_rollouts_are_of_both_tasks(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_rl(f"data.also={FRESH}", "training.max_steps=4")
    train(recipe, output=tmp_path / "run", quiet=True)
    domains = {r.domain for r in read_records(tmp_path / "run" / "records" / "rollouts.jsonl")}
    assert "fresh" in domains
    assert any(domain.startswith("trained-") for domain in domains)


def test_sft_learns_from_what_is_added(short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    losses = []
    for more in ((), (f"data.also={FRESH}",)):
        recipe = short_sft("data.options.train=8", "training.max_steps=1", *more)
        folder = train(recipe, output=tmp_path / str(len(more)), quiet=True)
        assert (folder / "config.json").is_file()
        losses += [row["loss"] for _, row in read_jsonl(folder.parent / "metrics.jsonl")]
    # A batch of eight holds all examples of the first run, and others in the second.
    assert losses[0] != losses[1]


def test_a_micro_batch_smaller_than_a_group_gives_the_same_steps(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    steps = {}
    for size in (8, 2):
        recipe = short_rl(f"training.micro_batch_size={size}", "training.learning_rate=1e-3", "training.max_steps=3")
        train(recipe, output=tmp_path / str(size), quiet=True)
        steps[size] = [row for _, row in read_jsonl(tmp_path / str(size) / "metrics.jsonl")]
    assert [row["reward"] for row in steps[8]] == [row["reward"] for row in steps[2]]
    assert any(row["grad_norm"] > 0 for row in steps[8])
    for whole, cut in zip(steps[8], steps[2], strict=True):
        assert cut["grad_norm"] == pytest.approx(whole["grad_norm"], rel=1e-3)
