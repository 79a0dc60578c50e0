"""Example + guideline → chat messages, by Jinja templates.

A question of relation classification (sub-task `label`) has the two mentions marked. One of joint extraction has the
plain text, and what is given beside it as JSON in the form of the answer. The guideline stands before everything that
differs between examples, and, in the explaining templates, before everything that differs between sub-tasks.

A multiple-choice question (`Guideline.chooses`) has its options instead of a guideline, after the rules of the
preamble, if there are any; mentions are marked where the text has them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Literal

import jinja2

from bythebook.recipe import PromptSection, Tags
from bythebook.schema.key_values import KeySchema
from bythebook.types import Example, Guideline, Noun, RelationType

__all__ = [
    "PromptStyle",
    "environment",
    "given_text",
    "marked_text",
    "render",
    "render_guideline",
    "source_text",
    "style_of",
]

Rendering = Literal["full", "condensed", "rules", "brief"]
"""How much of the guideline the model sees: `full` all sections; `condensed` definition, arguments, direction,
restrictions and overlaps (our stand-in where R1-RE leaves it open); `rules` one line a clause of a definition,
restrictions included; `brief` one line a type."""


class PromptStyle(Noun):
    """How prompts are written. A model directory made by us keeps its own in `prompt.json`."""

    template: Literal["r1_re", "short"] = "r1_re"
    """`r1_re` explains task and answer form; `short` gives guideline and text only. Each has a twin for joint
    extraction and one for multiple choice, which are taken by themselves."""
    rendering: Rendering = "condensed"
    tags: Tags = "think"
    """The blocks around reasoning and answer of joint extraction (`parsing.TAG_SETS`); a label's are always `think`."""


def style_of(prompt: PromptSection) -> PromptStyle:
    """The style that a recipe asks for."""
    return PromptStyle(template=prompt.template, rendering=prompt.rendering, tags=prompt.tags)


_IN_THE_PICTURE = "It is in the picture."
"""What stands in the place of a document that is shown as a picture: its text would give it away."""

_CHOICE_TEMPLATES = {"r1_re": "choice.jinja", "short": "choice_short.jinja"}
_EXTRACTION_TEMPLATES = {"r1_re": "extract.jinja", "short": "extract_short.jinja"}


def _signature(relation: RelationType) -> str:
    """The entity types of head and tail: ` (Method → Dataset)`; empty where the guideline says none."""
    head, tail = _ends(relation)
    return f" ({head} {'–' if relation.symmetric else '→'} {tail})" if head else ""


def _from_to(relation: RelationType) -> str:
    """The same in words: `, Method to Dataset`."""
    head, tail = _ends(relation)
    return f", {head} {'and' if relation.symmetric else 'to'} {tail}" if head else ""


def _ends(relation: RelationType) -> tuple[str, str]:
    """The entity types of head and of tail, in words; empty where the guideline says none of either."""
    if not relation.head_types and not relation.tail_types:
        return "", ""
    head, tail = (" or ".join(types) or "any" for types in (relation.head_types, relation.tail_types))
    return head, tail


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates of this room."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("bythebook.prompts", "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters["signature"] = _signature
    made.filters["from_to"] = _from_to
    return made


@lru_cache(maxsize=512)
def render_guideline(guideline: Guideline, rendering: Rendering = "condensed", extraction: bool = False) -> str:
    """The guideline as the model reads it. For joint extraction, where a pair without relation is left out, the
    no-relation label is, too; and `rules` and `brief` have lines for the entity types and name the types of head and
    tail, which the longer renderings have in any case."""
    text = environment().get_template(f"guideline_{rendering}.jinja").render(g=guideline, extraction=extraction)
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


def source_text(example: Example) -> str:
    """The source text as a prompt has it: with the two mentions marked where their relation is asked."""
    plain = example.sub_task != "label" or (not example.entities and example.guideline.chooses)
    return example.text if plain else marked_text(example)


def render(
    example: Example, style: PromptStyle | None = None, guideline: Guideline | None = None
) -> list[dict[str, str]]:
    """Chat messages for one example, under `guideline` if given, else under its own.

    There is no system message: some chat templates have no such role.
    """
    style = style or PromptStyle()
    shown = guideline or example.guideline
    if example.sub_task == "question":
        # A model that was trained on nothing else needs no instruction.
        template = environment().get_template("question.jinja")
        bare = style.template == "short" or not shown.preamble
        asked = example.text if bare else template.render(g=shown, text=example.text)
        return [{"role": "user", "content": asked.strip()}]
    if example.sub_task == "key_values":
        name = f"key_values{'_short' if style.template == 'short' else ''}.jinja"
        keys = KeySchema.of(shown).skeleton
        text = example.text if example.picture is None else _IN_THE_PICTURE
        content = environment().get_template(name).render(g=shown, keys=keys, text=text, tags=style.tags)
        return [{"role": "user", "content": content.strip()}]
    if example.sub_task != "label":
        return [{"role": "user", "content": _extraction_prompt(example, style, shown)}]
    name = _CHOICE_TEMPLATES[style.template] if shown.chooses else f"{style.template}.jinja"
    guideline_text = "" if shown.chooses else render_guideline(shown, style.rendering)
    content = environment().get_template(name).render(guideline=guideline_text, g=shown, text=source_text(example))
    return [{"role": "user", "content": content.strip()}]


def _extraction_prompt(example: Example, style: PromptStyle, shown: Guideline) -> str:
    content = (
        environment()
        .get_template(_EXTRACTION_TEMPLATES[style.template])
        .render(
            guideline=render_guideline(shown, style.rendering, extraction=True),
            g=shown,
            sub_task=example.sub_task,
            text=example.text,
            given=given_text(example),
            tags=style.tags,
        )
    )
    return content.strip()


def given_text(example: Example) -> str:
    """What a prompt of joint extraction tells beside the text, as JSON on one line: the pairs of `re` as
    `[["text", "text"], …]`, the entities of `re_plus` as `[["text", "type"], …]`, each once; empty for the others."""
    if example.given is None:
        return ""
    if example.sub_task == "re":
        items = [(r.head.text, r.tail.text) for r in example.given.relations]
    else:
        items = [(e.text, e.type or "") for e in example.given.entities]
    return json.dumps(list(dict.fromkeys(items)), ensure_ascii=False)
