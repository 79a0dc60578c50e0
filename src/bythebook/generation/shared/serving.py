"""Whether a model's completions come from the engine."""

from __future__ import annotations

import warnings
import weakref
from typing import Any

from bythebook.generation.shared.support import differs_from_plain, why_not_shared

__all__ = ["is_served"]

_TRIED: weakref.WeakKeyDictionary[Any, str | None] = weakref.WeakKeyDictionary()
"""Models that were tried, and what was different."""


def is_served(model: Any) -> bool:
    """Whether the engine serves this model. A model that seems to be served is tried once; if what comes out differs,
    a warning says so."""
    if why_not_shared(model):
        return False
    if model not in _TRIED:
        _TRIED[model] = differs_from_plain(model)
        if _TRIED[model]:
            message = f"guidelines are computed anew for every prompt: with shared prefixes {_TRIED[model]}"
            warnings.warn(message, stacklevel=2)
    return _TRIED[model] is None
