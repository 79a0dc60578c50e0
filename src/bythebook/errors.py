"""The exception tree. What a user can mend derives from `InputError`; the command line prints it without a traceback.

BythebookError
├── InputError             the input is wrong; the message names file, line and remedy      (exit code 1)
│   ├── GuidelineError     a guideline document breaks the format
│   ├── DataError          a data file breaks its format
│   ├── RecipeError        a recipe has an unknown key or a value out of range
│   └── ModelError         a model can't be loaded, or can't do what is asked of it
├── MissingExtraError      an optional part of the installation is absent; the message says how to add it
└── Interrupted            stopped by Ctrl-C with its state saved                            (exit code 130)
"""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

__all__ = [
    "BythebookError",
    "DataError",
    "GuidelineError",
    "InputError",
    "Interrupted",
    "MissingExtraError",
    "ModelError",
    "RecipeError",
    "first_fault",
    "said",
]


_LONGEST = 2_000
"""Characters of a message: more than any list of names has, and less than a hostile line."""


def _one_line(message: str) -> str:
    message = " ".join(message.splitlines()) if "\n" in message or "\r" in message else message
    return message if len(message) <= _LONGEST else message[:_LONGEST] + "…"


def first_fault(error: ValidationError) -> tuple[str, str]:
    """(where, what) of the first thing that is wrong: `where` has dots between keys and is empty for the whole."""
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def said(error: ValidationError) -> str:
    """The first thing that is wrong, and where in it."""
    where, what = first_fault(error)
    return f"{where}: {what}" if where else what


class BythebookError(Exception):
    """Root of every exception raised on purpose."""


class InputError(BythebookError):
    """Something the user gave is wrong. `file` and `line` (1-based) say where, `remedy` what to do about it."""

    def __init__(
        self, message: str, *, file: Path | str | None = None, line: int | None = None, remedy: str | None = None
    ) -> None:
        message = _one_line(message)
        self.message, self.file, self.line, self.remedy = message, file, line, remedy
        where = "" if file is None else f"{file}:{line}: " if line is not None else f"{file}: "
        super().__init__(f"{where}{message}" + (f" ({remedy})" if remedy else ""))


class GuidelineError(InputError):
    """A guideline document breaks the format."""


class DataError(InputError):
    """A data file breaks its format."""


class RecipeError(InputError):
    """A recipe has an unknown key or a value out of range."""


class ModelError(InputError):
    """A model can't be loaded, or can't do what is asked of it."""


class MissingExtraError(BythebookError):
    """An optional part of the installation is absent."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the '{extra}' extra: pip install 'bythebook[{extra}]'")
        self.extra = extra


class Interrupted(BythebookError):
    """The work was stopped by Ctrl-C; its state is saved, and the message says how to go on."""
