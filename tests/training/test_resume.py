from __future__ import annotations

import inspect
import json
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_files import checkpoints, differences
from torch.utils.data import RandomSampler
from transformers import Trainer
from tripwire import Killed, Tripwire

from bythebook.errors import InputError, Interrupted
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import digest_of, read_jsonl
from bythebook.training import checkpoints as checkpoints_module
from bythebook.training import grpo as grpo_module
from bythebook.training import run as run_module
from bythebook.training import train
from bythebook.training.checkpoints import EpochOrder, newest_checkpoint
from bythebook.training.resume import claim, refuse_unfinished
from bythebook.training.stopping import SafePoints, StopRequest


def killed_at(event: str, step: int, act: Callable[[], None] | None = None) -> type[SafePoints]:
    """Safe points under which the run is killed, or `act` is called, at an event of the step after `step`."""

    def hit(self: Any, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == step and not getattr(self, "hit", False):
            self.hit = True
            if act is None:
                raise Killed
            act()

    return type("_Killed", (SafePoints,), {event: hit})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Train; with `at`, until killed there."""

    def start(recipe: Recipe, output: Path, *, at: tuple[str, int] | None = None, resume: bool = False) -> None:
        if at is None:
            train(recipe, output=output, resume=resume, quiet=True)
            return
        with monkeypatch.context() as patch:
            patch.setattr(run_module, "SafePoints", killed_at(*at))
            with pytest.raises(Killed):
                train(recipe, output=output, resume=resume, quiet=True)

    return start


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

    def doubled(*args: Any) -> dict[str, Any]:
        found = made(*args)
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


FOUR_STEPS = (
    "data.options.train=24",
    "training.max_steps=4",
    "training.save_steps=1",
    "training.keep_checkpoints=1",
)
"""One epoch and a third of the next; a checkpoint after each step, of which the last one stays."""


@pytest.fixture
def sft(short_sft: Callable[..., Recipe]) -> Recipe:
    """The recipe of `whole`."""
    return short_sft(*FOUR_STEPS)


@pytest.fixture(scope="module")
def whole(short_sft: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of `sft`, uninterrupted."""
    output = tmp_path_factory.mktemp("whole")
    train(short_sft(*FOUR_STEPS), output=output, quiet=True)
    return output


@pytest.fixture(scope="module")
def operations(short_sft: Callable[..., Recipe], tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many file operations the run of `sft` does below its folder."""
    output = tmp_path_factory.mktemp("counted")
    with Tripwire(output) as wire:
        train(short_sft(*FOUR_STEPS), output=output, quiet=True)
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


# --------------------------------------------------------------------------------------------- where a run may go on


def test_resuming_where_there_is_nothing_starts(sft: Recipe, whole: Path, tmp_path: Path) -> None:
    assert train(sft, output=tmp_path / "new", quiet=True, resume=True) == tmp_path / "new" / "model"
    assert differences(whole, tmp_path / "new") == []


@pytest.mark.parametrize("kept", [True, False], ids=["with", "without"])
def test_a_finished_run_is_not_trained_again(
    kept: bool, sft: Recipe, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "finished"
    shutil.copytree(whole, output)
    if not kept:
        shutil.rmtree(output / "checkpoints")
    monkeypatch.setattr(run_module, "load_for_training", lambda *_: pytest.fail("trained again"))
    assert train(sft, output=output, quiet=True, resume=True) == output / "model"
    assert differences(whole, output) == []


def test_where_only_the_model_was_missing_it_is_made_from_the_last_checkpoint(
    sft: Recipe, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "almost"
    shutil.copytree(whole, output)
    shutil.rmtree(output / "model")
    monkeypatch.setattr(checkpoints_module.Resumable, "training_step", lambda *_: pytest.fail("trained again"))
    train(sft, output=output, quiet=True, resume=True)
    assert differences(whole, output) == []


def _copy(run: Path, to: Path, *, finished: bool) -> Path:
    shutil.copytree(run, to)
    if not finished:
        shutil.rmtree(to / "model")
    return to


def _changed(recipe: Recipe, *overrides: str) -> Recipe:
    found = [f"training.{k}={v}" for k, v in recipe.training.model_dump().items() if v is not None]
    data = [f"data.options.{k}={v}" for k, v in recipe.data.options.items()]
    return load_recipe("r1_re_tiny_sft", [*found, *data, "evaluation.every=0", *overrides])


@pytest.mark.parametrize("finished", [True, False], ids=["finished", "unfinished"])
def test_another_recipe_does_not_go_on_with_the_run(finished: bool, sft: Recipe, whole: Path, tmp_path: Path) -> None:
    output = _copy(whole, tmp_path / "run", finished=finished)
    other = _changed(sft, "seed=1", "training.learning_rate=0.5", "data.options.k=3")
    with pytest.raises(InputError, match=r"another seed \(0 → 1\), data.options.k \(4 → 3\), training.learning_rate"):
        train(other, output=output, quiet=True, resume=True)
    assert "seed: 0" in (output / "recipe.yaml").read_text()


def test_what_changes_no_result_may_change(sft: Recipe, whole: Path, tmp_path: Path) -> None:
    output = _copy(whole, tmp_path / "run", finished=False)
    other = _changed(sft, "name=mine", "training.save_steps=3", "training.keep_checkpoints=4", "evaluation.samples=1")
    train(other, output=output, quiet=True, resume=True)
    assert differences(whole, output) == []
    assert "name: mine" in (output / "recipe.yaml").read_text()


def test_a_run_gets_longer_where_its_learning_rates_allow(
    run: Callable[..., None], short_sft: Callable[..., Recipe], tmp_path: Path
) -> None:
    constant = "training.lr_scheduler=constant_with_warmup"
    short, long = (
        short_sft(f"training.max_steps={n}", "training.save_steps=2", "training.logging_steps=3", constant)
        for n in (4, 7)
    )
    run(long, tmp_path / "whole")
    run(short, tmp_path / "longer")
    run(long, tmp_path / "longer", resume=True)
    assert differences(tmp_path / "whole", tmp_path / "longer") == []
    with pytest.raises(InputError, match=r"another training.max_steps \(7 → 4\)"):
        run(short, tmp_path / "longer", resume=True)


@pytest.mark.parametrize(
    "setting", ["training.lr_scheduler=linear", "evaluation.choose_on=id"], ids=["schedule", "chosen model"]
)
def test_any_other_run_keeps_its_length(setting: str, short_sft: Callable[..., Recipe], tmp_path: Path) -> None:
    settings = ("evaluation.every=1", "evaluation.limit=4", setting)
    claim(short_sft("training.max_steps=4", *settings), tmp_path, resume=False)
    (tmp_path / "model").mkdir()
    with pytest.raises(InputError, match=r"another training\.max_steps \(4 → 9\).*model\.path"):
        claim(short_sft("training.max_steps=9", *settings), tmp_path, resume=True)
    assert (tmp_path / "model").exists()


def test_other_training_examples_do_not_go_on_with_the_run(
    sft: Recipe, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = _copy(whole, tmp_path / "run", finished=False)
    monkeypatch.setattr(run_module, "digest_of", lambda rows: digest_of(rows[1:]))
    with pytest.raises(InputError, match="the training examples are not those"):
        train(sft, output=output, quiet=True, resume=True)


def test_another_number_of_processes_does_not_go_on_with_the_run(
    sft: Recipe, run: Callable[..., None], tmp_path: Path
) -> None:
    run(sft, tmp_path, at=("on_step_begin", 1))
    (tmp_path / "checkpoints" / "checkpoint-1" / "window-1.json").write_text("{}")
    with pytest.raises(InputError, match="made by 2 processes, now there are 1"):
        run(sft, tmp_path, resume=True)


def test_a_model_path_may_be_written_in_another_way(
    short_sft: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bythebook.generation import embedded_path

    shutil.copytree(embedded_path(), tmp_path / "start")
    monkeypatch.chdir(tmp_path)
    train(short_sft("model.path=start"), output="run", quiet=True)
    monkeypatch.setattr(run_module, "load_for_training", lambda *_: pytest.fail("trained again"))
    train(short_sft(f"model.path={tmp_path / 'start'}"), output="run", quiet=True, resume=True)


def test_nothing_of_a_former_run_is_gone_on_with_by_accident(
    sft: Recipe, whole: Path, run: Callable[..., None], tmp_path: Path
) -> None:
    """A new start removes the old checkpoints: the next resumption must not find one of a later step."""
    output = _copy(whole, tmp_path / "run", finished=False)
    run(sft, output, at=("on_step_begin", 2))
    assert checkpoints(output) == [2]
    run(sft, output, resume=True)
    assert differences(whole, output) == []


def test_an_unfinished_run_is_refused_to_a_new_start_on_the_command_line(whole: Path, tmp_path: Path) -> None:
    output = _copy(whole, tmp_path / "run", finished=False)
    with pytest.raises(InputError, match=r"unfinished run here, with a checkpoint of step 4.*--resume"):
        refuse_unfinished(tmp_path / "none", output)
    refuse_unfinished(whole, tmp_path / "none")


# ---------------------------------------------------------------------------------------------------- being stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_stops_at_the_next_safe_point(
    number: signal.Signals,
    short_rl: Callable[..., Recipe],
    run: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    recipe = short_rl("training.max_steps=5", "training.save_steps=0", "objective.num_iterations=2")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(
            run_module, "SafePoints", killed_at("on_pre_optimizer_step", 2, lambda: signal.raise_signal(number))
        )
        with pytest.raises(Interrupted, match=r"stopped at step 4, with a checkpoint.*--resume"):
            train(recipe, output=tmp_path / "stopped", quiet=True)
    assert "stopping: the step is finished" in capfd.readouterr().err
    assert signal.getsignal(number) == before
    assert checkpoints(tmp_path / "stopped") == [4]
    run(recipe, tmp_path / "stopped", resume=True)
    run(recipe, tmp_path / "whole")
    assert differences(tmp_path / "whole", tmp_path / "stopped") == []


def test_a_second_signal_stops_at_once(
    sft: Recipe, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "SafePoints", killed_at("on_pre_optimizer_step", 2, twice))
        with pytest.raises(Interrupted, match=r"stopped at once.*--resume goes on from step 2"):
            train(sft, output=tmp_path, quiet=True)
    train(sft, output=tmp_path, quiet=True, resume=True)
    assert differences(whole, tmp_path) == []


def test_a_signal_in_the_last_step_keeps_the_model(
    sft: Recipe, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = killed_at("on_pre_optimizer_step", 3, lambda: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(run_module, "SafePoints", stop)
    with pytest.raises(Interrupted, match="after the last step"):
        train(sft, output=tmp_path, quiet=True)
    assert differences(whole, tmp_path) == []


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before, found = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with StopRequest() as stop:
            found.append((stop.asked, signal.getsignal(signal.SIGINT) == before))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [(False, True)]


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
