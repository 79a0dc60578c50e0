"""Sides of a bench, each in a process of its own: they take turns, and each one's memory is its own.

A side is a function `work(turns, **arguments)`, named `module:function`, that loads what it needs and then does the
same work again and again, each time between `turns.begin()` and `turns.end(value)`. While one side works the others
wait in `begin`.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import statistics
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from bythebook.errors import InputError

__all__ = ["Meter", "ProcessMemory", "Side", "Turn", "Turns", "TurnsOver", "medians", "opened", "take_turns", "tell"]

_SELF = Path("/proc/self")
_SAMPLED_EVERY = 0.005
"""Seconds between two looks at the memory, where the kernel keeps no peak that can be set back."""


class Turn(NamedTuple):
    """One piece of work that is done."""

    seconds: float
    peak: int
    """Most bytes held since the side was loaded, beyond what it held then."""
    value: Any
    """What the work gave."""


class TurnsOver(BaseException):
    """Nothing more is asked of this side. Not an `Exception`, so that no library takes it for a failure."""


class Meter(Protocol):
    """Measures the memory of a side."""

    def start(self) -> None:
        """The side is loaded: what it holds now is the baseline."""

    def peak(self) -> int:
        """Most bytes held since then, beyond the baseline."""

    def synchronize(self) -> None:
        """Wait until the device has done what it was told."""


class ProcessMemory:
    """Resident memory of this process: the kernel's peak, set back at the start; sampled where it can't be."""

    def start(self) -> None:
        """See `Meter`."""
        try:
            (_SELF / "clear_refs").write_text("5", encoding="ascii")
            self._baseline, self._sampler = _status("VmHWM"), None
        except (OSError, ValueError):
            self._sampler = _Sampler()
            self._baseline = self._sampler.most

    def peak(self) -> int:
        """See `Meter`."""
        most = self._sampler.most if self._sampler else _status("VmHWM")
        return max(0, most - self._baseline)

    def synchronize(self) -> None:
        """A processor has done it."""


def _status(key: str) -> int:
    """Bytes of a line of /proc/self/status. ValueError if there is no such line."""
    for line in (_SELF / "status").read_text(encoding="ascii").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(key)


class _Sampler(threading.Thread):
    """Looks at the resident memory as long as the process lives."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._process = importlib.import_module("psutil").Process()  # comes with accelerate
        self.most: int = self._process.memory_info().rss
        self.start()

    def run(self) -> None:
        while True:
            self.most = max(self.most, self._process.memory_info().rss)
            time.sleep(_SAMPLED_EVERY)


class Turns:
    """The turns of a side, as its own process sees them. `meter` may be replaced before the first `begin`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loaded = False
        self._started = 0.0
        self.meter: Meter = ProcessMemory()

    def begin(self) -> None:
        """Wait for the turn. TurnsOver if there will be none."""
        if not self._loaded:
            self._loaded = True
            self.meter.start()
            self._connection.send(("loaded", None))
        try:
            if self._connection.recv() != "go":
                raise TurnsOver
        except EOFError:
            raise TurnsOver from None
        self._started = time.perf_counter()

    def end(self, value: Any = None) -> None:
        """The work is done; `value` is what it gave."""
        self.meter.synchronize()
        seconds = time.perf_counter() - self._started
        self._connection.send(("done", Turn(seconds, self.meter.peak(), value)))


class Side:
    """One side, as the bench sees it. InputError, with what it said, if it fails."""

    def __init__(self, work: str, **arguments: Any) -> None:
        """`work` is `module:function`; the arguments go to its process."""
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, work, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._loaded = False
        self.peak = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self) -> None:
        """Wait until it is loaded."""
        if not self._loaded:
            self._receive()
            self._loaded = True

    def turn(self) -> Turn:
        """Have it do its work once."""
        self.load()
        with suppress(BrokenPipeError):
            self._connection.send("go")
        done: Turn = self._receive()
        self.peak = max(self.peak, done.peak)
        return done

    def _receive(self) -> Any:
        try:
            kind, what = self._connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            raise InputError(
                f"a side of the bench ended by itself (exit code {code})",
                remedy="where memory ran out, choose smaller sizes",
            ) from None
        if kind == "failed":
            raise InputError(f"a side of the bench failed: {what}")
        return what

    def close(self) -> None:
        """End its process."""
        with suppress(OSError):
            self._connection.send("stop")
        self._connection.close()
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def _work(connection: Connection, work: str, arguments: Mapping[str, Any]) -> None:
    """The process of a side. Standard output belongs to the bench's result."""
    os.dup2(sys.stderr.fileno(), 1)
    threading.Thread(target=_end_with_the_bench, daemon=True).start()
    try:
        module, _, function = work.partition(":")
        getattr(importlib.import_module(module), function)(Turns(connection), **arguments)
    except (TurnsOver, KeyboardInterrupt):  # Ctrl-C reaches every process; the bench itself says so
        return
    except Exception as error:
        text = " ".join(str(error).split())
        with suppress(OSError):
            connection.send(("failed", f"{type(error).__name__}: {text}" if text else type(error).__name__))


def _end_with_the_bench() -> None:
    """A bench that was killed leaves no side behind in the middle of its work."""
    bench = multiprocessing.parent_process()
    if bench is not None:
        bench.join()
        os._exit(1)


def take_turns(
    sides: Sequence[Side], rounds: int, *, warm_up: int = 1, enough: float | None = None
) -> list[list[Turn]]:
    """The measured turns of each side: every round is one turn of each, and the first `warm_up` rounds don't count.

    A side whose measured turns took `enough` seconds together rests from then on. Its turns to warm up don't count for
    that either: a first step is slower, whoever takes it.
    """
    measured: list[list[Turn]] = [[] for _ in sides]
    for number in range(1 - warm_up, rounds + 1):
        for side, turns in zip(sides, measured, strict=True):
            if enough is not None and sum(turn.seconds for turn in turns) >= enough:
                continue
            done = side.turn()
            if number > 0:
                turns.append(done)
        last = ", ".join(f"{turns[-1].seconds:.2f} s" for turns in measured if turns)
        tell(f"round {number} of {rounds}: {last}" if number > 0 else "a round to warm up")
    return measured


def tell(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


def medians(measured: Sequence[Sequence[Turn]]) -> list[float]:
    """Median seconds of each side."""
    return [statistics.median(turn.seconds for turn in turns) for turns in measured]


def opened(stack: ExitStack, work: str, **arguments: Any) -> Side:
    """A side that ends with the stack."""
    return stack.enter_context(Side(work, **arguments))
