"""Grounding: every mention of an extraction → character offsets in the source. Knows no model and no guideline."""

from bythebook.grounding.ground import ground

__all__ = ["ground"]
