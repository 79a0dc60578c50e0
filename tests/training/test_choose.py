"""Which step's model is kept: decided on a development split, never on test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState

from bythebook.errors import RecipeError
from bythebook.generation import load_model
from bythebook.recipe import load_recipe
from bythebook.records import read_jsonl
from bythebook.studies.own_data import split_documents, write_example
from bythebook.training import train
from bythebook.training.choose import Chooser

SHORT = (
    "training.max_steps=2",
    "training.warmup_steps=0",
    "rollout.prompts_per_step=2",
    "rollout.num_generations=4",
    "training.micro_batch_size=8",
    "evaluation.every=1",
    "evaluation.limit=3",
)


class Run:
    """A training run in which the model is the step's number and dev accuracies are given."""

    def __init__(self, output: Path, accuracies: dict[int, float], every: int = 2) -> None:
        self.step, self.saved, self.accuracies = 0, list[int](), accuracies
        self.chooser = Chooser(output, "dev", 10, every, self.probe, self.keep)

    def probe(self) -> dict[str, float]:
        return {"dev_accuracy": self.accuracies[self.step]}

    def keep(self, model: int, folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "model.txt").write_text(str(model))
        self.saved.append(model)

    def go(self, start: int = 0, last: int = 8, stop_after: int | None = None) -> Run:
        """Steps `start` + 1 to `last`, as the trainer calls its callbacks."""
        state, control, arguments = TrainerState(global_step=start, max_steps=last), TrainerControl(), None
        self.step = start
        self.chooser.on_train_begin(arguments, state, control)  # type: ignore[arg-type]
        while state.global_step < (last if stop_after is None else stop_after):
            self.chooser.on_step_begin(arguments, state, control, model=self.step)  # type: ignore[arg-type]
            state.global_step += 1
            self.step = state.global_step
            self.chooser.on_step_end(arguments, state, control, model=self.step)  # type: ignore[arg-type]
        return self

    def taken(self) -> int:
        folder = self.chooser.output / "model"
        self.chooser.take(folder)
        return int((folder / "model.txt").read_text())


def note(output: Path) -> Any:
    return json.loads((output / "chosen.json").read_text())


@pytest.mark.parametrize(
    ("accuracies", "chosen", "saved"),
    [
        ({0: 0.1, 2: 0.3, 4: 0.9, 6: 0.5, 8: 0.8}, 4, [0, 2, 4]),
        ({0: 0.1, 2: 0.5, 4: 0.5, 6: 0.5, 8: 0.4}, 2, [0, 2]),
        ({0: 0.7, 2: 0.5, 4: 0.7, 6: 0.6, 8: 0.7}, 0, [0]),
        ({0: 0.1, 2: 0.2, 4: 0.3, 6: 0.4, 8: 0.5}, 8, [0, 2, 4, 6, 8]),
        ({0: 0.0, 2: 0.0, 4: 0.0, 6: 0.0, 8: 0.0}, 0, [0]),
    ],
)
def test_the_best_is_kept_and_of_equals_the_earlier(
    accuracies: dict[int, float], chosen: int, saved: list[int], tmp_path: Path
) -> None:
    run = Run(tmp_path, accuracies).go()
    assert run.saved == saved
    assert [p.name for p in (tmp_path / "chosen").iterdir()] == [f"step-{chosen}"]
    assert note(tmp_path) == {
        "on": "dev",
        "examples": 10,
        "step": chosen,
        "accuracy": accuracies[chosen],
        "seen": [{"step": step, "accuracy": value} for step, value in accuracies.items()],
    }
    assert run.taken() == chosen
    assert not (tmp_path / "chosen").exists()
    evals = [row for _, row in read_jsonl(tmp_path / "metrics.jsonl")]
    assert evals == [{"step": step, "eval": {"dev_accuracy": value}} for step, value in accuracies.items()]


def test_the_last_step_is_looked_at_between_probes(tmp_path: Path) -> None:
    assert Run(tmp_path, {0: 0.1, 3: 0.2, 5: 0.3}, every=3).go(last=5).taken() == 5


