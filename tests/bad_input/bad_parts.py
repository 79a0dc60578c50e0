"""What the tables of bad input are made of: a sound guideline, a sound recipe, and ways to break them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bythebook.generation import embedded_path

BOOK = """# Machines
- Version: 1
- Domain: workshop

## Entity type: Device
a machine

## Relation type: Feeds
### Definition
one supplies the other
### Arguments
- head: Device
- tail: Device
### Direction
(e1,e2)

## Relation type: Beside
### Definition
they stand next to each other
### Direction
symmetric

## No relation: none
nothing above holds
"""
"""A guideline without a fault."""

TEXT = "Ann runs the press."
GOOD_ROW = {"id": "good", "text": TEXT, "entities": [{"id": "a", "start": 0, "end": 3}], "relations": []}
MARKED = '{"id": "m", "text": "The <e1>pump</e1> feeds the <e2>boiler</e2>."}\n'


def rows(*objects: Any) -> str:
    """JSON Lines; a text stands for its own line."""
    return "".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects)


def document(*entities: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A row with entities in `TEXT`."""
    return {"text": TEXT, "entities": list(entities), **more}


def entity(start: Any = 0, end: Any = 3, name: Any = "a", **more: Any) -> dict[str, Any]:
    return {"id": name, "start": start, "end": end, **more}


def link(target: str) -> Callable[[Path], None]:
    """A symbolic link."""
    return lambda path: os.symlink(target, path)


def folder(path: Path) -> None:
    """An empty folder."""
    path.mkdir()


def model(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """A copy of the embedded model, changed."""

    def make(path: Path) -> None:
        shutil.copytree(embedded_path(), path)
        change(path)

    return make


def without(name: str) -> Callable[[Path], None]:
    """The embedded model without that file."""
    return model(lambda path: (path / name).unlink())


def holding(name: str, content: str | bytes) -> Callable[[Path], None]:
    """The embedded model with another content of that file."""

    def change(path: Path) -> None:
        (path / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return model(change)
