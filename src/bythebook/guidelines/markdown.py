"""A guideline as Markdown: the strict reader and its inverse.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

from pydantic import ValidationError

from bythebook.errors import GuidelineError
from bythebook.types import EntityType, Guideline, Label, NearMiss, RelationType

__all__ = ["load_guideline", "parse_guideline", "write_guideline"]

_SECTIONS = ("Definition", "Arguments", "Direction", "Restrictions", "Overlaps", "Examples", "Near misses")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*\S)[ \t]*")
_TYPE = re.compile(r"(Entity type|Relation type|No relation):[ \t]*(\S.*)")
_META = re.compile(r"-[ \t]+(Version|Domain):[ \t]*(\S.*)")
_T = TypeVar("_T")
_FORMAT_HELP = "see `bythebook guideline show` of a library guideline for the format"


@dataclass
class _Block:
    """A heading and the lines under it, up to the next heading."""

    level: int
    title: str
    line: int
    body: list[tuple[int, str]] = field(default_factory=list)


class _Reader:
    def __init__(self, text: str, file: Path | str) -> None:
        self.file = file
        self.blocks = list(self._split(text))
        self.labels: dict[str, int] = {}

    def fail(self, message: str, line: int | None, remedy: str = _FORMAT_HELP) -> NoReturn:
        raise GuidelineError(message, file=self.file, line=line, remedy=remedy)

    def _split(self, text: str) -> Iterator[_Block]:
        block: _Block | None = None
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.rstrip()
            heading = _HEADING.fullmatch(line)
            if heading:
                if block:
                    yield block
                block = _Block(len(heading[1]), heading[2], number)
            elif block:
                block.body.append((number, line))
            elif line:
                self.fail("text before the title", number, "start the file with '# Title'")
        if block is None:
            self.fail("the file is empty", 1, "start the file with '# Title'")
        yield block

    def read(self) -> Guideline:
        first, rest = self.blocks[0], self.blocks[1:]
        if first.level != 1:
            self.fail("the first heading is not the title", first.line, "start the file with '# Title'")
        meta, preamble = self._meta(first)
        entities: list[EntityType] = []
        relations: list[RelationType] = []
        none: tuple[str, str] | None = None
        index = 0
        while index < len(rest):
            block = rest[index]
            kind = _TYPE.fullmatch(block.title)
            if block.level != 2 or kind is None:
                self.fail(
                    f"unexpected heading {block.title!r}",
                    block.line,
                    "level-2 headings are 'Entity type: …', 'Relation type: …' and 'No relation: …'",
                )
            end = next((i for i in range(index + 1, len(rest)) if rest[i].level != 3), len(rest))
            parts, index = rest[index + 1 : end], end
            if kind[1] != "Entity type":
                self._declare(kind[2], block.line)
            if kind[1] == "Relation type":
                relations.append(self._relation(kind[2], block, parts))
                continue
            if parts:
                self.fail(f"{kind[1]!r} has no subsections", parts[0].line)
            if kind[1] == "Entity type":
                name, text = kind[2], _prose(block.body)
                entities.append(self._build(lambda n=name, t=text: EntityType(name=n, definition=t), block.line))  # type: ignore[misc]
            elif none is not None:
                self.fail("a second no-relation label", block.line, "a guideline declares at most one")
            else:
                none = kind[2], _prose(block.body)
        if not relations:
            self.fail("no relation type", first.line, "add a section '## Relation type: NAME'")
        return self._build(
            lambda: Guideline(
                title=first.title,
                version=meta["Version"],
                domain=meta["Domain"],
                preamble=preamble,
                entity_types=tuple(entities),
                relation_types=tuple(relations),
                no_relation=none[0] if none else None,
                no_relation_definition=none[1] if none else "",
            ),
            first.line,
        )

    def _declare(self, name: str, line: int) -> None:
        """Refuse what can't be a label, and one that stands already."""
        self._build(lambda: Label(name=name), line)
        if name in self.labels:
            self.fail(f"label declared twice: {name}", line, f"it stands in line {self.labels[name]} already")
        self.labels[name] = line

    def _build(self, make: Callable[[], _T], line: int) -> _T:
        try:
            return make()
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise GuidelineError(message, file=self.file, line=line) from None

    def _meta(self, block: _Block) -> tuple[dict[str, str], str]:
        meta: dict[str, str] = {}
        rest: list[tuple[int, str]] = []
        for number, line in block.body:
            found = _META.fullmatch(line)
            if found and not any(text for _, text in rest):
                if found[1] in meta:
                    self.fail(f"{found[1]} given twice", number)
                meta[found[1]] = found[2]
            else:
                rest.append((number, line))
        for key in ("Version", "Domain"):
            if key not in meta:
                self.fail(f"no {key}", block.line, f"add '- {key}: …' under the title")
        return meta, _prose(rest)

    def _relation(self, name: str, head: _Block, parts: list[_Block]) -> RelationType:
        if _prose(head.body):
            self.fail(f"text of {name!r} outside its sections", head.line, "put it under '### Definition'")
        found: dict[str, _Block] = {}
        for part in parts:
            if part.title not in _SECTIONS:
                self.fail(f"unknown section {part.title!r}", part.line, f"sections are: {', '.join(_SECTIONS)}")
            if part.title in found:
                self.fail(f"section {part.title!r} of {name!r} stands twice", part.line)
            found[part.title] = part
        definition = _prose(found["Definition"].body) if "Definition" in found else ""
        if not definition:
            self.fail(f"relation type {name!r} has no definition", head.line, "add '### Definition' and a sentence")
        arguments = self._arguments(found.get("Arguments"))
        examples = [self._arrow(text, line) for line, text in self._items(found.get("Examples"))]
        misses = []
        for line, text in self._items(found.get("Near misses")):
            sentence, right = self._arrow(text, line)
            answer, _, reason = right.partition(":")
            misses.append(NearMiss(sentence=sentence, answer=answer.strip(), reason=reason.strip()))
        return self._build(
            lambda: RelationType(
                name=name,
                definition=definition,
                head_types=arguments.get("head", ()),
                tail_types=arguments.get("tail", ()),
                direction=_prose(found["Direction"].body) if "Direction" in found else "",
                restrictions=tuple(text for _, text in self._items(found.get("Restrictions"))),
                overlaps=tuple(text for _, text in self._items(found.get("Overlaps"))),
                examples=tuple(examples),
                near_misses=tuple(misses),
            ),
            head.line,
        )

    def _items(self, block: _Block | None) -> list[tuple[int, str]]:
        """The `- ` items of a list section; an indented line goes on with the item before it."""
        items: list[tuple[int, str]] = []
        for number, line in block.body if block else []:
            if not line:
                continue
            if line.startswith("- "):
                items.append((number, line[2:].strip()))
            elif line.startswith(" ") and items:
                items[-1] = (items[-1][0], f"{items[-1][1]} {line.strip()}")
            else:
                self.fail(f"{block.title if block else ''!r} is a list", number, "start each item with '- '")
        return items

    def _arguments(self, block: _Block | None) -> dict[str, tuple[str, ...]]:
        out: dict[str, tuple[str, ...]] = {}
        for number, text in self._items(block):
            role, colon, types = text.partition(":")
            if role not in ("head", "tail") or not colon or role in out:
                self.fail("arguments are '- head: types' and '- tail: types'", number)
            out[role] = tuple(t.strip() for t in types.split(",") if t.strip())
        return out

    def _arrow(self, text: str, line: int) -> tuple[str, str]:
        left, arrow, right = text.rpartition("=>")
        if not arrow or not left.strip() or not right.strip():
            self.fail("an example needs an answer", line, "write '- sentence => answer'")
        return left.strip(), right.strip()


def _prose(body: list[tuple[int, str]]) -> str:
    """Lines as written, without blank ones around."""
    return "\n".join(line for _, line in body).strip()


def parse_guideline(text: str, file: Path | str = "<guideline>") -> Guideline:
    """Markdown → `Guideline`. Raises GuidelineError, which names `file` and the line, for any departure."""
    return _Reader(text, file).read()


def load_guideline(path: Path | str) -> Guideline:
    """Read a guideline file. Raises GuidelineError if it can't be read or breaks the format."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise GuidelineError(f"can't be read: {error}", file=path) from None
    return parse_guideline(text, file=path)


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
