"""Example + guideline → chat messages, by Jinja templates."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import jinja2

from bythebook.types import Example, Guideline, Noun

__all__ = ["PromptStyle", "marked_text", "render", "render_guideline"]

Rendering = Literal["full", "condensed", "rules", "brief"]
"""How much of the guideline the model sees: `full` all sections; `condensed` definition, arguments, direction,
restrictions and overlaps (our stand-in where R1-RE leaves it open); `rules` one line a clause of a definition,
restrictions included; `brief` one line a type."""


class PromptStyle(Noun):
    """How prompts are written. A model directory made by us keeps its own in `prompt.json`."""

    template: Literal["r1_re", "short"] = "r1_re"
    """`r1_re` explains task and answer form; `short` gives guideline and text only."""
    rendering: Rendering = "condensed"


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("bythebook.prompts", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


@lru_cache(maxsize=512)
def render_guideline(guideline: Guideline, rendering: Rendering = "condensed") -> str:
    """The guideline as the model reads it."""
    text = _environment().get_template(f"guideline_{rendering}.jinja").render(g=guideline)
    return text.strip()


def marked_text(example: Example) -> str:
    """The source text with `<e1>…</e1>` and `<e2>…</e2>` around the arguments. KeyError if one is missing."""
    edits: list[tuple[int, int, str]] = []
    for name in ("e1", "e2"):
        span = example.entity(name).span
        # At one offset, closing tags come before opening ones.
        edits += [(span.start, 1, f"<{name}>"), (span.end, 0, f"</{name}>")]
    text = example.text
    for offset, _, tag in sorted(edits, reverse=True):
        text = text[:offset] + tag + text[offset:]
    return text


def render(
    example: Example, style: PromptStyle | None = None, guideline: Guideline | None = None
) -> list[dict[str, str]]:
    """Chat messages for one example, under `guideline` if given, else under its own.

    There is no system message: some chat templates have no such role.
    """
    style = style or PromptStyle()
    shown = guideline or example.guideline
    content = (
        _environment()
        .get_template(f"{style.template}.jinja")
        .render(guideline=render_guideline(shown, style.rendering), g=shown, text=marked_text(example))
    )
    return [{"role": "user", "content": content.strip()}]
