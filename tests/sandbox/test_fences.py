"""Each fence by itself: what a process can no longer do once it has put it up."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bythebook.sandbox.inside import fences

HEAD = """
import errno, os, resource, socket, sys, time
from bythebook.sandbox.inside import fences

def tried(what, *given):
    try:
        what(*given)
    except (OSError, MemoryError) as error:
        return errno.errorcode.get(getattr(error, "errno", None), type(error).__name__)
    return "done"
"""


def said(body: str, package: Path) -> tuple[int, str]:
    """Exit code and output of a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + body], env=environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout.strip()


def test_limits_leave_no_descriptor_and_little_memory(package: Path) -> None:
    body = """
fences.bound(60, 2 ** 30, 3)
print(tried(open, os.devnull), tried(socket.socket), tried(os.pipe), tried(bytearray, 2 ** 31), tried(bytearray, 9))
"""
    assert said(body, package) == (0, "EMFILE EMFILE EMFILE MemoryError done")


def test_limits_can_not_be_raised_again_by_nobody(package: Path) -> None:
    body = """
fences.become_nobody()
fences.bound(60, 2 ** 30, 3)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))
except ValueError:
    print("kept")
"""
    assert said(body, package) == (0, "kept")


def test_limits_leave_no_further_process(package: Path) -> None:
    body = """
fences.become_nobody()
fences.bound(60, 2 ** 31, 3)
print(tried(os.fork))
"""
    assert said(body, package) == (0, "EAGAIN")


def test_limits_leave_no_byte_to_write_into_a_file(package: Path, tmp_path: Path) -> None:
    path = tmp_path / "file"
    body = f"""
there = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY)
fences.bound(60, 2 ** 30, there + 1)
print(tried(os.write, there, b"owned"))
"""
    assert said(body, package) == (0, "EFBIG")
    assert path.read_bytes() == b""


def test_processor_time_ends(package: Path) -> None:
    code, _ = said("fences.bound(1, 2 ** 30, 3)\nwhile True: pass", package)
    assert code < 0


def test_no_system_call_is_left_but_the_needed_ones(package: Path) -> None:
    if platform.system() != "Linux" or platform.machine() not in fences._CALLS:
        pytest.skip(f"no filter of system calls for {platform.system()} on {platform.machine()}")
    body = """
ends = os.pipe()
print(fences.only_needed_calls(), flush=True)
calls = [(open, os.devnull), (socket.socket,), (os.fork,), (os.kill, os.getpid(), 0), (os.mkdir, "x")]
calls += [(os.execv, sys.executable, ["x"]), (os.setsid,), (os.dup, 1), (time.sleep, 0.01), (os.stat, "/")]
print(*(tried(*call) for call in calls))
print(tried(os.write, ends[1], b"x"), tried(os.read, ends[0], 1), len(bytearray(10 ** 8)), sum(range(10 ** 5)))
sys.stdout.flush()
os._exit(0)
"""
    code, text = said(body, package)
    lines = text.splitlines()
    assert (code, lines[0]) == (0, "True")
    assert set(lines[1].split()) == {"EPERM"}
    assert lines[2] == "done done 100000000 4999950000"


def test_root_becomes_nobody_for_good(package: Path) -> None:
    body = """
print(fences.become_nobody(), os.getuid(), os.getgid(), os.getgroups(), tried(os.setuid, 0), tried(os.setgid, 0))
"""
    if os.getuid() == 0:
        assert said(body, package) == (0, f"True {fences.NOBODY} {fences.NOBODY} [] EPERM EPERM")
    else:
        assert said(body, package)[1].startswith(f"False {os.getuid()} ")


def test_a_child_ends_with_its_parent(package: Path) -> None:
    body = """
ready, alive = os.pipe(), os.pipe()
middle = os.fork()
if middle == 0:
    if os.fork() == 0:
        fences.die_with_parent()
        os.write(ready[1], b"x")
        time.sleep(60)
    os.read(ready[0], 1)
    os._exit(0)
os.close(alive[1])
os.waitpid(middle, 0)
print(os.read(alive[0], 1))  # the last writer is gone
"""
    assert said(body, package) == (0, "b''")
