"""What the ways of asking have in common: a document becomes questions, and their answers a part of its prediction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from bythebook.types import Completion, Entity, Example

__all__ = ["Questions", "Written", "given_entity"]

Written: TypeAlias = Sequence[Completion]
"""What the model wrote of one question, once for each sample."""


class Questions(Protocol):
    """The questions of one document."""

    @property
    def examples(self) -> Sequence[Example]:
        """What is asked, in order."""

    def findings(self, written: Sequence[Written]) -> dict[str, Any]:
        """What the answers say: at least `entities` and `answers` (one a question) of a prediction."""


def given_entity(entity: Entity, text: str) -> dict[str, Any]:
    """An entity as it stands in a prediction."""
    start, end = entity.span.start, entity.span.end
    found: dict[str, Any] = {"id": entity.id, "start": start, "end": end, "text": text[start:end]}
    return found | ({"type": entity.type} if entity.type else {})
