"""The same guideline as YAML: for people who keep everything else in YAML, and for programs that write guidelines.

    title: Kitchen verbs
    version: 1                            every value is read as the text it is: `1.10` stays 1.10, `no` stays no
    domain: kitchen
    preamble: …
    entity_types:
      - {name: Tool, definition: …}
    relation_types:
      - name: Dima-Dan
        definition: …
        arguments: {head: [Tool, Person], tail: [Food]}
        direction: (e2,e1)
        restrictions: [unless rarely]
        overlaps: []
        examples:
          - {sentence: The <e1>spoon</e1> stirs the <e2>soup</e2>., answer: 'Dima-Dan(e2,e1)'}
        near_misses:
          - {sentence: …, answer: …, reason: …}
    no_relation: {name: Other, definition: …}

Nothing is constructed from the file but texts: tags, aliases, merge keys and unknown or repeated keys are faults. What
one form can hold the other can: both give the same guideline with the same hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bythebook.errors import GuidelineError
from bythebook.guidelines.draft import (
    Answered,
    Draft,
    Finding,
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
from bythebook.guidelines.markdown import looks_like_heading, looks_like_meta
from bythebook.strict_yaml import StrictLoader
from bythebook.types import Guideline, RelationType

__all__ = ["parse_yaml", "read_yaml", "write_yaml"]

_TOP = ("title", "version", "domain", "preamble", "entity_types", "relation_types", "no_relation")
_RELATION = (
    *("name", "definition", "arguments", "direction"),
    *("restrictions", "overlaps", "examples", "near_misses"),
)
_HELP = "`bythebook guideline show semeval2010 --rendering yaml` shows the form"
_NULL = "tag:yaml.org,2002:null"
_PLAIN = frozenset(f"tag:yaml.org,2002:{t}" for t in "str int float bool null timestamp seq map value merge".split())


def _compose(text: str, findings: Findings) -> yaml.Node | None:
    remedy = "write it as YAML with two blanks a level; quote a text that has ': ' or ' #' in it"
    loader = None
    try:
        loader = StrictLoader(text)
        node: yaml.Node | None = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = len(text[: error.position + 1].splitlines()) if isinstance(error.position, int) else 1
        message = "a character that YAML does not allow"
        findings.error("not-yaml", max(1, line), message, "delete it, or write it as an escape in double quotes")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "context", None) or "not YAML"
        findings.error("not-yaml", _last(text, mark.line + 1 if mark else 1), str(problem), remedy)
    except (RecursionError, ValueError):
        findings.error("not-yaml", 1, "nested too deeply, or a number out of range", remedy)
    else:
        if node is None:
            findings.error("empty-file", 1, "the file is empty", "start the file with 'title: …'")
        return node
    finally:
        if loader is not None:
            loader.dispose()
    return None


def _last(text: str, line: int) -> int:
    """`line`, but no line beyond the end of the text."""
    return max(1, min(line, len(text.splitlines())))


def read_yaml(text: str) -> Parts:
    """The draft of a YAML document, with every fault of form. Total: whatever the text, there is a draft."""
    reader = _Reader()
    fault: Finding | None = unreadable(text)
    if fault:
        reader.findings.found.append(fault)
    elif (node := _compose(text, reader.findings)) is not None:
        reader.read(node)
    return reader.draft, reader.findings


class _Reader:
    def __init__(self) -> None:
        self.draft, self.findings = Draft(), Findings()
        self.error = self.findings.error

    def read(self, node: yaml.Node) -> None:
        keys = self._mapping(node, _TOP, "a guideline")
        if keys is None:
            return
        draft, line = self.draft, node.start_mark.line + 1
        draft.title = self._required(keys.get("title"))
        if draft.title is None:
            self.error("no-title", line, "no title", "add 'title: …'")
            draft.title = Text("", line)
        draft.version, draft.domain = self._required(keys.get("version")), self._required(keys.get("domain"))
        draft.preamble = self._prose(keys.get("preamble")) or Text("", line)
        first = draft.preamble.text.partition("\n")[0]
        if looks_like_meta(first):
            self.error("bad-preamble", draft.preamble.line, f"the preamble starts with {first!r}", "drop that line")
        for item in self._list(keys.get("entity_types"), "entity_types"):
            if one := self._type(item, "an entity type"):
                draft.entity_types.append(one)
        for item in self._list(keys.get("relation_types"), "relation_types"):
            if relation := self._relation(item):
                draft.relation_types.append(relation)
        none = keys.get("no_relation")
        if none is not None and none.tag != _NULL:
            draft.no_relation = self._type(none, "the no-relation label")
        check_form(draft, self.findings, yaml=True)

    def _mapping(self, node: yaml.Node, known: tuple[str, ...], what: str) -> Mapping[str, yaml.Node] | None:
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.MappingNode) or node.tag not in _PLAIN:
            self.error("bad-structure", line, f"{what} is not a mapping", f"keys are: {', '.join(known)}")
            return None
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name not in known:
                shown = name if isinstance(name, str) else "a key that is no word"
                self.error("unknown-key", at, f"unknown key {shown!r} in {what}", f"keys are: {', '.join(known)}")
            elif name in found:
                self.error("duplicate-key", at, f"key {name!r} stands twice in {what}", "keep one of them")
            else:
                found[name] = value
        return found

    def _list(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        if node is None or node.tag == _NULL:
            return []
        if not isinstance(node, yaml.SequenceNode) or node.tag not in _PLAIN:
            remedy = "start each item with '- ', on a line of its own"
            self.error("not-a-list", node.start_mark.line + 1, f"{what!r} is a list", remedy)
            return []
        return list(node.value)

    def _text(self, node: yaml.Node | None) -> Text | None:
        if node is None or node.tag == _NULL:
            return None
        line = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN:
            self.error("not-a-text", line, "a text is expected here", _HELP)
            return None
        return Text(node.value, line + 1 if node.style in ("|", ">") else line)

    def _line(self, node: yaml.Node | None) -> Text | None:
        text = self._text(node)
        return Text(item_text(text.text), text.line) if text else None

    def _required(self, node: yaml.Node | None) -> Text | None:
        """None where there is nothing. What is no text is a fault already, not a second one."""
        text = self._line(node)
        if text is None and node is not None and node.tag != _NULL:
            return Text("", node.start_mark.line + 1)
        return text if text and text.text else None

    def _prose(self, node: yaml.Node | None) -> Text | None:
        text = self._text(node)
        if text is None:
            return None
        prose = Text(prose_text(text.text), text.line)
        for number, line in enumerate(prose.text.splitlines()):
            if looks_like_heading(line):
                remedy = "write it without the # and the blank after it"
                self.error("heading-in-text", prose.line + number, f"{line.strip()!r} would be a heading", remedy)
        return prose

    def _items(self, node: yaml.Node | None, what: str) -> list[Text]:
        out = []
        for item in self._list(node, what):
            text = self._line(item)
            if text is not None and text.text:
                out.append(text)
            elif text is not None or item.tag == _NULL:
                self.error("empty-item", item.start_mark.line + 1, f"an empty item of {what!r}", "drop it")
        return out

    def _type(self, node: yaml.Node, what: str) -> TypeDraft | None:
        keys = self._mapping(node, ("name", "definition"), what)
        if keys is None:
            return None
        line = node.start_mark.line + 1
        return TypeDraft(self._name(keys, line), self._prose(keys.get("definition")) or Text("", line))

    def _name(self, keys: Mapping[str, yaml.Node], line: int) -> Text:
        name = self._text(keys.get("name"))
        return Text(name.text.strip(), name.line) if name else Text("", line)

    def _relation(self, node: yaml.Node) -> RelationDraft | None:
        keys = self._mapping(node, _RELATION, "a relation type")
        if keys is None:
            return None
        draft = RelationDraft(self._name(keys, node.start_mark.line + 1))
        draft.definition = self._prose(keys.get("definition"))
        direction = self._prose(keys.get("direction"))
        draft.direction = direction if direction and direction.text else None
        draft.restrictions = self._items(keys.get("restrictions"), "restrictions")
        draft.overlaps = self._items(keys.get("overlaps"), "overlaps")
        arguments = keys.get("arguments")
        if arguments is not None and arguments.tag != _NULL:
            roles = self._mapping(arguments, ("head", "tail"), "arguments") or {}
            draft.arguments = {role: self._items(types, role) for role, types in roles.items()}
        for item in self._list(keys.get("examples"), "examples"):
            if one := self._answered(item, ("sentence", "answer")):
                draft.examples.append(one)
        for item in self._list(keys.get("near_misses"), "near_misses"):
            if one := self._answered(item, ("sentence", "answer", "reason")):
                draft.near_misses.append(one)
        optional = [k for k in _RELATION[2:] if k in keys]
        draft.empty = [Text(k, keys[k].start_mark.line + 1) for k in optional if keys[k].value in ("", [])]
        return draft

    def _answered(self, node: yaml.Node, known: tuple[str, ...]) -> Answered | None:
        keys = self._mapping(node, known, "an example" if len(known) == 2 else "a near miss")
        if keys is None:
            return None
        line = node.start_mark.line + 1
        texts = {key: self._line(keys.get(key)) or Text("", line) for key in known}
        for key in ("sentence", "answer"):
            if not texts[key].text:
                self.error("no-answer", line, f"no {key} here", f"an example needs {' and '.join(known[:2])}")
                return None
        for key in known[1:]:
            if "=>" in texts[key].text or (key == "answer" and ":" in texts[key].text and len(known) == 3):
                self.error("bad-answer", texts[key].line, f"{key!r} holds '=>' or ':'", "write it without them")
                return None
        reason = texts["reason"].text if "reason" in texts else ""
        return Answered(texts["sentence"].text, texts["answer"].text, reason, line)


def parse_yaml(text: str, file: Path | str = "<guideline>") -> Guideline:
    """YAML → `Guideline`. Raises GuidelineError, which names `file` and the line, for any departure."""
    return guideline_from(read_yaml(text), file)


# ----------------------------------------------------------------------------------------------------------- writing


class _Dumper(yaml.SafeDumper):
    """Prose as a block, one line after the other, the way it is written in Markdown."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text_node)


