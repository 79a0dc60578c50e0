"""How the warm interpreters are started: the command, the environment, the namespaces where there are any."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Literal, NamedTuple

__all__ = ["Launch", "Namespaces", "launches"]

Namespaces = Literal["auto", "required", "off"]

_FOLDER = Path(__file__).resolve().parent
_START = """
import sys, types
for name, path in (("bythebook", []), ("bythebook.sandbox", [sys.argv[1]])):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = path
from bythebook.sandbox.inside.serve import serve
serve()
"""
"""Imports what is inside without what is around it, which needs more than the standard library."""
_OPTIONS = ("-S", "-s", "-P", "-B")
"""No site packages, no user's packages, no folder of the script, no bytecode written. These are what `-I` means but for
`-E`, under which the seed of hashes in the environment would be ignored; nothing else is in that environment."""
_SHARED = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache")
"""Where the interpreter's libraries are."""


class Launch(NamedTuple):
    """One way of starting an interpreter."""

    command: tuple[str, ...]
    environment: dict[str, str]
    namespaces: bool


def launches(seed: int, namespaces: Namespaces) -> list[Launch]:
    """The ways to start an interpreter whose hash seed is `seed`, the safest first."""
    python = os.path.realpath(sys.executable)
    environment = {"PYTHONHASHSEED": str(seed)}
    plain = Launch((python, *_OPTIONS, "-c", _START, str(_FOLDER)), environment, False)
    bwrap = None if namespaces == "off" else shutil.which("bwrap")
    found = []
    if bwrap is not None:
        command = (bwrap, *_walls(seed), "--", python, *_OPTIONS, "-c", _START, "/code")
        found.append(Launch(command, environment, True))
    return found if namespaces == "required" else [*found, plain]


def _walls(seed: int) -> tuple[str, ...]:
    """Bubblewrap's options: no network, no processes but its own, a read-only view of the interpreter and no more."""
    if os.getuid() == 0:
        # In a user namespace root could become nobody but itself; without one it becomes `nobody` for good.
        kinds = [f"--unshare-{kind}" for kind in ("pid", "net", "ipc", "uts", "cgroup-try")]
        kinds += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        kinds = ["--unshare-all"]
    views = [part for path in (*_SHARED, sys.base_prefix) for part in ("--ro-bind-try", path, path)]
    environment = ["--clearenv", "--setenv", "PYTHONHASHSEED", str(seed)]
    inside = ["--dev", "/dev", "--ro-bind", str(_FOLDER), "/code", "--chdir", "/"]
    return ("--die-with-parent", "--new-session", *kinds, *environment, *views, *inside)
