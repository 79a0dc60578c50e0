"""What the content of a guideline has wrong: the slips that a careful second annotator would find."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bythebook.guidelines.draft import Answered, Draft, Findings, RelationDraft, Text
from bythebook.guidelines.names import Names, check_names

__all__ = ["check_content"]

_MARK = re.compile(r"</?e[12]>")
_MARK_LIKE = re.compile(r"<\s{0,3}/?\s{0,3}[eE]\s?[12]\s{0,3}>")
_ANSWER = re.compile(r"(.+?)\((e[12]),[ \t]*(e[12])\)")
_PLACEHOLDER = re.compile(r"\b(?:todo|tbd|fixme|x{3})\b|\.{3}\Z|…\Z", re.IGNORECASE)
_NONE_LIKE = frozenset("other none norelation norel na no nil null negative unrelated".split())


def check_content(draft: Draft, findings: Findings) -> None:
    """Add every fault of content of `draft`."""
    names = Names(draft)
    _check_types(draft, names, findings)
    _check_labels(draft, findings)
    _check_definitions(draft, findings)
    sentences: dict[str, tuple[str, int]] = {}
    for relation in draft.relation_types:
        _check_relation(relation, findings)
        _check_examples(relation, names, sentences, findings)
        _check_misses(relation, names, sentences, findings)
    check_names(draft, names, findings)


def _key(text: str) -> str:
    """A text without what people overlook: case, white space, hyphens, underscores, full stops."""
    return re.sub(r"[\s_.\-–]+", "", text).casefold()


def _check_types(draft: Draft, names: Names, findings: Findings) -> None:
    seen: dict[str, int] = {}
    for entity in draft.entity_types:
        name = entity.name
        if name.text in seen:
            message = f"entity type {name.text!r} stands twice"
            findings.error("duplicate-type", name.line, message, f"it stands in line {seen[name.text]} already")
        seen.setdefault(name.text, name.line)
        if not entity.definition.text:
            message = f"entity type {name.text!r} has no definition"
            findings.error("no-definition", name.line, message, "say in a sentence what belongs to the type")
    used: set[str] = set()
    for relation in draft.relation_types:
        for role, types in relation.arguments.items():
            own: set[str] = set()
            for one in types:
                if seen and one.text not in seen:
                    remedy = names.suggestion(one.text) or f"declare it, or take one of: {', '.join(list(seen)[:12])}"
                    message = f"{role} of {relation.name.text!r} names the unknown entity type {one.text!r}"
                    findings.error("unknown-argument-type", one.line, message, remedy)
                if one.text in own:
                    message = f"{role} of {relation.name.text!r} names {one.text!r} twice"
                    findings.error("duplicate-type", one.line, message, "keep one of them")
                own.add(one.text)
            if not types:
                message = f"{role} of {relation.name.text!r} names no type"
                findings.warning("empty-section", relation.name.line, message, "name one, or drop the line")
            used |= own
    if used:
        for name in (e.name for e in draft.entity_types if e.name.text not in used):
            message = f"no relation has an argument of the type {name.text!r}"
            findings.warning("unused-type", name.line, message, "is it missing from some '### Arguments'?")


def _check_labels(draft: Draft, findings: Findings) -> None:
    none = draft.no_relation
    seen: dict[str, Text] = {}
    for relation in draft.relation_types:
        name = relation.name
        other = seen.get(_key(name.text))
        if other and other.text != name.text:
            message = f"{name.text!r} and {other.text!r} are easily mixed up"
            findings.warning("similar-labels", name.line, message, f"rename one; the other stands in line {other.line}")
        seen.setdefault(_key(name.text), name)
        if none and name.text != none.name.text and _key(name.text) == _key(none.name.text):
            message = f"the relation {name.text!r} clashes with the no-relation label {none.name.text!r}"
            findings.error("clash-with-no-relation", name.line, message, "rename one of the two")
        elif _key(name.text) in _NONE_LIKE:
            message = f"the relation {name.text!r} sounds like a no-relation label"
            remedy = f"if it means that nothing holds, declare it by '## No relation: {name.text}'"
            findings.warning("clash-with-no-relation", name.line, message, remedy)
        if ":" in name.text and name.text:
            message = f"the name {name.text!r} has a colon, which ends the answer of a near miss"
            findings.warning("colon-in-name", name.line, message, "write it with a hyphen")
    if none and not none.definition.text:
        message = f"it is not said when {none.name.text!r} applies"
        findings.warning("no-definition", none.name.line, message, "say in a sentence when no relation holds")


def _check_definitions(draft: Draft, findings: Findings) -> None:
    seen: dict[str, RelationDraft] = {}
    for relation in draft.relation_types:
        definition = relation.definition
        if definition is None or not definition.text:
            continue
        other = seen.setdefault(_key(definition.text), relation)
        if other is not relation:
            message = f"{relation.name.text!r} is defined as {other.name.text!r} is"
            remedy = f"say how they differ; the other stands in line {other.name.line}"
            findings.error("same-definition", definition.line, message, remedy)
        if found := _PLACEHOLDER.search(definition.text):
            line = definition.line_of(found.start())
            message = f"the definition of {relation.name.text!r} is unfinished: {found[0]!r}"
            findings.warning("unfinished", line, message, "write it out")


def _check_relation(relation: RelationDraft, findings: Findings) -> None:
    name = relation.name
    for section in relation.empty:
        message = f"nothing stands under {section.text!r} of {name.text!r}"
        findings.warning("empty-section", section.line, message, "write something, or drop the heading")
    if relation.direction is None or not relation.direction.text:
        message = f"it is not said which argument of {name.text!r} is the first"
        remedy = "add '### Direction': a sentence, '(e1,e2)', '(e2,e1)' or 'symmetric'"
        findings.warning("no-direction", name.line, message, remedy)
    for what, items in (("restriction", relation.restrictions), ("overlap", relation.overlaps)):
        seen: dict[str, int] = {}
        for item in items:
            key = _key(item.text)
            if not key:
                findings.error("empty-item", item.line, f"an empty {what} of {name.text!r}", "drop it")
            elif key in seen:
                message = f"a {what} of {name.text!r} stands twice"
                findings.error("duplicate-item", item.line, message, f"it stands in line {seen[key]} already")
            seen.setdefault(key, item.line)


# ---------------------------------------------------------------------------------------------------- examples


def _check_examples(
    relation: RelationDraft, names: Names, sentences: dict[str, tuple[str, int]], findings: Findings
) -> None:
    direction = relation.direction.text if relation.direction else ""
    for one in _distinct(relation.examples, "example", sentences, findings):
        _check_marks(one, "example", findings)
        label = _label(one, names, findings)
        if label is None:
            continue
        if label != relation.name.text:
            message = f"an example of {relation.name.text!r} has the answer {one.answer!r}"
            findings.error("answer-of-another", one.line, message, "move it there, or to the near misses")
        elif direction in ("(e1,e2)", "(e2,e1)") and not _same(one.answer, f"{label}{direction}"):
            message = f"{one.answer!r} goes against the fixed direction {direction}"
            findings.warning("against-direction", one.line, message, "turn the answer round, or describe the direction")


def _check_misses(
    relation: RelationDraft, names: Names, sentences: dict[str, tuple[str, int]], findings: Findings
) -> None:
    for one in _distinct(relation.near_misses, "near miss", sentences, findings):
        _check_marks(one, "near miss", findings)
        if not one.reason:
            message = f"a near miss of {relation.name.text!r} has no reason"
            findings.error("no-reason", one.line, message, "write '- sentence => answer: reason'")
        label = _label(one, names, findings)
        if label is not None and label == relation.name.text:
            message = f"a near miss of {relation.name.text!r} has that very relation as its answer"
            findings.error("near-miss-holds", one.line, message, "give the right answer, or move it to the examples")


def _distinct(
    items: Iterable[Answered], what: str, sentences: dict[str, tuple[str, int]], findings: Findings
) -> Iterable[Answered]:
    """All of `items`; a sentence that stands here twice, or anywhere with another answer, is a fault."""
    own: dict[str, int] = {}
    for one in items:
        key = " ".join(one.sentence.split())
        answer, line = sentences.setdefault(key, (one.answer, one.line))
        if key in own:
            findings.error("duplicate-example", one.line, f"this {what} stands twice", f"drop it: see line {own[key]}")
        elif not _same(answer, one.answer):
            message = f"the same sentence has the answers {answer!r} and {one.answer!r}"
            findings.error("contradiction", one.line, message, f"settle it: the other stands in line {line}")
        own.setdefault(key, one.line)
        yield one


def _same(one: str, other: str) -> bool:
    return re.sub(r"\s", "", one) == re.sub(r"\s", "", other)


def _label(one: Answered, names: Names, findings: Findings) -> str | None:
    """The label that the answer names, if it is one that the guideline declares, in the right form."""
    found = _ANSWER.fullmatch(one.answer)
    name = found[1] if found else one.answer
    if _MARK.search(one.answer) or _MARK.search(one.reason):
        remedy = "mark the words in the sentence, before the '=>'"
        findings.error("mark-outside-sentence", one.line, "a mark stands outside the sentence", remedy)
        return None
    if found and found[2] == found[3]:
        findings.error("bad-answer", one.line, f"{one.answer!r} names one argument twice", "write (e1,e2) or (e2,e1)")
        return None
    if name == names.no_relation and not found:
        return name
    if name in names.relations and found:
        return name
    if name in names.relations:
        findings.error("bad-answer", one.line, f"{one.answer!r} has no direction", f"write {name}(e1,e2) or (e2,e1)")
    elif name == names.no_relation:
        findings.error("bad-answer", one.line, f"{name!r} has no direction", f"write {name}, alone")
    else:
        remedy = names.suggestion(name) or "answers are a relation of this guideline with (e1,e2) or (e2,e1)"
        findings.error("unknown-answer", one.line, f"the answer {one.answer!r} is no label of this guideline", remedy)
    return None


def _check_marks(one: Answered, what: str, findings: Findings) -> None:
    """Each of the two arguments marked once, with words in it."""
    sentence = one.sentence
    for like in _MARK_LIKE.findall(sentence):
        if _MARK.fullmatch(like) is None:
            message = f"{like!r} is no mark"
            findings.error("bad-mark", one.line, message, "marks are <e1> </e1> <e2> </e2>, without blanks")
            return
    for name in ("e1", "e2"):
        opening, closing = sentence.count(f"<{name}>"), sentence.count(f"</{name}>")
        remedy = f"write <{name}>…</{name}> around the words, once"
        if not opening and not closing:
            findings.error("unmarked-argument", one.line, f"this {what} does not mark {name}", remedy)
        elif opening > 1 or closing > 1:
            findings.error("bad-mark", one.line, f"this {what} marks {name} more than once", remedy)
        elif opening != closing:
            missing = f"</{name}>" if opening else f"<{name}>"
            findings.error("bad-mark", one.line, f"{missing} is missing", remedy)
        else:
            start, end = sentence.index(f"<{name}>") + len(name) + 2, sentence.index(f"</{name}>")
            if end < start:
                findings.error("bad-mark", one.line, f"</{name}> stands before <{name}>", remedy)
            elif not _MARK.sub("", sentence[start:end]).strip():
                findings.error("bad-mark", one.line, f"nothing stands between <{name}> and </{name}>", remedy)
