"""A guideline as Markdown: the reader and its inverse.

The format, which a linguist can write without us:

    # Kitchen verbs                       title
    - Version: 1
    - Domain: kitchen
    Any paragraphs: what holds for all types.

    ## Entity type: Tool                  its text is the definition

    ## Relation type: Dima-Dan
    ### Definition                        required
    ### Arguments                         `- head: Tool, Person` and `- tail: …`
    ### Direction                         prose, or exactly `(e1,e2)`, `(e2,e1)` or `symmetric`
    ### Restrictions                      a list
    ### Overlaps                          a list
    ### Examples                          `- sentence with <e1>…</e1> and <e2>…</e2> => answer`
    ### Near misses                       `- sentence => answer: reason`

    ## No relation: Other                 its text says when it applies

`parse_guideline(write_guideline(g)) == g` for every guideline whose texts are in the form the reader gives (white
space folded). Every complaint names file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from bythebook.guidelines.draft import (
    Answered,
    Draft,
    Findings,
    Parts,
    RelationDraft,
    Text,
    TypeDraft,
    check_form,
    guideline_from,
    item_text,
    prose_text,
    unreadable,
)
from bythebook.types import Guideline, RelationType

__all__ = ["looks_like_heading", "looks_like_meta", "parse_guideline", "read_markdown", "write_guideline"]

SECTIONS = ("Definition", "Arguments", "Direction", "Restrictions", "Overlaps", "Examples", "Near misses")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*\S)[ \t]*")
_TYPE = re.compile(r"(Entity type|Relation type|No relation):[ \t]*(\S.*)")
_META = re.compile(r"-[ \t]+(Version|Domain):[ \t]*(\S.*)")
_START = "start the file with '# Title'"


def looks_like_heading(line: str) -> bool:
    """Whether the reader takes this line for a heading."""
    return _HEADING.fullmatch(line.rstrip()) is not None


def looks_like_meta(line: str) -> bool:
    """Whether the reader takes this line, under the title, for version or domain."""
    return _META.fullmatch(line.rstrip()) is not None


@dataclass
class _Block:
    """A heading and the lines under it, up to the next heading."""

    level: int
    title: str
    line: int
    body: list[tuple[int, str]] = field(default_factory=list)

    def prose(self) -> Text:
        """The lines as written, without blank ones around."""
        first = next((number for number, line in self.body if line), self.line)
        return Text(prose_text("\n".join(line for _, line in self.body)), first)


def read_markdown(text: str) -> Parts:
    """The draft of a Markdown document, with every fault of form. Total: whatever the text, there is a draft."""
    reader = _Reader()
    fault = unreadable(text)
    if fault:
        reader.findings.found.append(fault)
    else:
        reader.read(text)
    return reader.draft, reader.findings


class _Reader:
    def __init__(self) -> None:
        self.draft, self.findings = Draft(), Findings()
        self.error = self.findings.error

    def _split(self, text: str) -> list[_Block]:
        blocks: list[_Block] = []
        early = None
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.rstrip()
            heading = _HEADING.fullmatch(line)
            if heading:
                blocks.append(_Block(len(heading[1]), heading[2], number))
            elif blocks:
                blocks[-1].body.append((number, line))
            elif line and early is None:
                early = number
        if early is not None:
            self.error("text-before-title", early, "text before the title", _START)
        elif not blocks:
            self.error("empty-file", 1, "the file is empty", _START)
        return blocks

    def read(self, text: str) -> None:
        blocks = self._split(text)
        if not blocks:
            return
        if blocks[0].level == 1:
            self._head(blocks.pop(0))
        else:
            self.error("no-title", blocks[0].line, "the first heading is not the title", _START)
            self.draft.title = self.draft.version = self.draft.domain = Text("", blocks[0].line)
        index = 0
        while index < len(blocks):
            end = next((i for i in range(index + 1, len(blocks)) if blocks[i].level != 3), len(blocks))
            self._type(blocks[index], blocks[index + 1 : end])
            index = end
        check_form(self.draft, self.findings)

    def _head(self, block: _Block) -> None:
        meta: dict[str, Text] = {}
        rest = _Block(1, "", block.line)
        for number, line in block.body:
            found = _META.fullmatch(line)
            if found and not any(text for _, text in rest.body[:1]):
                if found[1] in meta:
                    self.error("twice", number, f"{found[1]} given twice", "keep one of them")
                meta.setdefault(found[1], Text(found[2], number))
            elif line or rest.body:
                rest.body.append((number, line))
        self.draft.title = Text(block.title, block.line)
        self.draft.version, self.draft.domain = meta.get("Version"), meta.get("Domain")
        self.draft.preamble = rest.prose()

    def _type(self, block: _Block, parts: list[_Block]) -> None:
        kind = _TYPE.fullmatch(block.title)
        if block.level != 2 or kind is None:
            expected = "level-2 headings are 'Entity type: …', 'Relation type: …' and 'No relation: …'"
            self.error("unexpected-heading", block.line, f"unexpected heading {block.title!r}", expected)
            return
        name = Text(kind[2], block.line)
        if kind[1] == "Relation type":
            self.draft.relation_types.append(self._relation(name, block, parts))
            return
        if parts:
            self.error("unexpected-section", parts[0].line, f"{kind[1]!r} has no subsections")
        one = TypeDraft(name, block.prose())
        if kind[1] == "Entity type":
            self.draft.entity_types.append(one)
        elif self.draft.no_relation is not None:
            self.error("two-no-relations", block.line, "a second no-relation label", "a guideline declares at most one")
        else:
            self.draft.no_relation = one

    def _relation(self, name: Text, head: _Block, parts: list[_Block]) -> RelationDraft:
        if outside := head.prose().text:
            remedy = "put it under '### Definition'"
            self.error("text-outside-sections", head.line, f"text of {name.text!r} outside its sections", remedy)
        found: dict[str, _Block] = {}
        for part in parts:
            if part.title not in SECTIONS:
                remedy = f"sections are: {', '.join(SECTIONS)}"
                self.error("unknown-section", part.line, f"unknown section {part.title!r}", remedy)
            elif part.title in found:
                message = f"section {part.title!r} of {name.text!r} stands twice"
                self.error("duplicate-section", part.line, message, "put what is under both under one of them")
            else:
                found[part.title] = part
        draft = RelationDraft(name)
        if "Definition" in found:
            draft.definition = found["Definition"].prose()
        elif outside:
            draft.definition = head.prose()  # one fault, not two
        draft.arguments = self._arguments(found.get("Arguments"))
        draft.direction = found["Direction"].prose() if "Direction" in found else None
        draft.restrictions = self._items(found.get("Restrictions"))
        draft.overlaps = self._items(found.get("Overlaps"))
        examples = [self._answered(item) for item in self._items(found.get("Examples"))]
        draft.examples = [x for x in examples if x]
        misses = [self._answered(item, reason=True) for item in self._items(found.get("Near misses"))]
        draft.near_misses = [x for x in misses if x]
        draft.empty = [Text(t, b.line) for t, b in found.items() if t != "Definition" and not b.prose().text]
        return draft

    def _items(self, block: _Block | None) -> list[Text]:
        """The `- ` items of a list section; an indented line goes on with the item before it."""
        items: list[tuple[int, list[str]]] = []
        for number, line in block.body if block else []:
            if not line:
                continue
            if line.startswith("- "):
                items.append((number, [line[2:]]))
            elif line.startswith(" ") and items:
                items[-1][1].append(line)
            else:
                title = block.title if block else ""
                self.error("not-a-list", number, f"{title!r} is a list", "start each item with '- '")
        return [Text(item_text("\n".join(lines)), number) for number, lines in items]

    def _arguments(self, block: _Block | None) -> dict[str, list[Text]]:
        out: dict[str, list[Text]] = {}
        for item in self._items(block):
            role, colon, types = item.text.partition(":")
            if role not in ("head", "tail") or not colon or role in out:
                self.error("bad-arguments", item.line, "arguments are '- head: types' and '- tail: types'")
                continue
            out[role] = [Text(name, item.line) for t in types.split(",") if (name := t.strip())]
        return out

    def _answered(self, item: Text, *, reason: bool = False) -> Answered | None:
        left, arrow, right = item.text.rpartition("=>")
        if not arrow or not left.strip() or not right.strip():
            self.error("no-answer", item.line, "an example needs an answer", "write '- sentence => answer'")
            return None
        answer, _, why = right.partition(":") if reason else (right, "", "")
        return Answered(left.strip(), answer.strip(), why.strip(), item.line)


def parse_guideline(text: str, file: Path | str = "<guideline>") -> Guideline:
    """Markdown → `Guideline`. Raises GuidelineError, which names `file` and the line, for any departure."""
    return guideline_from(read_markdown(text), file)


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"### {title}", *lines, ""] if lines else []


def _write_relation(r: RelationType) -> list[str]:
    arguments = [f"- {role}: {', '.join(t)}" for role, t in (("head", r.head_types), ("tail", r.tail_types)) if t]
    misses = [f"- {m.sentence} => {m.answer}" + (f": {m.reason}" if m.reason else "") for m in r.near_misses]
    return [
        f"## Relation type: {r.name}",
        "",
        *_section("Definition", [r.definition]),
        *_section("Arguments", arguments),
        *_section("Direction", [r.direction] if r.direction else []),
        *_section("Restrictions", [f"- {x}" for x in r.restrictions]),
        *_section("Overlaps", [f"- {x}" for x in r.overlaps]),
        *_section("Examples", [f"- {sentence} => {answer}" for sentence, answer in r.examples]),
        *_section("Near misses", misses),
    ]


def write_guideline(g: Guideline) -> str:
    """`Guideline` → Markdown."""
    lines = [f"# {g.title}", "", f"- Version: {g.version}", f"- Domain: {g.domain}", ""]
    if g.preamble:
        lines += [g.preamble, ""]
    for e in g.entity_types:
        lines += [f"## Entity type: {e.name}", "", e.definition, ""]
    for r in g.relation_types:
        lines += _write_relation(r)
    if g.no_relation:
        lines += [f"## No relation: {g.no_relation}", "", g.no_relation_definition, ""]
    return "\n".join(lines).rstrip() + "\n"