@pytest.mark.parametrize("killed", range(9))
@pytest.mark.parametrize("back", range(4))
def test_a_resumed_run_chooses_what_an_uninterrupted_one_does(killed: int, back: int, tmp_path: Path) -> None:
    accuracies = {0: 0.2, 2: 0.6, 4: 0.4, 6: 0.6, 8: 0.7 if back % 2 else 0.6}
    expected = 8 if back % 2 else 2
    Run(tmp_path, accuracies).go(stop_after=killed)
    resumed = Run(tmp_path, accuracies).go(start=max(0, killed - back))
    assert resumed.taken() == expected
    assert [row["step"] for row in note(tmp_path)["seen"]] == [0, 2, 4, 6, 8]


def test_a_run_of_which_only_the_model_was_left_to_save_finds_its_choice(tmp_path: Path) -> None:
    Run(tmp_path, {0: 0.2, 2: 0.6, 4: 0.4, 6: 0.5, 8: 0.6}).go()
    assert Run(tmp_path, {}).taken() == 2


def test_a_new_run_forgets_what_another_left(tmp_path: Path) -> None:
    Run(tmp_path, {0: 0.2, 2: 0.6, 4: 0.4, 6: 0.5, 8: 0.9}).go()
    again = Run(tmp_path, {0: 0.1, 2: 0.1, 4: 0.2, 6: 0.1, 8: 0.1}).go()
    assert again.taken() == 4


def test_other_processes_neither_look_nor_save(tmp_path: Path) -> None:
    run = Run(tmp_path, {})
    state = TrainerState(global_step=0, max_steps=1, is_world_process_zero=False)
    run.chooser.on_train_begin(None, state, TrainerControl())  # type: ignore[arg-type]
    run.chooser.on_step_begin(None, state, TrainerControl(), model=0)  # type: ignore[arg-type]
    state.global_step = 1
    run.chooser.on_step_end(None, state, TrainerControl(), model=1)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------ in a training run


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    write_example(folder / "corpus")
    split_documents(folder / "corpus" / "sentences.jsonl", folder / "split")
    return folder / "split"


def test_a_run_keeps_a_model_that_loads_and_looks_at_dev_only(split: Path, tmp_path: Path) -> None:
    recipe = load_recipe("own_data_tiny", [*SHORT, f"data.path={split}"])
    folder = train(recipe, output=tmp_path / "run", quiet=True)
    assert folder == tmp_path / "run" / "model"
    chosen = note(tmp_path / "run")
    assert [row["step"] for row in chosen["seen"]] == [0, 1, 2]
    assert (chosen["on"], chosen["examples"]) == ("dev", 3)
    evals = [row["eval"] for _, row in read_jsonl(tmp_path / "run/metrics.jsonl") if "eval" in row]
    assert [set(row) for row in evals] == [{"dev_accuracy"}] * 3
    assert load_model(folder).settings.style.rendering == "rules"
    assert not (tmp_path / "run" / "chosen").exists()


def test_what_can_not_be_chosen_on_is_refused(split: Path, tmp_path: Path) -> None:
    for wrong in ("test", "ood", "train"):
        with pytest.raises(RecipeError, match=f"choose_on: {wrong}: a model is never chosen on training or test data"):
            load_recipe("own_data_tiny", [f"evaluation.choose_on={wrong}"])
    for zero in ("every", "limit"):
        with pytest.raises(RecipeError, match=r"needs evaluation\.every and evaluation\.limit above 0"):
            load_recipe("own_data_tiny", [f"evaluation.{zero}=0"])
    recipe = load_recipe("own_data_tiny", [*SHORT, f"data.path={split}", "evaluation.choose_on=valid"])
    with pytest.raises(RecipeError, match=r"no labelled example in a split 'valid'.*dev, test, train"):
        train(recipe, output=tmp_path / "run", quiet=True)
