"""The guidelines that the records of a run name by their hash, kept beside them in one JSON file.

`{"<hash>": {…}}`: a record says under which guideline an answer was given, and this file has its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bythebook.errors import GuidelineError, first_fault
from bythebook.guidelines.library import library_names, load_from_library
from bythebook.types import Guideline

__all__ = ["KEPT_FILE", "keep_guidelines", "kept_guidelines", "library_by_hash"]

KEPT_FILE = "guidelines.json"
_KEPT = TypeAdapter(dict[str, Guideline])


def keep_guidelines(folder: Path, guidelines: Iterable[Guideline]) -> None:
    """Add them to `<folder>/guidelines.json`; the file changes whole or not at all.

    GuidelineError if the file is there and broken, or can't be written.
    """
    file = folder / KEPT_FILE
    kept = kept_guidelines(folder)
    known = len(kept)
    kept |= {g.hash: g for g in guidelines}
    if len(kept) == known:
        return
    folder.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(file.name + ".part")
    rows = (f"{json.dumps(name)}: {g.model_dump_json()}" for name, g in kept.items())
    try:
        temporary.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        remedy = "make room, or choose another folder"
        raise GuidelineError(f"can't be written: {error.strerror}", file=file, remedy=remedy) from None


def kept_guidelines(folder: Path) -> dict[str, Guideline]:
    """Hash → guideline of `<folder>/guidelines.json`; empty without that file. GuidelineError if it is broken."""
    file = folder / KEPT_FILE
    remedy = "delete it: what reads it goes without"
    try:
        return _KEPT.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise GuidelineError(f"can't be read: {error.strerror}", file=file, remedy=remedy) from None
    except ValidationError as error:
        where, what = first_fault(error)
        raise GuidelineError(f"{where or 'the whole'}: {what}", file=file, remedy=remedy) from None


def library_by_hash() -> dict[str, Guideline]:
    """Hash → guideline of our library: a run under one of these needs no copy to be read."""
    return {g.hash: g for g in map(load_from_library, library_names())}