def _relation_tree(r: RelationType) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "name": r.name,
        "definition": r.definition,
        "arguments": {k: list(t) for k, t in (("head", r.head_types), ("tail", r.tail_types)) if t},
        "direction": r.direction,
        "restrictions": list(r.restrictions),
        "overlaps": list(r.overlaps),
        "examples": [{"sentence": sentence, "answer": answer} for sentence, answer in r.examples],
        "near_misses": [
            {"sentence": m.sentence, "answer": m.answer} | ({"reason": m.reason} if m.reason else {})
            for m in r.near_misses
        ],
    }
    return {key: value for key, value in tree.items() if value or key in ("name", "definition")}


def write_yaml(g: Guideline) -> str:
    """`Guideline` → YAML. GuidelineError if it holds something that neither form can: a text with a heading in it, or
    white space that they fold. What was loaded from a file can always be written."""
    none = {"name": g.no_relation, "definition": g.no_relation_definition} if g.no_relation else None
    tree: dict[str, Any] = {
        "title": g.title,
        "version": g.version,
        "domain": g.domain,
        "preamble": g.preamble,
        "entity_types": [{"name": e.name, "definition": e.definition} for e in g.entity_types],
        "relation_types": [_relation_tree(r) for r in g.relation_types],
        "no_relation": none,
    }
    kept = {key: value for key, value in tree.items() if value or key in ("title", "version", "domain")}
    text: str = yaml.dump(kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    if parse_yaml(text, g.title) != g:
        raise GuidelineError(f"{g.title!r} has texts that a document can't hold", remedy="fold their white space")
    return text
