"""Stages come one after the other, each epoch by epoch, and a run through both learns from both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import SequentialSampler

from bythebook.errors import RecipeError
from bythebook.generation import settings_of
from bythebook.recipe import Recipe, load_recipe
from bythebook.training import run as run_module
from bythebook.training import train

SMALL = (
    "data.options={seed: 1, train: 6}",
    "data.also.0.steps=3",
    "training.max_steps=5",
    "training.batch_size=4",
    "training.micro_batch_size=2",
    "evaluation.every=0",
    "model.scratch.hidden_size=16",
    "model.scratch.layers=1",
    "model.scratch.heads=1",
    "model.scratch.head_size=16",
    "model.scratch.mlp_size=16",
    "model.scratch.vocabulary=400",
)


def _small(*settings: str) -> Recipe:
    return load_recipe("mimic_sft_tiny", [*SMALL, *settings])


def test_rows_come_stage_by_stage_and_every_epoch_has_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    build = run_module.make_sft_trainer

    def keep(*arguments: Any, **options: Any) -> Any:
        made.append(build(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(run_module, "make_sft_trainer", keep)
    model = train(_small(), output=tmp_path / "run", quiet=True)
    assert settings_of(model).tags == "plan"
    trainer = made[0]
    assert trainer.state.global_step == 5
    rows = [tuple(row) for row in trainer.train_dataset["input_ids"]]
    assert len(rows) == 5 * 4
    goals = [trainer.processing_class.decode(row) for row in rows]
    asked = ["ner, rel" in text.partition("Asked: ")[2].partition("<|im_end|>")[0] for text in goals]
    assert asked == [False] * 12 + [True] * 8
    assert len(set(rows[12:18])) == 6  # an epoch of the second stage, then the next one begins
    assert set(rows[18:]) < set(rows[12:18])
    assert isinstance(trainer._get_train_sampler(), SequentialSampler)


@pytest.mark.parametrize("setting", ["training.group_by_length=true", "prompt.shuffle_relations=true"])
def test_what_mixes_or_varies_batches_does_not_go_with_stages(setting: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"data\.also|stages"):
        train(_small(setting), output=tmp_path / "run", quiet=True)
