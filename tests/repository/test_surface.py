"""The public surface: adding to it is a decision, removing from it breaks somebody."""

from __future__ import annotations

import importlib

import pytest

import bythebook

_SURFACE = {
    "bythebook": ["__version__"],
    "bythebook.annotation": ["annotate"],
    "bythebook.errors": ["BythebookError", "InputError"],
    "bythebook.evaluation": ["evaluate"],
    "bythebook.guidelines": ["load_from_library", "load_guideline", "parse_guideline", "write_guideline"],
    "bythebook.records": ["Record", "read_records"],
    "bythebook.rewards": ["reward"],
    "bythebook.training": ["train"],
    "bythebook.types": [
        "Completion",
        "Entity",
        "Example",
        "Guideline",
        "Label",
        "Parsed",
        "RelationType",
        "Span",
        "Verdict",
    ],
}


def test_the_surface_is_pinned() -> None:
    assert sorted(bythebook.__all__) == sorted(name for names in _SURFACE.values() for name in names)
    assert set(bythebook.__all__) <= set(dir(bythebook))


@pytest.mark.parametrize(("room", "name"), [(room, name) for room, names in _SURFACE.items() for name in names])
def test_a_public_name_is_the_one_of_its_room(room: str, name: str) -> None:
    assert getattr(bythebook, name) is getattr(importlib.import_module(room), name)


@pytest.mark.parametrize("name", ["annotate", "evaluate", "reward", "train"])
def test_no_room_has_the_name_of_a_public_function(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"bythebook.{name}")
    assert callable(getattr(bythebook, name))
