from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_files import checkpoints, differences
from torch.utils.data import RandomSampler
from transformers import Trainer
from tripwire import Killed, Tripwire

from bythebook.recipe import Recipe
from bythebook.records import read_jsonl
from bythebook.training import grpo as grpo_module
from bythebook.training import train
from bythebook.training.checkpoints import EpochOrder, newest_checkpoint

# ------------------------------------------------------------------------------------------------- the same bits

OVERRIDDEN = {
    "_save_checkpoint": ["model", "trial"],
    "_get_output_dir": ["trial"],
    "_get_train_sampler": ["train_dataset"],
    "_load_from_checkpoint": ["resume_from_checkpoint", "model"],
    "_issue_warnings_after_load": ["load_result"],
}

RL = ("training.max_steps=5", "training.save_steps=1", "data.options.train=4", "training.micro_batch_size=4")
"""Two optimiser steps an epoch, two micro-batches a step."""


@pytest.mark.parametrize(
    ("overrides", "kills", "saved"),
    [
        (("evaluation.every=2", "evaluation.limit=2"), (2, 3), [[1, 2], [2, 3]]),
        (("objective.num_iterations=2", "training.logging_steps=3"), (3, 5), [[2], [2, 4]]),
    ],
    ids=["an epoch and a half", "two updates a rollout"],
)
def test_a_killed_rl_run_goes_on_to_the_same_bits(
    overrides: tuple[str, ...],
    kills: tuple[int, ...],
    saved: list[list[int]],
    run: Callable[..., None],
    short_rl: Callable[..., Recipe],
    tmp_path: Path,
) -> None:
    recipe = short_rl(*RL, "training.max_steps=6", *overrides)
    run(recipe, tmp_path / "whole")
    for step, expected in zip(kills, saved, strict=True):
        output = tmp_path / f"killed-{step}"
        run(recipe, output, at=("on_substep_end", step))
        assert checkpoints(output) == expected
        run(recipe, output, resume=True)
        assert differences(tmp_path / "whole", output) == []


