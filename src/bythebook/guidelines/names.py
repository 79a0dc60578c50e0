"""Whether the names that a guideline's prose mentions are names that it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bythebook.guidelines.draft import Draft, Findings, Text
from bythebook.guidelines.mentions import is_ordinary_word, words_before_colon

__all__ = ["Names", "check_names"]

_APPLIED = re.compile(r"([^\s()<>,`\"'“”‘’]{1,80})\((?:e1,[ \t]*e2|e2,[ \t]*e1)\)")
_QUOTED = re.compile(r"`([^`\n]{1,80})`")
_WORD = re.compile(r"\w+(?:[-_/]\w+)*")
# "the head is a Tool", "e2 must not be of type Tool"
_OF_TYPE = re.compile(
    r"\b(?:heads?|tails?|arguments?|e1|e2)\b[^.;:\n]{0,40}?\b(?:is|are|be)\s{1,3}(?:(?:not|never|only)\s{1,3})?"
    r"(?:(?:an?|the|of type|of the type)\s{1,3})?(?:type\s{1,3})?([A-Z]\w*(?:[-_]\w+)*)"
    r"|\b(?:of|entity|argument) (?:the )?types? ([A-Za-z]\w*(?:[-_]\w+)*)"
)
_PLACEHOLDERS = frozenset(("Relation", "relation", "RELATION", "Label", "label", "Name", "NAME", "R", "X", "Y"))
_NO_NAMES = frozenset("of is that and or as e1 e2 the a an in to for with which whose are must".split())
_SHORTEST, _LONGEST = 5, 80
_MOST_WORDS = 8
_BACK = 20
"""Characters that are looked at before a word to see whether a sentence starts with it."""


class Names:
    """Every name of a draft, and which of them a misspelt one might mean."""

    def __init__(self, draft: Draft) -> None:
        self.relations = {r.name.text for r in draft.relation_types}
        self.no_relation = draft.no_relation.name.text if draft.no_relation else None
        self.declared_types = {e.name.text for e in draft.entity_types}
        used = {t.text for r in draft.relation_types for types in r.arguments.values() for t in types}
        self.types = self.declared_types or used
        self.all = self.relations | self.types | ({self.no_relation} if self.no_relation else set())
        self._near: dict[str, str] = {}
        for name in sorted(self.all):
            for form in _with_one_less(name):
                self._near.setdefault(form, name)

    def knows(self, name: str) -> bool:
        """Whether it is a name of the guideline, in the singular or the plural."""
        return name in self.all or any(name.endswith(s) and name[: -len(s)] in self.all for s in ("s", "es", "'s"))

    def similar(self, name: str, shortest: int = _SHORTEST) -> str | None:
        """A name of the guideline that differs in one letter, in case or in hyphens; None if there is none, or if
        `name` has fewer letters than `shortest`: short words differ in one letter by chance."""
        if not shortest <= len(name) <= _LONGEST or self.knows(name):
            return None
        return next((self._near[form] for form in _with_one_less(name) if form in self._near), None)

    def suggestion(self, name: str) -> str | None:
        """The remedy for a misspelt name."""
        near = self.similar(name, shortest=2)
        return f"is {near!r} meant?" if near else None


def _with_one_less(name: str) -> Iterator[str]:
    """The name without case and hyphens, and that without one of its letters: two names that share a form differ in
    one letter. At most `_LONGEST` forms, so that looking for similar names takes linear time."""
    plain = re.sub(r"[-_/\s]", "", name[:_LONGEST]).casefold()
    yield plain
    for i in range(len(plain)):
        yield plain[:i] + plain[i + 1 :]


def check_names(draft: Draft, names: Names, findings: Findings) -> None:
    """Add every mention of a name that is none."""
    prose = [draft.preamble]
    for relation in draft.relation_types:
        prose += [t for t in (relation.definition, relation.direction) if t]
        prose += relation.restrictions + relation.overlaps
        prose += [Text(m.reason, m.line) for m in relation.near_misses]
        for item in relation.overlaps:
            _check_overlap(item, relation.name.text, names, findings)
        for item in relation.restrictions:
            _check_restriction(item, relation.name.text, names, findings)
    for text in prose:
        _check_prose(text, names, findings)


def _check_overlap(item: Text, own: str, names: Names, findings: Findings) -> None:
    for word in words_before_colon(item.text):
        if word == own:
            message = f"{own!r} is said to overlap with itself"
            findings.warning("overlap-with-itself", item.line, message, "name the other relation")
        elif word not in names.relations and word != names.no_relation and not re.search(r"\s", word):
            remedy = names.suggestion(word) or "name a relation before the colon, or write without a colon"
            message = f"an overlap of {own!r} names the unknown relation {word!r}"
            findings.error("unknown-relation", item.line, message, remedy)


def _check_restriction(item: Text, own: str, names: Names, findings: Findings) -> None:
    if not names.types:
        return
    said = set()
    for found in _OF_TYPE.finditer(item.text):
        name, start = (found[1], found.start(1)) if found[1] else (found[2], found.start(2))
        if name not in _NO_NAMES and not _known_at(item.text, start, names):
            said.add(name)
            message = f"a restriction of {own!r} names the unknown type {name!r}"
            remedy = names.suggestion(name) or f"types are: {', '.join(sorted(names.types)[:12])}"
            findings.error("unknown-type", item.line, message, remedy)
    if not names.declared_types or not all(t[:1].isupper() for t in names.declared_types):
        return
    # Where types are written with a capital, a capital inside a sentence may be the name of one.
    for found in _WORD.finditer(item.text):
        before = item.text[max(0, found.start() - _BACK) : found.start()].rstrip()[-1:]
        starts = not before or before in ".!?:;(\"“'"
        capital = found[0][0].isupper() and not found[0].isupper() and len(found[0]) > 1
        if capital and not starts and found[0] not in said and not _known_at(item.text, found.start(), names):
            message = f"a restriction of {own!r} speaks of {found[0]!r}, which is no type"
            remedy = names.suggestion(found[0]) or "declare it, or write it in small letters"
            findings.warning("unknown-type", item.line, message, remedy)


def _known_at(text: str, start: int, names: Names) -> bool:
    """Whether a name of the guideline stands there; names may have several words."""
    words = list(_first_words(text, start))
    return any(names.knows(text[start:end]) for end in words)


def _first_words(text: str, start: int) -> Iterator[int]:
    for number, found in enumerate(_WORD.finditer(text, start, start + _LONGEST)):
        if number >= _MOST_WORDS:
            return
        yield found.end()


def _check_prose(text: Text, names: Names, findings: Findings) -> None:
    for line, words in enumerate(text.text.split("\n"), start=text.line):
        for found in _APPLIED.finditer(words):
            ends = words[max(0, found.end(1) - _LONGEST) : found.end(1)].split()
            candidates = [" ".join(ends[i:]) for i in range(max(0, len(ends) - _MOST_WORDS), len(ends))]
            if found[1] not in _PLACEHOLDERS and names.relations.isdisjoint([found[1], *candidates]):
                remedy = names.suggestion(found[1]) or "name a relation of this guideline"
                findings.error("unknown-relation", line, f"the unknown relation {found[1]!r}", remedy)
        for found in _QUOTED.finditer(words):
            if near := names.similar(found[1]):
                message = f"`{found[1]}` is no name of this guideline"
                findings.warning("misspelt-name", line, message, f"is {near!r} meant?")
        for found in _WORD.finditer(words):
            near = None if is_ordinary_word(found[0]) else names.similar(found[0])
            if near and not is_ordinary_word(near):
                message = f"{found[0]!r} is no name of this guideline"
                findings.warning("misspelt-name", line, message, f"is {near!r} meant?")
