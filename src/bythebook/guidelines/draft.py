"""A guideline as it was written: every text with its line, whatever is wrong with it.

Both forms, Markdown and YAML, are read into a `Draft`. The loader builds the `Guideline` from it and refuses the first
fault of form; the linter (`guidelines.lint`) lists all of them, and what else is wrong with the content.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from bythebook.errors import GuidelineError, first_fault
from bythebook.types import EntityType, Guideline, Label, NearMiss, Noun, RelationType

__all__ = [
    "Answered",
    "Draft",
    "Finding",
    "Findings",
    "Parts",
    "RelationDraft",
    "Severity",
    "Text",
    "TypeDraft",
    "build",
    "guideline_from",
    "item_text",
    "prose_text",
    "unreadable",
]

Severity = Literal["error", "warning"]
FORMAT_HELP = "see `bythebook guideline show` of a library guideline for the format"
LONGEST = 1_000_000
"""Characters of a guideline: several books."""
_SURROGATE = re.compile("[\ud800-\udfff]")


class Finding(Noun):
    """One fault of a guideline. `line` counts from 1."""

    code: str
    severity: Severity
    line: int
    message: str
    remedy: str


class Findings:
    """Faults as they are met."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def error(self, code: str, line: int, message: str, remedy: str = FORMAT_HELP) -> None:
        """A fault that has to go."""
        self.found.append(Finding(code=code, severity="error", line=line, message=_clipped(message), remedy=remedy))

    def warning(self, code: str, line: int, message: str, remedy: str) -> None:
        """Something that is probably a slip."""
        self.found.append(Finding(code=code, severity="warning", line=line, message=message, remedy=remedy))


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the line where it begins."""

    text: str
    line: int

    def line_of(self, offset: int) -> int:
        """The line of a character of the text."""
        return self.line + self.text.count("\n", 0, offset)


@dataclass(frozen=True, slots=True)
class Answered:
    """An example or a near miss; `reason` is empty for an example."""

    sentence: str
    answer: str
    reason: str
    line: int


@dataclass
class TypeDraft:
    """An entity type, or the no-relation label."""

    name: Text
    definition: Text


@dataclass
class RelationDraft:
    """A relation type. `empty` holds the headings under which nothing stands."""

    name: Text
    definition: Text | None = None
    arguments: dict[str, list[Text]] = field(default_factory=dict)
    direction: Text | None = None
    restrictions: list[Text] = field(default_factory=list)
    overlaps: list[Text] = field(default_factory=list)
    examples: list[Answered] = field(default_factory=list)
    near_misses: list[Answered] = field(default_factory=list)
    empty: list[Text] = field(default_factory=list)


@dataclass
class Draft:
    """A guideline, with None for what is missing."""

    title: Text | None = None
    version: Text | None = None
    domain: Text | None = None
    preamble: Text = field(default_factory=lambda: Text("", 1))
    entity_types: list[TypeDraft] = field(default_factory=list)
    relation_types: list[RelationDraft] = field(default_factory=list)
    no_relation: TypeDraft | None = None


Parts = tuple[Draft, Findings]
_LONGEST_MESSAGE = 300


def _clipped(message: str) -> str:
    """A message may quote a line, and lines may be long."""
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + "…"


def prose_text(text: str) -> str:
    """Prose as a guideline keeps it: lines without blanks at their ends, none of them empty at either end."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def item_text(text: str) -> str:
    """An item of a list as a guideline keeps it: one line."""
    return " ".join(part for line in text.splitlines() if (part := line.strip()))


def unreadable(text: str) -> Finding | None:
    """What keeps a text from being looked at at all: more characters than any guideline has, or half characters."""
    if len(text) > LONGEST:
        remedy = "a prompt has to hold the whole guideline; take out what is no part of it"
        message = f"the file has {len(text):,} characters, more than {LONGEST:,}"
        return Finding(code="too-long", severity="error", line=1, message=message, remedy=remedy)
    if half := _SURROGATE.search(text):
        line = max(1, len(text[: half.start() + 1].splitlines()))
        message = "half of a surrogate pair, which no UTF-8 file can hold"
        return Finding(code="surrogate", severity="error", line=line, message=message, remedy="delete the character")
    return None


def check_form(draft: Draft, findings: Findings, *, yaml: bool = False) -> None:
    """Faults that either form can have: something missing, a bad name, a label twice."""
    line = draft.title.line if draft.title else 1
    for name, text in (("Version", draft.version), ("Domain", draft.domain)):
        if text is None:
            remedy = f"add '{name.lower()}: …'" if yaml else f"add '- {name}: …' under the title"
            findings.error(f"no-{name.lower()}", line, f"no {name}", remedy)
    labels: dict[str, int] = {}
    for relation in draft.relation_types:
        _check_label(relation.name, labels, findings)
        if relation.definition is None or not relation.definition.text:
            message = f"relation type {relation.name.text!r} has no definition"
            findings.error("no-definition", relation.name.line, message, "say in a sentence what the relation means")
        for types in relation.arguments.values():
            for one in types:
                _check_name(one, findings)
    if draft.no_relation:
        _check_label(draft.no_relation.name, labels, findings)
    for entity in draft.entity_types:
        _check_name(entity.name, findings)
    if not draft.relation_types and not findings.found:
        remedy = "add a list 'relation_types:'" if yaml else "add a section '## Relation type: NAME'"
        findings.error("no-relation-type", line, "no relation type", remedy)


def _check_name(name: Text, findings: Findings) -> bool:
    try:
        Label(name=name.text)
    except ValidationError as error:
        message = first_fault(error)[1].removeprefix("Value error, ")
        findings.error("bad-name", name.line, message, "choose a short name without brackets, commas and line breaks")
        return False
    return True


def _check_label(name: Text, labels: dict[str, int], findings: Findings) -> None:
    if not _check_name(name, findings):
        return
    if name.text in labels:
        message = f"label declared twice: {name.text}"
        findings.error("duplicate-label", name.line, message, f"it stands in line {labels[name.text]} already")
    labels.setdefault(name.text, name.line)


def guideline_from(parts: Parts, file: Path | str) -> Guideline:
    """The guideline of a draft without faults of form. GuidelineError names the first fault with its line."""
    draft, findings = parts
    errors = [f for f in findings.found if f.severity == "error"]
    if errors:
        first = min(errors, key=lambda f: f.line)
        raise GuidelineError(first.message, file=file, line=first.line, remedy=first.remedy)
    return build(draft)


def build(draft: Draft) -> Guideline:
    """The guideline of a draft that has every part."""

    def text(part: Text | None) -> str:
        return part.text if part else ""

    none = draft.no_relation
    return Guideline(
        title=text(draft.title),
        version=text(draft.version),
        domain=text(draft.domain),
        preamble=draft.preamble.text,
        entity_types=tuple(EntityType(name=e.name.text, definition=e.definition.text) for e in draft.entity_types),
        relation_types=tuple(
            RelationType(
                name=r.name.text,
                definition=text(r.definition),
                head_types=tuple(t.text for t in r.arguments.get("head", ())),
                tail_types=tuple(t.text for t in r.arguments.get("tail", ())),
                direction=text(r.direction),
                restrictions=tuple(t.text for t in r.restrictions),
                overlaps=tuple(t.text for t in r.overlaps),
                examples=tuple((x.sentence, x.answer) for x in r.examples),
                near_misses=tuple(
                    NearMiss(sentence=m.sentence, answer=m.answer, reason=m.reason) for m in r.near_misses
                ),
            )
            for r in draft.relation_types
        ),
        no_relation=none.name.text if none else None,
        no_relation_definition=none.definition.text if none else "",
    )