def test_a_generation_that_serves_two_steps_is_not_cut(
    run: Callable[..., None], short_rl: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = grpo_module._rollout_arguments

    def doubled(*args: Any, **more: Any) -> dict[str, Any]:
        found = made(*args, **more)
        return found | {"steps_per_generation": 2 * found["gradient_accumulation_steps"]}

    monkeypatch.setattr(grpo_module, "_rollout_arguments", doubled)
    recipe = short_rl(*RL, "training.save_steps=3", "data.options.train=8")
    run(recipe, tmp_path / "whole")
    assert [row["step"] for _, row in read_jsonl(tmp_path / "whole/records/rollouts.jsonl")][::16] == [0, 2, 4]
    assert checkpoints(tmp_path / "whole") == [4]  # due at 3, safe at 4; the end, 5, is not safe
    run(recipe, tmp_path / "killed", at=("on_step_begin", 4))
    assert checkpoints(tmp_path / "killed") == [4]
    run(recipe, tmp_path / "killed", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "killed") == []


@pytest.mark.parametrize("grouped", [False, True], ids=["random order", "by length"])
def test_a_killed_sft_run_goes_on_to_the_same_bits(
    grouped: bool, run: Callable[..., None], short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_sft(
        "training.max_steps=6",
        "training.save_steps=1",
        "training.logging_steps=3",
        "training.micro_batch_size=4",
        "data.options.train=24",
        f"training.group_by_length={str(grouped).lower()}",
    )
    run(recipe, tmp_path / "whole")
    for step in (2, 4):
        output = tmp_path / f"killed-{step}"
        run(recipe, output, at=("on_substep_end", step))
        run(recipe, output, resume=True)
        assert differences(tmp_path / "whole", output) == [], step


def test_a_run_may_be_killed_again_and_again(
    run: Callable[..., None], short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe = short_sft("training.max_steps=6", "training.save_steps=2", "data.options.train=24")
    run(recipe, tmp_path / "whole")
    run(recipe, tmp_path / "killed", at=("on_step_begin", 1))
    for event, step in (("on_step_begin", 3), ("on_train_begin", 2)):
        run(recipe, tmp_path / "killed", at=(event, step), resume=True)
    run(recipe, tmp_path / "killed", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "killed") == []


# --------------------------------------------------------------------------------------- what is written, and when


@pytest.fixture(scope="module")
def operations(sft: Recipe, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many file operations the run of `sft` does below its folder."""
    output = tmp_path_factory.mktemp("counted")
    with Tripwire(output) as wire:
        train(sft, output=output, quiet=True)
    return wire.seen


@pytest.mark.parametrize("place", [0, 0.2, 0.4, 0.6, 0.8, -9, -5, -1])
def test_a_kill_at_any_file_operation_is_survived(
    place: float, sft: Recipe, whole: Path, operations: int, tmp_path: Path
) -> None:
    """At operations spread over all that a run does below its folder; at the end it writes the model."""
    output, at = tmp_path / "killed", 1 + int(place * operations) if place >= 0 else operations + int(place)
    with Tripwire(output, at) as wire, pytest.raises(Killed):
        train(sft, output=output, quiet=True)
    assert wire.struck
    before = checkpoints(output)
    assert len(before) <= 2  # the new one, and the old one if it was to be removed next
    assert all(newest_checkpoint(output / "checkpoints") for _ in before[:1])
    train(sft, output=output, quiet=True, resume=True)
    assert differences(whole, output) == []


def test_a_resumption_killed_at_a_file_operation_is_resumed(
    sft: Recipe, whole: Path, run: Callable[..., None], tmp_path: Path
) -> None:
    run(sft, tmp_path, at=("on_step_begin", 2))
    for at in (3, 9, 20):
        with Tripwire(tmp_path, at), pytest.raises(Killed):
            train(sft, output=tmp_path, quiet=True, resume=True)
    train(sft, output=tmp_path, quiet=True, resume=True)
    assert differences(whole, tmp_path) == []


@pytest.mark.parametrize(
    "marker",
    [None, "", "{", "[]", '{"step": 3}', '{"step": 8}'],
    ids="none empty torn list other-examples other".split(),
)
def test_a_folder_that_is_no_whole_checkpoint_is_passed_over(marker: str | None, tmp_path: Path) -> None:
    def folder(name: str, text: str | None) -> Path:
        (tmp_path / name).mkdir()
        if text is not None:
            (tmp_path / name / "run.json").write_text(text)
        return tmp_path / name

    older = folder("checkpoint-2", json.dumps({"step": 2, "examples": "d"}))
    newer = folder("checkpoint-10", marker)
    folder("checkpoint-new", json.dumps({"step": 11, "examples": "d"}))
    assert newest_checkpoint(tmp_path) == (older, "d")
    (newer / "run.json").write_text(json.dumps({"step": 10, "examples": "d"}))
    assert newest_checkpoint(tmp_path) == (newer, "d")
    assert newest_checkpoint(tmp_path / "nowhere") is None


def test_so_many_checkpoints_stay_as_the_recipe_says(short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    recipe = short_sft("training.max_steps=5", "training.save_steps=2", "training.keep_checkpoints=2")
    train(recipe, output=tmp_path, quiet=True)
    assert checkpoints(tmp_path) == [4, 5]


# ------------------------------------------------------------------------------------------------------------ pieces


def test_the_order_of_an_epoch_does_not_depend_on_the_epochs_before_it() -> None:
    def orders(*epochs: int) -> list[list[int]]:
        order = EpochOrder(RandomSampler(range(20)), seed=3)
        assert len(order) == 20
        return [list(order) for epoch in epochs for _ in [order.set_epoch(epoch)]]

    first, second, third = orders(0, 1, 2)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second != third
    assert orders(2, 1, 1) == [third, second, second]


def test_transformers_is_as_it_was_read() -> None:
    """What is overridden or called has the arguments, and the loop the names, that resumption rests on."""
    arguments = {name: list(inspect.signature(getattr(Trainer, name)).parameters)[1:] for name in OVERRIDDEN}
    assert arguments == OVERRIDDEN
    loop = inspect.getsource(Trainer._inner_training_loop)
    begin = loop.index("callback_handler.on_train_begin")
    assert loop.index("self._tr_loss = ") < begin  # set before `open_window` puts the kept one back
    assert loop.index("self._globalstep_last_logged = ") < begin
    step = inspect.getsource(Trainer._run_epoch)
    assert step.index("callback_handler.on_step_end") < step.index("self._maybe_log_save_evaluate(")
    save = inspect.getsource(Trainer._maybe_log_save_evaluate)
    assert save.index("self.log(") < save.index("self._save_checkpoint(")
