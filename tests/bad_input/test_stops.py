"""What stops a command from outside: Ctrl-C, a reader that goes away, a device without room, no home to write to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture
def environment(package: Path) -> dict[str, str]:
    found = {**os.environ, "PYTHONPATH": str(package.parent), "OMP_NUM_THREADS": "1"}
    found.pop("PYTHONUNBUFFERED", None)
    return found


def _start(arguments: list[str], environment: dict[str, str], **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bythebook", *arguments]
    return subprocess.Popen(command, env=environment, text=True, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload,no-any-return]


def test_ctrl_c_is_130_and_no_traceback(tmp_path: Path, environment: dict[str, str]) -> None:
    """The command waits at a pipe that nobody writes to."""
    pipe = tmp_path / "rows.jsonl"
    os.mkfifo(pipe)
    running = _start(["data", "check", "documents", "--path", str(pipe)], environment, stdout=subprocess.PIPE)
    writer = os.open(pipe, os.O_WRONLY)  # returns when the command has opened it
    try:
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        os.close(writer)
    assert running.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert out == ""


def test_a_reader_that_goes_away_is_no_fault(environment: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    running = _start(["guideline", "show", "crossre"], environment, stdout=writer)
    os.close(writer)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_standard_output_without_room_is_named(environment: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        running = _start(["guideline", "show", "crossre"], environment, stdout=full)
        _, err = running.communicate(timeout=60)
    expected = "bythebook: standard output: No space left on device (make room, then give the same command again)\n"
    assert (running.returncode, err) == (1, expected)


@pytest.mark.parametrize("home", [None, "/nonexistent/home", "/dev/null"])
def test_a_home_that_can_not_be_written_to_is_not_needed(
    home: str | None, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment = {name: value for name, value in environment.items() if name not in ("HOME", "XDG_CACHE_HOME")}
    environment |= {"HOME": home} if home else {}
    running = _start(["data", "example", str(tmp_path / "d")], environment, stdout=subprocess.PIPE)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err, out.count("\n")) == (0, "", 3)


def test_a_terminal_that_knows_no_such_letters_gets_escapes(tmp_path: Path, environment: dict[str, str]) -> None:
    file = tmp_path / "ł.jsonl"
    file.write_text("x\n", encoding="utf-8")
    environment |= {"PYTHONIOENCODING": "latin-1"}
    running = _start(["data", "check", "documents", "--path", str(file)], environment, stdout=subprocess.PIPE)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (1, "")
    assert "\\u0142.jsonl:1: not JSON" in out
