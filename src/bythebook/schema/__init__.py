"""Schema: guideline → which answers it admits. One source for prompting, parsing, validating and decoding."""

from bythebook.schema.extraction import ExtractionSchema, MentionOrder, RelationSignature
from bythebook.schema.gold import ExtractionGold, gold_of, read_gold
from bythebook.schema.labels import Gold, Grammar

__all__ = [
    "ExtractionGold",
    "ExtractionSchema",
    "Gold",
    "Grammar",
    "MentionOrder",
    "RelationSignature",
    "gold_of",
    "read_gold",
]
