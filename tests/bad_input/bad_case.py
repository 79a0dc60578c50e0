"""A kind of bad input: what lies there, what is typed, and everything that is said about it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from bythebook import cli

__all__ = ["Case", "Ran", "check", "files_under", "run_command"]

Content = str | bytes | Callable[[Path], None]
"""Of a file: its text (written as it is, in UTF-8), its bytes, or what makes it at that path."""


@dataclass(frozen=True)
class Case:
    """One kind of bad input. In what is expected, `…` stands for anything within a line."""

    name: str
    arguments: tuple[str, ...]
    said: str
    """The whole message on standard error. For code 2 the line after `Error: `."""
    files: Mapping[str, Content] = field(default_factory=dict)
    """What lies in the working directory, by relative path; folders are made."""
    code: int = 1
    listed: tuple[str, ...] | None = None
    """The lines on standard output of a command that lists faults; nothing is said on standard error then."""
    leaves: tuple[str, ...] = ()
    """What the command may leave or change, by relative path; everything else is as it was."""
    chatty: bool = False
    """Whether progress is told on standard error before."""


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def run_command(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ran:
    """The command in this process. An exception that gets out would be a traceback, and fails the test."""
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["bythebook", *arguments])
        code = cli.main()
    return Ran(code, *capsys.readouterr())


def files_under(folder: Path) -> dict[str, bytes | str | None]:
    """Relative path → bytes of a file, target of a link, None of a folder."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def write(files: Mapping[str, Content]) -> None:
    """Into the working directory."""
    for name, content in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_bytes(content.encode("utf-8", errors="surrogatepass"))
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            content(path)


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), text) is not None


def check(case: Case, ran: Ran, before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Everything that holds of every kind: the code, the message and nothing beside it, no traceback, and no file that
    was not there before but those that the case names."""
    assert "Traceback" not in ran.out + ran.err
    assert ran.code == case.code, ran
    said = ran.err.splitlines()
    if case.listed is not None:
        lines = ran.out.splitlines()
        assert said == [], ran.err
        assert len(lines) == len(case.listed), ran.out
        assert [(p, line) for p, line in zip(case.listed, lines, strict=True) if not _matches(p, line)] == []
    else:
        mark = "Error: " if case.code == 2 else "bythebook: "
        messages = [line for line in said if line.startswith(mark)]
        assert len(messages) == 1, ran.err
        assert messages[0] == said[-1], ran.err
        assert case.chatty or case.code == 2 or said == messages, ran.err
        assert _matches(mark + case.said, messages[0]), messages[0]
        for line in ran.out.splitlines():
            json.loads(line)
    changed = {name for name in {**before, **after} if before.get(name, 0) != after.get(name, 0)}
    assert sorted(changed - set(case.leaves)) == []
