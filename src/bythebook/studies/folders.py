"""Which runs a folder of a study is for, and how long what is left will take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bythebook.errors import InputError
from bythebook.records import write_text
from bythebook.training import write_environment

__all__ = ["claim", "duration"]

_REMEDY = "choose another --output"


def claim(folder: Path, wanted: Mapping[str, Any], seed: int, refusal: str = "another size or seed") -> None:
    """Note in `size.json` what a folder is for, and the environment beside it. InputError if it can't be read, or the
    folder is for something else: it holds runs of `refusal`."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = json.loads(json.dumps(wanted))
    file = folder / "size.json"
    if not file.exists():
        write_environment(folder / "environment.json", seed)
        write_text(file, json.dumps(asked, indent=2) + "\n")
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"can't be read: {error}", file=file, remedy=_REMEDY) from None
    if found != asked:
        raise InputError(f"holds runs of {refusal}", file=folder, remedy=_REMEDY)


def duration(seconds: float) -> str:
    """In seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
