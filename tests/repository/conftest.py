"""What the tests about the repository share."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tracked(root: Path) -> list[str]:
    """Paths of the files git knows. Skips the test in an unpacked archive, which has no such list."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    # `-c core.quotepath=off`: names as they are. Deleted files that are not committed yet don't count.
    command = ["git", "-c", "core.quotepath=off", "ls-files"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for path in listed if (root / path).exists()]
