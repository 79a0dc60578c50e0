"""Descriptions are paid in the real trainer: by the rule, by a judge that the recipe names, and by a corrupted one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_runs import small

from bythebook.judging.perceived_recipe import perceived_reward
from bythebook.records import Record, read_records
from bythebook.rewards import reward
from bythebook.schema import gold_of
from bythebook.tasks import task_named
from bythebook.training import train

pytestmark = pytest.mark.slow


def rollouts(folder: Path, fixtures: Path, name: str, options: dict[str, Any]) -> tuple[list[Record], dict[str, str]]:
    """The rollouts of a short run paid so, and the golds by example."""
    settings = (f"reward.name={name}", f"reward.options={json.dumps(options)}")
    recipe = small("perception_r1_tiny", folder, fixtures, *settings)
    train(recipe, output=folder / name, quiet=True)
    found = read_records(folder / name / "records" / "rollouts.jsonl")
    examples = task_named("world_scenes").read(None, **recipe.data.options)["train"]
    return found, {e.id: gold.to_json() for e in examples if (gold := gold_of(e)) is not None}


def test_every_rollout_is_paid_what_its_reward_says(tmp_path: Path, fixtures: Path) -> None:
    for name, options in (
        ("perception_r1", {"window": 8}),
        ("perceived", {"judge": "rule", "window": 8, "contradiction": 0.0}),
    ):
        found, golds = rollouts(tmp_path, fixtures, name, options)
        judge = reward(name, **options) if name == "perception_r1" else perceived_reward(options)
        texts, own = [r.completion or "" for r in found], [golds[r.id] for r in found]
        reasons = [r.finish_reason for r in found]
        wanted = judge([""] * len(found), texts, own, reasons)  # type: ignore[arg-type]
        assert [r.value for r in found] == pytest.approx(wanted)
        assert len(found) >= 36
        assert len({r.value for r in found}) > 2
