"""What `meta` says of the picture that goes with an example; `tasks.pictures` makes the picture of it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["file_picture", "page_picture", "scene_picture_of"]

_KEY = "_picture"
"""Read by `Example.picture`."""


def scene_picture_of(seed: int) -> dict[str, str]:
    """Of an example whose scene is drawn."""
    return {_KEY: f"scene {seed}"}


def page_picture(seed: int, wear: float) -> dict[str, str]:
    """Of an example whose document is drawn."""
    return {_KEY: f"page {seed} {wear}"}


def file_picture(path: Path) -> dict[str, str]:
    """Of an example whose picture is a file."""
    return {_KEY: f"file {path}"}
