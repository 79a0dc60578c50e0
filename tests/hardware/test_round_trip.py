"""Which circuits are fit to train on, and processes under limits."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from bythebook.hardware import Filter, Limits, RoundTrip, kept_rows
from bythebook.hardware.processes import program, run_limited


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"regenerated": ("equivalent",)}, "kept"),
        ({"regenerated": ("different", "equivalent"), "attempts": ("different",) * 5}, "kept"),
        ({"regenerated": ("equivalent",), "attempts": ("different", "equivalent")}, "too_easy"),
        ({"regenerated": ("different", "timed_out")}, "not_equivalent"),
        ({"regenerated": ("unsupported",)}, "not_checked"),
        ({}, "not_checked"),
        ({"regenerated": ("equivalent",), "overlap": 0.5}, "kept"),
        ({"regenerated": ("equivalent",), "overlap": 0.51}, "contaminated"),
        ({"regenerated": ("equivalent",), "synthesisable": False}, "not_synthesisable"),
        ({"regenerated": ("equivalent",), "synthesisable": True}, "kept"),
    ],
)
def test_the_first_reason_against_a_row(row: dict[str, object], why: str) -> None:
    read = RoundTrip.model_validate({"id": "a", **row})
    assert Filter().why(read) == why
    assert kept_rows([read]) == ([read] if why == "kept" else [], {why: 1})


def test_bounds_are_options() -> None:
    row = RoundTrip(id="a", regenerated=("equivalent", "different"), attempts=("equivalent",), overlap=0.7)
    assert Filter(solved=1, overlap=0.8).why(row) == "kept"
    assert Filter(solved=1, overlap=0.8, equivalent=2).why(row) == "not_equivalent"
    assert Filter(solved=1, overlap=0.8, equivalent=0).why(row.model_copy(update={"regenerated": ()})) == "kept"
    with pytest.raises(ValidationError):
        Filter(overlap=1.5)


def run(tmp_path: Path, code: str, **limits: float) -> tuple[str, str]:
    bounds = Limits.model_validate({"seconds": 20, **limits})
    command = [sys.executable, "-c", code]
    ran = run_limited(command, tmp_path, bounds, time.monotonic() + bounds.seconds, alone=False)
    return ran.status, ran.said


def test_a_program_runs_in_its_folder_with_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "word")
    code = "import os; print(os.getcwd(), 'SECRET' in os.environ, os.environ['HOME'])"
    assert run(tmp_path, code) == ("done", f"{tmp_path} False {tmp_path}\n")
    assert run(tmp_path, "raise SystemExit(3)")[0] == "failed"


def test_a_program_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = "import time; time.sleep(4); open('late', 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    assert run(tmp_path, code, seconds=2)[0] == "timed_out"
    time.sleep(3)
    assert not (tmp_path / "late").exists()
    ran = run_limited(["never started"], tmp_path, Limits(), time.monotonic() - 1)
    assert ran.status == "timed_out"


@pytest.mark.skipif(program("prlimit") is None, reason="prlimit of util-linux is not installed")
def test_output_and_memory_are_bounded(tmp_path: Path) -> None:
    status, said = run(tmp_path, "while True: print('x' * 1000)", output_mb=1)
    assert status != "done"
    assert len(said) <= 1 << 20
    assert run(tmp_path, "x = bytearray(1 << 30)", memory_mb=256)[0] == "failed"
