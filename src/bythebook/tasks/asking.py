"""Questions with a free answer: the guideline that stands over them, and the reference that they are asked against."""

from __future__ import annotations

from bythebook.errors import DataError
from bythebook.types import Example, Guideline, RelationType

__all__ = ["how_to_answer", "reference_of"]

_HOW = (
    "Answer the question. First write down how you get there, step by step. Then end with one line of its own that "
    'begins with "Therefore, the answer is" and gives the answer alone, in few words: that line is all that is read.'
)


def how_to_answer(domain: str, preamble: str = _HOW) -> Guideline:
    """A guideline for questions of a domain. Its one type says what an answer is; no prompt shows it."""
    kind = RelationType(name="Answer", definition="what the question asks for, in few words")
    return Guideline(title="Questions", version="1", domain=domain, preamble=preamble, relation_types=(kind,))


def reference_of(example: Example) -> str:
    """The reference, for fine-tuning. DataError where there is none."""
    if example.reference is None:
        raise DataError(f"example {example.id} has no reference", remedy="fine-tuning needs answers")
    return example.reference
