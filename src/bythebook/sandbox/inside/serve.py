"""The warm interpreter: reads a job a line, forks a process for it, writes its outcome as a line.

Programs never run in this process; each runs in a child of its own that has given up everything else, and that is
killed with its whole group when its time is over. What the child sends is passed on as it is, if it is one short line.

    python -S -s -P -B -c START …   reads {"layers": true} or a job, writes {"layers": […]} or an outcome
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import platform
import select
import signal
import sys
import time
import unicodedata  # noqa: F401 - loaded before files are out of reach: names of characters in strings need it
import warnings
from typing import Any

from bythebook.sandbox.inside import fences
from bythebook.sandbox.inside.run import answer

__all__ = ["serve"]

_RESULT = 3
"""Descriptor of the pipe in the child; 0 to 2 lead to the null device."""
_LONGEST_LINE = 8_000_000


def serve() -> None:
    """Answer until the input ends."""
    os.environ.clear()
    warnings.simplefilter("ignore")
    platform.machine()  # asks the system once, while it may
    user = fences.become_nobody() or os.getuid() != 0
    layers = _probe() + (["user"] if user else [])
    gc.freeze()
    for line in sys.stdin.buffer:
        job = json.loads(line)
        reply = json.dumps({"layers": layers}).encode() if "layers" in job else _in_child(job)
        sys.stdout.buffer.write(reply + b"\n")
        sys.stdout.buffer.flush()


def _probe() -> list[str]:
    """Which fences a child of this process really has: asked of one."""
    job: dict[str, Any] = {
        "source": None,
        "literals": [],
        "wall_s": 10,
        "cpu_s": 5,
        "memory_bytes": 1 << 30,
        "output_characters": 1,
    }
    found: dict[str, Any] = json.loads(_in_child({**job, "probe": True}))
    return list(found.get("layers", []))


def _in_child(job: dict[str, Any]) -> bytes:
    """The outcome of one job, from a process of its own."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _be_the_child(job, write_end)
        finally:
            os._exit(1)
    os.close(write_end)
    try:
        said, late = _listen(read_end, time.monotonic() + float(job["wall_s"]))
    finally:
        os.close(read_end)
        # The child has made the group itself, and may not have come so far yet.
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(OSError):
                kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
    if said and said.count(b"\n") == 1 and said.endswith(b"\n"):
        return said[:-1]
    if late or (os.WIFSIGNALED(ended) and os.WTERMSIG(ended) in (signal.SIGXCPU, signal.SIGKILL)):
        return json.dumps({"status": "timeout", "detail": "wall clock" if late else "processor time"}).encode()
    return json.dumps({"status": "killed", "detail": f"wait status {ended}"}).encode()


def _listen(pipe: int, deadline: float) -> tuple[bytes, bool]:
    """What comes until the pipe is closed, a whole line is there, or it is too late."""
    parts, length = [], 0
    while length <= _LONGEST_LINE:
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"", True
        part = os.read(pipe, 1 << 16)
        if not part:
            break
        parts.append(part)
        length += len(part)
    return b"".join(parts) if length <= _LONGEST_LINE else b"", False


def _be_the_child(job: dict[str, Any], pipe: int) -> None:
    """Give up everything, run the job, send its outcome. Never returns to the loop."""
    fences.die_with_parent()
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(pipe, _RESULT)
    os.closerange(_RESULT + 1, max(null, pipe, 64) + 1)
    fences.bound(int(job["cpu_s"]), int(job["memory_bytes"]), _RESULT + 1)
    calls = fences.only_needed_calls()
    if job.get("probe"):
        outcome: dict[str, Any] = {"layers": ["limits", "calls"] if calls else ["limits"]}
    else:
        outcome = answer(job)
    data = json.dumps(outcome).encode() + b"\n"
    while data:
        data = data[os.write(_RESULT, data) :]
    os._exit(0)
