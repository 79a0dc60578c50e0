from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from transformers import TrainerControl, TrainerState, TrainingArguments

from bythebook.generation import embedded_path
from bythebook.prompts import PromptStyle
from bythebook.records import read_jsonl
from bythebook.tasks.world import examples
from bythebook.training.probe import make_probe
from bythebook.training.progress import METRICS, MetricsCallback, ProbeCallback

CONTROL = TrainerControl()


@pytest.fixture
def arguments(tmp_path: Path) -> TrainingArguments:
    return TrainingArguments(output_dir=str(tmp_path / "checkpoints"), report_to=[], use_cpu=True)


def _state(step: int, total: int = 20, zero: bool = True) -> TrainerState:
    return TrainerState(global_step=step, max_steps=total, is_world_process_zero=zero)


def _callback(path: Path) -> tuple[MetricsCallback, io.StringIO]:
    callback, said = MetricsCallback(path, "r1_re_tiny"), io.StringIO()
    callback._console = Console(file=said, width=200)
    return callback, said


def test_a_line_holds_our_names_and_nothing_else(tmp_path: Path, arguments: TrainingArguments) -> None:
    callback, _ = _callback(tmp_path / "metrics.jsonl")
    logs = dict.fromkeys(METRICS, 0.5) | {"completions/max_length": 9.0, "epoch": 0.1}
    callback.on_log(arguments, _state(7), CONTROL, logs=logs)
    assert [row for _, row in read_jsonl(callback.path)] == [{"step": 7, **dict.fromkeys(METRICS.values(), 0.5)}]


# TRL gives None for a mean over nothing.
LOGS = {"loss": float("nan"), "grad_norm": float("inf"), "reward": 1, "entropy": None}


def test_what_is_not_a_number_is_null(tmp_path: Path, arguments: TrainingArguments) -> None:
    callback, _ = _callback(tmp_path / "metrics.jsonl")
    callback.on_log(arguments, _state(1), CONTROL, logs=LOGS)
    null = {"loss": None, "grad_norm": None, "entropy": None}
    assert json.loads(callback.path.read_text()) == {"step": 1, "reward": 1.0, **null}


@pytest.mark.parametrize("logs", [None, {}, {"epoch": 1.0}, {"loss": 0.5, "train_runtime": 3.0}])
def test_logs_without_figures_of_a_step_are_left_out(
    logs: dict[str, float] | None, tmp_path: Path, arguments: TrainingArguments
) -> None:
    callback, _ = _callback(tmp_path / "metrics.jsonl")
    callback.on_log(arguments, _state(3), CONTROL, logs=logs)
    assert not callback.path.exists()


def test_only_the_first_process_writes(tmp_path: Path, arguments: TrainingArguments) -> None:
    callback, _ = _callback(tmp_path / "metrics.jsonl")
    callback.on_log(arguments, _state(1, zero=False), CONTROL, logs={"loss": 1.0})
    ProbeCallback(callback.path, 1, lambda: {"id_accuracy": 0.5}).on_step_end(arguments, _state(1, zero=False), CONTROL)
    assert not callback.path.exists()


@pytest.mark.parametrize(("step", "left"), [(0, False), (5, True)])
def test_lines_of_a_former_run_go_unless_it_goes_on(
    step: int, left: bool, tmp_path: Path, arguments: TrainingArguments
) -> None:
    callback, _ = _callback(tmp_path / "metrics.jsonl")
    callback.path.write_text('{"step": 1}\n')
    callback.on_train_begin(arguments, _state(step), CONTROL)
    assert callback.path.exists() == left


def test_away_from_a_terminal_every_tenth_part_is_said(tmp_path: Path, arguments: TrainingArguments) -> None:
    callback, said = _callback(tmp_path / "metrics.jsonl")
    callback.on_train_begin(arguments, _state(0), CONTROL)
    for step in range(1, 21):
        callback.on_log(arguments, _state(step), CONTROL, logs={"reward": 1.25, "frac_reward_zero_std": 0.5})
    callback.on_train_end(arguments, _state(20), CONTROL)
    lines = said.getvalue().splitlines()
    assert [line.split(":")[1].split()[1] for line in lines] == [f"{step}/20" for step in range(2, 21, 2)]
    assert lines[0] == "r1_re_tiny: step 2/20  reward 1.25  no signal 0.5"


def test_on_a_terminal_a_bar_shows_the_latest_figures(
    tmp_path: Path, arguments: TrainingArguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback, said = _callback(tmp_path / "metrics.jsonl")
    callback._console = Console(file=said, width=200, force_terminal=True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    callback.on_train_begin(arguments, _state(0), CONTROL)
    callback.on_log(arguments, _state(4), CONTROL, logs={"reward": 1.25, "completions/mean_length": 13.0})
    callback.on_train_end(arguments, _state(20), CONTROL)
    assert "4/20" in said.getvalue()
    assert "reward 1.25  length 13" in said.getvalue()
    callback.close()  # a second time, as after Ctrl-C


def test_a_quiet_run_says_nothing(tmp_path: Path, arguments: TrainingArguments, capsys: pytest.CaptureFixture) -> None:
    callback = MetricsCallback(tmp_path / "metrics.jsonl", "r1_re_tiny", quiet=True)
    callback.on_train_begin(arguments, _state(0), CONTROL)
    callback.on_log(arguments, _state(20), CONTROL, logs={"reward": 1.0})
    assert capsys.readouterr() == ("", "")
    assert callback.path.exists()


@pytest.mark.parametrize(("every", "steps"), [(2, [0, 2, 4, 5]), (5, [0, 5]), (9, [0, 5])])
def test_probes_come_before_the_first_step_then_at_intervals_and_at_the_end(
    every: int, steps: list[int], tmp_path: Path, arguments: TrainingArguments
) -> None:
    probe = ProbeCallback(tmp_path / "metrics.jsonl", every, lambda: {"ood_accuracy": None})
    for step in range(5):
        probe.on_step_begin(arguments, _state(step, 5), CONTROL)
        probe.on_step_end(arguments, _state(step + 1, 5), CONTROL)
    rows = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert rows == [{"step": step, "eval": {"ood_accuracy": None}} for step in steps]


def test_a_probe_gives_accuracies_and_none_where_nothing_is_labelled() -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(embedded_path())
    tokenizer = AutoTokenizer.from_pretrained(embedded_path())
    sentences = examples("id", 6, seed=0)
    unlabelled = [e.model_copy(update={"gold": None}) for e in sentences[:3]]
    splits = {"id": sentences, "mixed": [*unlabelled, *sentences[3:]], "raw": unlabelled, "empty": []}
    found = make_probe(model, tokenizer, splits, PromptStyle(template="short", rendering="rules"), 32)()
    assert set(found) == {"id_accuracy", "mixed_accuracy", "raw_accuracy", "empty_accuracy"}
    assert found["raw_accuracy"] is None
    assert found["empty_accuracy"] is None
    assert found["id_accuracy"] in [n / 6 for n in range(7)]
    assert found["mixed_accuracy"] in [n / 3 for n in range(4)]
