"""Joint extraction is trained like anything else: by MimicSFT's targets, and by RL with R²GRPO's reward."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bythebook.errors import RecipeError
from bythebook.generation import settings_of
from bythebook.recipe import Recipe
from bythebook.records import read_jsonl, read_records
from bythebook.training import train

JOINT = ("data.task=world_joint", "data.options={seed: 3, train: 16, id: 4, ood: 4}")


def test_rl_judges_extractions_and_keeps_their_counts(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_rl(
        *JOINT, "reward.name=r2grpo", "reward.options={}", "evaluation.every=1", "evaluation.splits=[ood]"
    )
    train(recipe, output=tmp_path / "run", quiet=True)
    records = read_records(tmp_path / "run" / "records" / "rollouts.jsonl")
    assert len(records) == 16
    for record in records:
        assert record.gold is not None
        assert set(json.loads(record.gold)) == {"ner", "rel"}
        assert record.counts is not None
        assert set(record.counts) == {"ner", "rel", "rel_plus"}
        assert record.counts["ner"][0] + record.counts["ner"][2] == len(json.loads(record.gold)["ner"])
    lines = [row for _, row in read_jsonl(tmp_path / "run" / "metrics.jsonl")]
    assert any("f1" in row for row in lines)
    assert any({"ood_accuracy", "ood_f1"} <= set(row.get("eval", {})) for row in lines)


def test_mimic_sft_imitates_the_plan_and_the_model_remembers_its_tags(
    short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_sft(*JOINT, "data.target=mimic", "prompt.tags=plan")
    model = train(recipe, output=tmp_path / "run", quiet=True)
    assert settings_of(model).tags == "plan"


def test_tags_belong_to_the_prompt(short_rl: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_rl(*JOINT, "reward.name=r2grpo", "reward.options={tags: plan}")
    with pytest.raises(RecipeError, match=r"prompt\.tags"):
        train(recipe, output=tmp_path / "run", quiet=True)
