"""How far the mentions of an answer lie from those of the gold, where they are not the same."""

from __future__ import annotations

from collections.abc import Sequence

from bythebook.metrics.answer_text import jaccard
from bythebook.types import ExtractedEntity

__all__ = ["MAX_MENTIONS", "summed_overlap"]

MAX_MENTIONS = 256
"""Wrong mentions of an answer that are looked at; what is beyond them overlaps with nothing."""


def summed_overlap(answered: Sequence[ExtractedEntity], wanted: Sequence[ExtractedEntity]) -> float:
    """Sum of the Jaccard indices of word sets over pairs of one mention of each side, of the same type.

    Each mention is in one pair at most: every gold mention in turn takes the nearest that is left. The release lets all
    of them take the same one, and any type, so that one long mention serves them all.
    """
    left = [(e.type, frozenset(e.text.split())) for e in answered[:MAX_MENTIONS]]
    total = 0.0
    for entity in wanted:
        words = frozenset(entity.text.split())
        index = [jaccard(words, other) if kind == entity.type else 0.0 for kind, other in left]
        best = max(range(len(index)), key=index.__getitem__, default=None)
        if best is not None and index[best] > 0.0:
            total += index[best]
            del left[best]
    return total
