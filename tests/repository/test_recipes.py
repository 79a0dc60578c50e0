"""Every recipe in the package loads, and says where each of its values comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bythebook.recipe import load_recipe, recipe_names

_PACKAGE = Path(__file__).resolve().parents[2] / "src" / "bythebook"
_RECIPES = sorted(_PACKAGE.rglob("recipes/**/*.yaml"))
_VALUE = re.compile(r"\s*(?:-\s+\S|(?:-\s+)?[\w.]+:\s+[^\s#])")
_SOURCED = re.compile(r"\s#\s\S")


def unsourced(text: str) -> list[str]:
    """`line: text` of every line of a YAML text that gives a value and has no comment after it."""
    return [
        f"{number}: {line}"
        for number, line in enumerate(text.splitlines(), start=1)
        if _VALUE.match(line) and not _SOURCED.search(line)
    ]


def test_a_value_without_a_source_is_seen() -> None:
    text = "# head\nmodel:\n  name: x  # paper, section 2\n  size: 3\n  list:\n    - a\n    - b  # our choice\n"
    assert unsourced(text) == ["4:   size: 3", "6:     - a"]


def test_there_are_recipes() -> None:
    assert len(_RECIPES) > 0
    assert len(recipe_names()) == len(_RECIPES)
    others = set((_PACKAGE / "launch").iterdir())  # configurations of accelerate
    assert set(_RECIPES) == {p for p in _PACKAGE.rglob("*") if p.suffix in (".yaml", ".yml")} - others


@pytest.mark.parametrize("path", _RECIPES, ids=lambda p: p.stem)
def test_a_recipe_loads(path: Path) -> None:
    load_recipe(path)


@pytest.mark.parametrize("path", _RECIPES, ids=lambda p: p.stem)
def test_every_value_of_a_recipe_has_its_source(path: Path) -> None:
    assert unsourced(path.read_text(encoding="utf-8")) == []
