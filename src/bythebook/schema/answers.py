"""The gold of a question with a free answer: what RL engines carry in a column."""

from __future__ import annotations

import json
from typing import Literal, Self

from bythebook.types import Example, Noun

__all__ = ["AnswerGold"]


class AnswerGold(Noun):
    """A question with its reference answer, and which program decides whether another answer means the same."""

    question: str
    reference: str
    matcher: Literal["text", "world"] = "text"
    """`text`: equal once normalised (`metrics.answer_text`); `world`: by meaning (`metrics.answer_meaning`), which
    reads the answers of the procedural world alone."""

    accepted: tuple[str, ...] = ()
    """Other wordings that are as right, where `matcher` is `text`; rewards that know one reference don't see them."""

    annotations: tuple[str, ...] = ()
    """Facts of what is seen that a description has to state, each a sentence; only rewards of perception read them."""

    @classmethod
    def of(cls, example: Example) -> Self:
        """The gold of an example. ValueError if it has no reference."""
        if example.reference is None:
            raise ValueError(f"example {example.id} has no reference")
        matcher: Literal["text", "world"] = "world" if example.meta.get("matcher") == "world" else "text"
        accepted, annotations = (tuple(json.loads(example.meta.get(k, "[]"))) for k in ("accepted", "annotations"))
        return cls(
            question=example.text,
            reference=example.reference,
            matcher=matcher,
            accepted=accepted,
            annotations=annotations,
        )

    def to_json(self) -> str:
        """Sorted keys: equal golds are equal strings."""
        return json.dumps(self.model_dump(exclude_defaults=True), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; pydantic's ValidationError if `text` is something else."""
        return cls.model_validate_json(text)
