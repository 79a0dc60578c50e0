"""Where a run may go on, where it must not, and how it is stopped."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from run_files import checkpoints, differences, killed_at

from bythebook.errors import InputError, Interrupted
from bythebook.recipe import Recipe, load_recipe
from bythebook.records import digest_of
from bythebook.training import checkpoints as checkpoints_module
from bythebook.training import run as run_module
from bythebook.training import train
from bythebook.training.resume import claim, refuse_unfinished
from bythebook.training.stopping import StopRequest

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
