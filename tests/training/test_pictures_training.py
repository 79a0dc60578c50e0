"""A tiny model that sees goes through the real trainers, on real pictures, with the rewards of both systems."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from run_files import checkpoints, differences
from safetensors.torch import load_file

from bythebook import cli
from bythebook.errors import InputError
from bythebook.evaluation import evaluate
from bythebook.generation import SeeingModel, load_model
from bythebook.prompts import PromptStyle
from bythebook.recipe import Recipe, load_recipe, recipe_names
from bythebook.records import read_jsonl, read_records
from bythebook.tasks import task_named
from bythebook.training import train
from bythebook.training.seen_rows import seen_rows
from small_seeing import small_seeing

pytest.importorskip("PIL")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SYSTEMS = ("perception_r1", "medical_vie")
STEPS = 3
_SAME = ("training.threads=1", "evaluation.every=0", "training.warmup_steps=1")
_SMALL = ("model.scratch.hidden_size=48", "model.scratch.vision.hidden_size=32", "model.scratch.vision.layers=1")
_DATA = {
    "perception_r1": ("data.options.seed=5000", "data.options.train=48", "data.options.kinds=[colour, size]"),
    "medical_vie": (
        "data.options.seed=5000",
        "data.options.train=2",
        "data.options.draws=1",
        "data.options.rows=0",
    ),
}
_START = {
    "perception_r1": (
        "model.scratch.vision.patch=32",
        "training.max_steps=60",
        "training.batch_size=12",
        "training.micro_batch_size=12",
    ),
    "medical_vie": (
        "model.scratch.vision.side=64",
        "model.scratch.vision.patch=32",
        "training.max_steps=90",
        "training.batch_size=2",
        "training.micro_batch_size=2",
        "training.learning_rate=5e-3",
    ),
}
"""As few steps as make rollouts that differ in reward; pages are learnt by heart."""
_RL = (
    f"training.max_steps={STEPS}",
    "training.save_steps=1",
    "rollout.prompts_per_step=2",
    "rollout.num_generations=4",
    "rollout.max_completion_length=64",
    "training.batch_size=8",
    "training.micro_batch_size=4",
    "training.learning_rate=1e-3",
)


def recipe_of(system: str, start: Path, *more: str) -> Recipe:
    """The recipe in three small steps from a model."""
    path = f"model.path={json.dumps(str(start))}"
    return load_recipe(f"{system}_images_tiny", [*_SAME, *_DATA[system], *_RL, path, *more])


@pytest.fixture(scope="session", params=SYSTEMS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """(system, model of the warm start, run directory)."""
    system, place = request.param, tmp_path_factory.mktemp(request.param)
    warm = load_recipe(f"{system}_images_start_tiny", [*_SAME, *_SMALL, *_DATA[system], *_START[system]])
    start = train(warm, output=place / "start", quiet=True)
    train(recipe_of(system, start), output=place / "run", quiet=True)
    return system, start, place / "run"


def test_every_miniature_on_pictures_is_here() -> None:
    named = {f"{system}_images_{kind}" for system in SYSTEMS for kind in ("tiny", "start_tiny")}
    assert named == {name for name in recipe_names() if "_images_" in name}


def test_the_start_learns_to_write_about_pictures(finished: tuple[str, Path, Path]) -> None:
    _, start, _ = finished
    losses = [row["loss"] for _, row in read_jsonl(start.parent / "metrics.jsonl") if "loss" in row]
    assert losses[-1] < losses[0] / 2


def test_rl_trains_on_pictures(finished: tuple[str, Path, Path]) -> None:
    system, start, run = finished
    rows = [row for _, row in read_jsonl(run / "metrics.jsonl")]
    assert len(rows) == STEPS
    assert all(math.isfinite(row["loss"]) for row in rows)
    assert any(row["grad_norm"] > 0 for row in rows)
    records = read_records(run / "records" / "rollouts.jsonl")
    assert len(records) == STEPS * 8
    assert any(record.advantage for record in records)
    assert any(record.value for record in records)
    before, after = (load_file(folder / "model.safetensors") for folder in (start, run / "model"))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    for part in ("language_model", "multi_modal_projector", "vision_tower"):
        assert any(part in name for name in moved), part
    assert {record.domain for record in records} <= {"colour", "size", "pharmacy slip", "delivery note"}
    assert load_recipe(run / "recipe.yaml").reward.name == system  # type: ignore[union-attr]


def test_records_hold_no_picture(finished: tuple[str, Path, Path]) -> None:
    text = (finished[2] / "records" / "rollouts.jsonl").read_text(encoding="utf-8")
    assert "_picture" not in text
    assert "PNG" not in text
    assert len(text) < 40_000


def test_a_killed_run_goes_on_bit_for_bit(
    finished: tuple[str, Path, Path], tmp_path: Path, run: Callable[..., None]
) -> None:
    system, start, whole = finished
    recipe = recipe_of(system, start)
    run(recipe, tmp_path / "cut", at=("on_step_begin", 2))
    assert checkpoints(tmp_path / "cut")[-1] == 2
    run(recipe, tmp_path / "cut", resume=True)
    assert differences(whole, tmp_path / "cut") == []


def test_the_model_is_evaluated_from_the_command_line(
    finished: tuple[str, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    system, _, run = finished
    task = {"perception_r1": "world_scenes", "medical_vie": "world_forms"}[system]
    arguments = ["evaluate", "--model", run / "model", "--task", task, "--images", "--limit", 2, "--samples", 1]
    monkeypatch.setattr(sys, "argv", ["bythebook", *map(str, [*arguments, "--output", tmp_path / "out", "--json"])])
    assert cli.main() == 0
    found = json.loads(capsys.readouterr().out)
    assert {f"{task}/id", f"{task}/ood", "id", "ood"} == set(found)
    assert all(scores["n"] == 2 and scores["unscored"] == 0 for scores in found.values())
    records = read_records(tmp_path / "out" / f"{task}.id.jsonl")
    assert [record.finish_reason in ("stop", "length") for record in records] == [True] * 4
    assert "_picture" not in records[0].tags
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))["data"]["images"] == "True"
    with pytest.raises(InputError, match="'embedded' reads text alone"):
        evaluate("embedded", task, images=True, limit=1, samples=0)


def test_the_trainer_looks_at_pictures_between_steps(finished: tuple[str, Path, Path], tmp_path: Path) -> None:
    system, start, _ = finished
    more = ("training.max_steps=1", "evaluation.every=1", "evaluation.limit=2", "evaluation.max_new_tokens=4")
    train(recipe_of(system, start, *more, "data.options.id=2", "data.options.ood=2"), output=tmp_path, quiet=True)
    watched = [row["eval"] for _, row in read_jsonl(tmp_path / "metrics.jsonl") if "eval" in row]
    assert len(watched) == 2
    assert all(0.0 <= row["id_accuracy"] <= 1.0 for row in watched)


def test_an_adapter_on_a_model_that_sees_is_saved_merged(finished: tuple[str, Path, Path], tmp_path: Path) -> None:
    system, start, _ = finished
    lora = "model.lora={r: 2, alpha: 4, dropout: 0.0, target_modules: [q_proj, v_proj]}"
    folder = train(recipe_of(system, start, lora, "training.max_steps=1"), output=tmp_path, quiet=True)
    assert isinstance(load_model(folder), SeeingModel)
    assert isinstance(load_model(folder / "adapter"), SeeingModel)


def test_several_updates_a_rollout_keep_pictures_beside_their_prompts(
    finished: tuple[str, Path, Path], tmp_path: Path
) -> None:
    """The second update has the ratio of what was drawn to what is now: it is 1 before the first one changes weights,
    so with a learning rate of 0 it stays 1, unless rollouts and pictures were mixed up."""
    system, start, _ = finished
    still = ("training.learning_rate=0", "objective.num_iterations=2", "training.max_steps=4", "objective.beta=0")
    train(recipe_of(system, start, *still), output=tmp_path, quiet=True)
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert all(row["clip_ratio"] == 0.0 for row in rows)
    ratios = [row["importance_ratio"] for row in rows if "importance_ratio" in row]
    assert ratios == pytest.approx([1.0] * len(ratios), abs=1e-5)


def test_shared_prefixes_are_off_with_one_message(finished: tuple[str, Path, Path], tmp_path: Path) -> None:
    system, start, _ = finished
    asked = recipe_of(system, start, "rollout.share_prefix=true", "training.max_steps=1")
    with pytest.warns(UserWarning, match="prefixes are not shared, because") as found:
        train(asked, output=tmp_path, quiet=True)
    assert len(found) == 1


def test_rows_of_fine_tuning_predict_their_targets_alone() -> None:
    _, processor = small_seeing()
    task = task_named("world_scenes")
    examples = task.read(None, train=3, images=True)["train"]
    rows, collate = seen_rows(
        examples, processor, PromptStyle(template="short"), task.targets["careful"], 0, prefilled=False
    )
    batch = collate(list(rows))
    place = processor.tokenizer.convert_tokens_to_ids("<image>")
    assert batch["pixel_values"].shape == (3, 3, 32, 32)
    assert len({picture.numpy().tobytes() for picture in batch["pixel_values"]}) == 3
    for row, ids, mask, labels in zip(rows, batch["input_ids"], batch["attention_mask"], batch["labels"], strict=True):
        learnt = labels != -100
        assert ids[learnt].tolist() == labels[learnt].tolist() == row["labels"]
        assert (ids == place).sum() == 4
        assert not mask[~learnt][-1] or learnt[-1]
        assert processor.tokenizer.decode(ids[learnt]).endswith("</answer><|im_end|>")
