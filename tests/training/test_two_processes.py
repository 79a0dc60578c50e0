"""Two processes on the CPU (gloo), started by torchrun: they are two, and with the same global batch they compute what
one computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import RecipeError
from bythebook.recipe import Recipe, dump_recipe
from bythebook.records import read_jsonl, read_records
from bythebook.training.processes import accumulation_steps, refuse_sharded

pytest.importorskip("torch", reason="the 'train' extra is not installed")

STEPS = 3


def launch(processes: int, *program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in so many processes; one of them without a launcher."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    clean = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    run = subprocess.run(
        [*command, *program],
        capture_output=True,
        text=True,
        env={**clean, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        timeout=280,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return run


def written(recipe: Recipe, folder: Path) -> str:
    path = folder / "recipe.yaml"
    path.write_text(dump_recipe(recipe), encoding="utf-8")
    return str(path)


def processes_of(run: Path) -> int:
    return int(json.loads((run / "environment.json").read_text())["processes"])


def metrics(run: Path) -> list[dict[str, Any]]:
    rows = [row for _, row in read_jsonl(run / "metrics.jsonl") if "loss" in row]
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    return rows


def assert_equal_runs(one: Path, two: Path, start: Path) -> None:
    """Loss and gradient norm of every step, and the way that the weights have gone."""
    from safetensors.torch import load_file

    for first, second in zip(metrics(one), metrics(two), strict=True):
        assert second["loss"] == pytest.approx(first["loss"], abs=1e-5)
        assert second["grad_norm"] == pytest.approx(first["grad_norm"], rel=1e-4)
    before, after, other = (load_file(run / "model.safetensors") for run in (start, one / "model", two / "model"))
    assert set(before) == set(after) == set(other)
    for name in before:
        moved, apart = float((after[name] - before[name]).norm()), float((after[name] - other[name]).norm())
        # Adam divides a gradient by its own size. Where that is rounding alone (hardly anything depends on the biases
        # of the keys) its steps differ; in an update as a whole that does not show.
        assert moved > 1e-4, name
        assert apart < (1e-2 if not name.endswith("k_proj.bias") else 0.5) * moved, name


@pytest.fixture
def start() -> Path:
    from bythebook.generation import embedded_path

    return embedded_path()


@pytest.mark.slow
@pytest.mark.parametrize("packed", [1, 2])
def test_sft_in_two_processes_equals_one(
    packed: int, short_sft: Callable[..., Recipe], start: Path, tmp_path: Path
) -> None:
    settings = ("training.micro_batch_size=2", f"training.sentences_per_row={packed}", f"training.max_steps={STEPS}")
    recipe = written(
        short_sft(*settings, "model.path=embedded", "evaluation.final_limit=2", "evaluation.samples=0"), tmp_path
    )
    arguments = ["-m", "bythebook", "train", recipe, "--json", "--output"]
    said = {n: launch(n, *arguments, str(tmp_path / str(n))) for n in (1, 2)}
    assert (processes_of(tmp_path / "1"), processes_of(tmp_path / "2")) == (1, 2)
    assert_equal_runs(tmp_path / "1", tmp_path / "2", start)
    # Both score once, and one process prints.
    scores = [json.loads(run.stdout)["scores"] for run in said.values()]
    assert scores[0].keys() == scores[1].keys()
    assert all((tmp_path / n / "records" / "trained.id.jsonl").is_file() for n in ("1", "2"))


@pytest.mark.slow
@pytest.mark.parametrize(("iterations", "share"), [(1, "true"), (2, "true"), (1, "false")])
def test_rl_in_two_processes_equals_one_on_the_same_rollouts(
    iterations: int, share: str, short_rl: Callable[..., Recipe], start: Path, tmp_path: Path
) -> None:
    recipe = written(
        short_rl(
            "rollout.prompts_per_step=4",
            "training.micro_batch_size=4",
            f"training.max_steps={STEPS}",
            f"objective.num_iterations={iterations}",
            f"rollout.share_prefix={share}",
            "training.pack_tokens=500",  # several packs, of which all but the first are computed again
            "objective.beta=0.05",
        ),
        tmp_path,
    )
    script = str(Path(__file__).with_name("replayed_run.py"))
    for n in (1, 2):
        launch(n, script, recipe, str(tmp_path / str(n)))
    assert (processes_of(tmp_path / "1"), processes_of(tmp_path / "2")) == (1, 2)
    assert_equal_runs(tmp_path / "1", tmp_path / "2", start)
    one, two = (read_records(tmp_path / n / "records" / "rollouts.jsonl") for n in ("1", "2"))
    assert len(one) == 16 * -(-STEPS // iterations)
    assert {r.value for r in one} >= {-3.0, -0.5}  # so that there are advantages
    key = [(r.step, r.id, r.sample, r.completion, r.value, r.status) for r in one]
    assert Counter(key) == Counter((r.step, r.id, r.sample, r.completion, r.value, r.status) for r in two)
    for first, second in zip(sorted(one, key=_place), sorted(two, key=_place), strict=True):
        assert second.advantage == pytest.approx(first.advantage, abs=1e-5)
    for first, second in zip(metrics(tmp_path / "1"), metrics(tmp_path / "2"), strict=True):
        assert ("tokens_saved" in first) == ("tokens_saved" in second) == (share == "true")
        assert second.get("reward") == pytest.approx(first.get("reward"), abs=1e-5)
        assert second.get("accuracy") == pytest.approx(first.get("accuracy"), abs=1e-5)


def _place(record: Any) -> tuple[Any, ...]:
    return record.step, record.id, record.sample


@pytest.mark.slow
def test_rl_in_two_processes_samples_on_both_and_keeps_every_rollout(
    short_rl: Callable[..., Recipe], tmp_path: Path
) -> None:
    sizes = ("rollout.prompts_per_step=4", "training.micro_batch_size=8", f"training.max_steps={STEPS}")
    watched = ("evaluation.every=2", "evaluation.limit=2", "evaluation.final_limit=2", "evaluation.samples=0")
    recipe = written(short_rl(*sizes, *watched, "training.save_steps=2"), tmp_path)
    run = launch(2, "-m", "bythebook", "train", recipe, "--json", "--output", str(tmp_path / "run"))
    assert processes_of(tmp_path / "run") == 2
    records = read_records(tmp_path / "run" / "records" / "rollouts.jsonl")
    assert Counter(r.step for r in records) == dict.fromkeys(range(STEPS), 16)
    groups = Counter((r.step, r.id) for r in records)
    assert set(groups.values()) == {4}
    assert all({r.sample for r in records if (r.step, r.id) == group} == {0, 1, 2, 3} for group in groups)
    assert len(metrics(tmp_path / "run")) == STEPS
    probes = [row["step"] for _, row in read_jsonl(tmp_path / "run" / "metrics.jsonl") if "eval" in row]
    assert probes == [0, 2, 3]
    assert json.loads(run.stdout)["scores"]
    # The two processes draw with different random states: no half of a step repeats the other.
    texts = [r.completion for r in records]
    assert len(set(texts)) > len(texts) // 4


def test_rows_are_divided_among_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert accumulation_steps(96, 8, "rows") == 12
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert accumulation_steps(96, 8, "rows") == 3
    with pytest.raises(RecipeError, match=r"of 48 on 4 processes \(training\.micro_batch_size: a divisor of 24\)"):
        accumulation_steps(96, 48, "rows")
    with pytest.raises(RecipeError, match="a number of processes that divides 6"):
        accumulation_steps(6, 1, "rows")


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED"])
def test_model_in_pieces_is_not_looked_at_in_training(
    kind: str, short_sft: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = short_sft("evaluation.every=1", "evaluation.limit=2")
    refuse_sharded(watched)
    monkeypatch.setenv(f"ACCELERATE_USE_{kind}", "true")
    refuse_sharded(short_sft())
    with pytest.raises(RecipeError, match=r"set evaluation\.every=0"):
        refuse_sharded(watched)
