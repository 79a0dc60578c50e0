"""Parsing: what a model wrote → `Parsed`. Total, linear in time, and never executing any text."""

from bythebook.parsing.tags import MAX_ITEMS, TAG_FAULTS, UNREAD_ANSWER, parse_tagged_answer

__all__ = ["MAX_ITEMS", "TAG_FAULTS", "UNREAD_ANSWER", "parse_tagged_answer"]
