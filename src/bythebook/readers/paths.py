"""A path that a user gives is a file or a folder of files."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from bythebook.errors import DataError

__all__ = ["files_of"]


def files_of(path: Path | str, suffixes: Container[str], *, missing: str, remedy: str) -> list[Path]:
    """The file itself, or the files of the folder with these suffixes, by name.

    DataError where there is none: `missing` says what the folder lacks.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    files = sorted(p for p in path.glob("*") if p.suffix in suffixes and p.is_file()) if path.is_dir() else []
    if not files:
        raise DataError(missing if path.is_dir() else "no such file or folder", file=path, remedy=remedy)
    return files
