"""Our library of guidelines, each `<name>.md` beside this file, written in our own words."""

from __future__ import annotations

from importlib import resources

from bythebook.errors import GuidelineError
from bythebook.guidelines.markdown import parse_guideline
from bythebook.types import Guideline

__all__ = ["library_names", "load_from_library"]


def library_names() -> tuple[str, ...]:
    """The names of the guidelines in the library, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".md") for f in files if f.name.endswith(".md")))


def load_from_library(name: str) -> Guideline:
    """The library's guideline of that name. GuidelineError if there is none."""
    if name not in library_names():
        raise GuidelineError(f"no guideline {name!r} in the library", remedy=f"there are: {', '.join(library_names())}")
    text = resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")
    return parse_guideline(text, file=f"guidelines/library/{name}.md")
