"""Ends a process, or a run in this process, at the n-th file operation below a folder.

Python reports opening, renaming, making and removing to audit hooks. A hook can't be taken out again, so that one hook
serves all tests and is armed for each.

As a script (`tripwire.py N FOLDER ARGUMENT…`) it runs the command line and kills itself with SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Killed", "Tripwire"]

_EVENTS = frozenset(["open", "os.mkdir", "os.rename", "shutil.rmtree"])
_RELATIVE = frozenset(["os.remove", "os.rmdir"])
"""Removing a folder names its files relative to it."""


class Killed(BaseException):
    """Stands for a death of the process: nothing catches it."""


class Tripwire:
    """Counts the operations below `folder`; at number `at` (0: never) it calls `strike`."""

    _armed: Tripwire | None = None
    _installed = False

    def __init__(self, folder: Path, at: int = 0, strike: Callable[[], None] | None = None) -> None:
        self.folder, self.at, self.seen = str(folder), at, 0
        self.strike = strike or _raise
        self.struck = False

    def __enter__(self) -> Tripwire:
        if not Tripwire._installed:
            sys.addaudithook(_hook)
            Tripwire._installed = True
        Tripwire._armed = self
        return self

    def __exit__(self, *_: object) -> None:
        Tripwire._armed = None

    def notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Called for every audited operation."""
        below = event in _EVENTS and isinstance(arguments[0], (str, Path)) and str(arguments[0]).startswith(self.folder)
        if not below and event not in _RELATIVE:
            return
        self.seen += 1
        if self.seen == self.at:
            self.struck = True
            self.strike()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if Tripwire._armed is not None:
        Tripwire._armed.notice(event, arguments)


def _raise() -> None:
    Tripwire._armed = None  # what cleans up after an exception would not run after a death, and must not count
    raise Killed


if __name__ == "__main__":
    at, folder, *arguments = sys.argv[1:]
    sys.argv = ["bythebook", *arguments]
    from bythebook.cli import main

    with Tripwire(Path(folder), int(at), lambda: os.kill(os.getpid(), signal.SIGKILL)):
        sys.exit(main())
