"""One warm interpreter, seen from outside: started when it is needed, asked line by line, killed when it is silent."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from typing import Any

from bythebook.errors import InputError
from bythebook.sandbox.launch import Launch, Namespaces, launches

__all__ = ["Worker"]

_START_S = 30.0
_LONGEST_LINE = 16_000_000


class Worker:
    """An interpreter with one hash seed. Not for two threads at once."""

    def __init__(self, seed: int, namespaces: Namespaces) -> None:
        self._ways = launches(seed, namespaces)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.layers: tuple[str, ...] = ()
        """Those of the interpreter that runs, or ran last."""

    def start(self) -> None:
        """Start it if it does not run. InputError where no way of starting it works."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        while self._ways:
            with contextlib.suppress(OSError):  # a program that is not there
                self._open(self._ways[0])
            said = self._exchange({"layers": True}, _START_S)
            found = said.get("layers") if said is not None else None
            if isinstance(found, list) and "limits" in found:
                walls = ["namespaces"] if self._ways[0].namespaces else []
                self.layers = tuple(str(layer) for layer in [*found, *walls])
                return
            self.close()
            if len(self._ways) == 1:
                break
            del self._ways[0]  # what does not work once is not tried again
        raise InputError(
            "no interpreter for programs could be started",
            remedy="it needs Linux, a Python whose standard library every user can read, and bubblewrap if required",
        )

    def send(self, job: dict[str, Any], patience_s: float) -> bool:
        """Hand over a job; its answer is fetched with `receive`. False where the interpreter did not take it."""
        self.start()
        return self._write(json.dumps(job).encode() + b"\n", time.monotonic() + patience_s)

    def receive(self, patience_s: float) -> dict[str, Any] | None:
        """The answer to what was sent; None, and the interpreter is killed, where none comes in time."""
        said = self._read(time.monotonic() + patience_s)
        if said is None:
            self.close()
        return said

    def close(self) -> None:
        """Kill it, with all that it has started, and forget it."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _open(self, way: Launch) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bythebook-sandbox-")
        self._process = subprocess.Popen(
            way.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=self._folder.name,
            env=way.environment,
            start_new_session=True,
        )
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)

    def _exchange(self, message: dict[str, Any], patience_s: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + patience_s
        return self._read(deadline) if self._write(json.dumps(message).encode() + b"\n", deadline) else None

    def _write(self, data: bytes, deadline: float) -> bool:
        stream = self._process.stdin if self._process is not None else None
        while stream is not None and data:
            _, ready, _ = select.select([], [stream], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return False
            try:
                data = data[os.write(stream.fileno(), data) :]
            except OSError:
                return False
        return not data

    def _read(self, deadline: float) -> dict[str, Any] | None:
        """One line as a JSON object; None where there is none in time, or another thing."""
        stream = self._process.stdout if self._process is not None else None
        line = bytearray()
        while stream is not None and not line.endswith(b"\n") and len(line) <= _LONGEST_LINE:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(stream.fileno(), 1 << 16) if ready else b""
            if not part:
                return None
            line += part
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) else None
