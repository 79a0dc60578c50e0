"""What both worlds do alike: read their options, and mix training examples guideline by guideline."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bythebook.errors import DataError, RecipeError, said
from bythebook.types import Example, Noun

__all__ = ["mixed_by_guideline", "options_of"]

Options = TypeVar("Options", bound=Noun)


def options_of(world: str, kind: type[Options], path: Path | str | None, options: Mapping[str, Any]) -> Options:
    """The options of a world. RecipeError for one that is unknown or out of range; DataError for a path, since the
    world needs none."""
    if path is not None:
        raise DataError("the world is generated: it reads no path", file=path, remedy="leave --path out")
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        remedy = f"options are: {', '.join(kind.model_fields)}"
        raise RecipeError(f"{world} option {said(error)}", remedy=remedy) from None


def mixed_by_guideline(examples: Iterable[Example], key: str) -> list[Example]:
    """Neighbours under one guideline stay together, in an order that hangs on `key` alone."""
    groups = [list(group) for _, group in groupby(examples, key=lambda e: e.meta["guideline_id"])]
    random.Random(key).shuffle(groups)
    return [e for group in groups for e in group]
