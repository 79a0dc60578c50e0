"""Prompts: an example under its guideline, as chat messages. The guideline comes first, so that all prompts of a
guideline share their beginning."""

from bythebook.prompts.render import PromptStyle, marked_text, render, render_guideline, source_text, style_of

__all__ = ["PromptStyle", "marked_text", "render", "render_guideline", "source_text", "style_of"]
