"""One program of the machine, run under limits in a folder of its own: never through a shell, killed as a group."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from bythebook.types import Noun

__all__ = ["Limits", "Ran", "program", "run_limited"]


class Limits(Noun):
    """What a check may use. There is one limit of time, which covers everything that is run for it."""

    seconds: float = Field(default=30.0, gt=0)
    memory_mb: int = Field(default=2048, ge=64)
    """Address space of each process."""
    output_mb: int = Field(default=16, ge=1)
    """Of each file that is written, what is printed included."""


class Ran(NamedTuple):
    """How a program ended and what it said, standard output and errors together."""

    status: Literal["done", "failed", "timed_out"]
    code: int
    said: str


def program(name: str) -> str | None:
    """Where a program is; None where it is not installed."""
    return shutil.which(name)


def run_limited(command: Sequence[str], folder: Path, limits: Limits, deadline: float, *, alone: bool = True) -> Ran:
    """Run a program in a folder, until `deadline` of `time.monotonic` at most.

    `alone`: it may start no other program (this binds where the user is not root). Where the machine has util-linux'
    `prlimit`, memory, size of files and processor time are limited as well. The environment holds nothing of ours.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        return Ran("timed_out", -1, "")
    said = folder / "said.txt"
    path = os.environ.get("PATH", os.defpath)
    environment = {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C"}
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*_under(limits, seconds, alone), *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds)
            status: Literal["done", "failed", "timed_out"] = "done" if code == 0 else "failed"
            if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):
                status = "timed_out"
        except subprocess.TimeoutExpired:
            code, status = -1, "timed_out"
        finally:
            _kill(process)
    return Ran(status, code, _read(said, limits))


def _under(limits: Limits, seconds: float, alone: bool) -> list[str]:
    wrapper = program("prlimit")
    if wrapper is None:
        return []
    memory, size = limits.memory_mb << 20, limits.output_mb << 20
    found = [wrapper, f"--as={memory}", f"--fsize={size}", f"--cpu={int(seconds) + 2}", "--core=0"]
    return [*found, "--nproc=1"] if alone and hasattr(os, "geteuid") and os.geteuid() != 0 else found


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


def _read(path: Path, limits: Limits) -> str:
    with path.open("rb") as file:
        return file.read(limits.output_mb << 20).decode("utf-8", errors="replace")
