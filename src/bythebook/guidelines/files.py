"""Guideline files: the suffix says which form, the bytes have to be UTF-8."""

from __future__ import annotations

from pathlib import Path

from bythebook.errors import GuidelineError
from bythebook.guidelines.markdown import parse_guideline
from bythebook.guidelines.yaml_form import parse_yaml
from bythebook.types import Guideline

__all__ = ["is_yaml", "load_guideline", "read_bytes"]


def is_yaml(path: Path | str) -> bool:
    """Whether a file of this name is YAML (`.yaml`, `.yml`); any other is Markdown."""
    return Path(path).suffix.lower() in (".yaml", ".yml")


def read_bytes(path: Path | str) -> bytes:
    """What is in the file. GuidelineError if it can't be read."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise GuidelineError(f"can't be read: {reason}", file=path) from None


def load_guideline(path: Path | str) -> Guideline:
    """Read a guideline file, Markdown or YAML. Raises GuidelineError if it can't be read or breaks the format."""
    raw = read_bytes(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"can't be read: byte 0x{raw[error.start]:02x} is not UTF-8"
        raise GuidelineError(message, file=path, line=line, remedy="save the file as UTF-8") from None
    return parse_yaml(text, file=path) if is_yaml(path) else parse_guideline(text, file=path)
