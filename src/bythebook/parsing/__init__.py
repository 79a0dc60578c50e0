"""Parsing: what a model wrote → `Parsed`. Total, linear in time, and never executing any text."""

from bythebook.parsing.blocks import TAG_FAULTS, UNREAD_ANSWER
from bythebook.parsing.extraction import DROPPED_ITEMS, FORM_FAULTS, MAX_EXTRACTED, parse_extraction
from bythebook.parsing.tag_sets import TAG_SETS, TagSet
from bythebook.parsing.tags import MAX_ITEMS, parse_tagged_answer

__all__ = [
    "DROPPED_ITEMS",
    "FORM_FAULTS",
    "MAX_EXTRACTED",
    "MAX_ITEMS",
    "TAG_FAULTS",
    "TAG_SETS",
    "UNREAD_ANSWER",
    "TagSet",
    "parse_extraction",
    "parse_tagged_answer",
]
