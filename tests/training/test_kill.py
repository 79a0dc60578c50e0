"""The command line, killed with SIGKILL at twenty random moments and resumed, against runs that nobody killed."""

from __future__ import annotations

import random
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tripwire
from run_files import checkpoints, differences

from bythebook.records import read_jsonl, read_records

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 20
_SETTINGS = [
    "data.options.train=12",
    "data.options.id=4",
    "data.options.ood=4",
    "rollout.prompts_per_step=2",
    "rollout.num_generations=4",
    "rollout.max_completion_length=24",
    "training.micro_batch_size=4",
    "training.max_steps=20",
    "training.warmup_steps=1",
    "training.save_steps=1",
    "training.threads=1",
    "evaluation.every=7",
    "evaluation.limit=4",
    "evaluation.splits=[id]",
    "evaluation.samples=0",
]
_VARIANTS = {
    "one update a rollout": [],
    "two updates a rollout": ["objective.num_iterations=2", "training.logging_steps=3"],
}


def _arguments(output: Path, variant: str, *more: str) -> list[str]:
    return ["train", "r1_re_tiny", *_SETTINGS, *_VARIANTS[variant], "--output", str(output), "--json", *more]


def _start(arguments: Sequence[str], at: int, output: Path) -> subprocess.Popen[bytes]:
    """`bythebook` in a process of its own; unless `at` is 0, it kills itself at its `at`-th file operation there."""
    program = [sys.executable, tripwire.__file__, str(at), str(output)] if at else [sys.executable, "-m", "bythebook"]
    return subprocess.Popen([*program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _finish(arguments: Sequence[str], output: Path) -> None:
    process = _start(arguments, 0, output)
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def _kill_somewhere(rng: random.Random, arguments: Sequence[str], output: Path) -> bool:
    """Whether it was killed before it had finished by itself."""
    if rng.random() < 0.5:
        process = _start(arguments, rng.randint(1, 400), output)
    else:
        process = _start(arguments, 0, output)
        _wait_until_training(process, output)
        time.sleep(rng.uniform(0, 3))
        process.kill()
    _, said = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), said.decode()
    return process.returncode != 0


def _wait_until_training(process: subprocess.Popen[bytes], output: Path) -> None:
    """Importing takes most of a short run's time and has nothing to lose: the clock starts after it."""
    file, before = output / "recipe.yaml", time.time()
    while process.poll() is None and not (file.exists() and file.stat().st_mtime > before - 0.01):
        time.sleep(0.01)


def _finish_both(runs: dict[str, Path]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda variant: _finish(_arguments(runs[variant], variant), runs[variant]), runs))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One uninterrupted run of each variant."""
    runs = {variant: tmp_path_factory.mktemp("whole") for variant in _VARIANTS}
    _finish_both(runs)
    return runs


def _killed_five_times(number: int, variant: str, folder: Path) -> list[Path]:
    """Runs, all resumed to their end, that were killed five times together; one, unless it ends too soon."""
    rng, kills, runs = random.Random(number), 0, []
    while kills < KILLS // 4:
        output = folder / f"{number}-{len(runs)}"
        runs.append(output)
        arguments = _arguments(output, variant, "--resume")
        while kills < KILLS // 4 and _kill_somewhere(rng, arguments, output):
            kills += 1
        _finish(arguments, output)
    return runs


def test_twenty_kills_change_no_bit(whole: dict[str, Path], tmp_path: Path) -> None:
    """Four runs, two at a time, each killed five times."""
    variants = [*_VARIANTS, *_VARIANTS]
    with ThreadPoolExecutor(2) as pool:
        killed = list(pool.map(_killed_five_times, range(4), variants, [tmp_path] * 4))
    for variant, runs in zip(variants, killed, strict=True):
        for run in runs:
            assert differences(whole[variant], run) == [], run
            assert _scored(run) == _scored(whole[variant])
    # It is not nothing that was compared. The loss of one update a rollout is 0 but for rounding; its gradient is not.
    rows = [row for _, row in read_jsonl(whole["one update a rollout"] / "metrics.jsonl") if "loss" in row]
    assert len(rows) == 20
    assert len({row["grad_norm"] for row in rows} - {0.0}) > 10
    assert sum(len(runs) for runs in killed) >= 4


def _scored(run: Path) -> list[str]:
    return [r.to_line() for r in read_records(run / "records" / "trained.id.jsonl")]


def test_ctrl_c_saves_and_says_how_to_go_on(whole: dict[str, Path], tmp_path: Path) -> None:
    variant, output = "two updates a rollout", tmp_path / "run"
    process = _start(_arguments(output, variant), 0, output)
    while process.poll() is None and not (output / "records" / "rollouts.jsonl").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    lines = said.decode().splitlines()
    assert process.returncode == 130, lines
    assert shlex.split(lines[-1]) == ["python", "-m", "bythebook", *_arguments(output, variant, "--resume")]
    assert "Traceback" not in said.decode()
    saved = checkpoints(output)
    assert saved
    anew = _start(_arguments(output, variant), 0, output)
    assert b"there is an unfinished run here" in anew.communicate()[1]
    assert (anew.returncode, checkpoints(output)) == (1, saved)
    _finish(shlex.split(lines[-1])[3:], output)
    assert differences(whole[variant], output) == []
