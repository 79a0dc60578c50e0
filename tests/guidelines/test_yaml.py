"""The YAML form: the same guideline, the same hash, and nothing that YAML could do beyond that."""

from __future__ import annotations

from pathlib import Path

import pytest
from books import guidelines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bythebook.errors import GuidelineError
from bythebook.guidelines import (
    library_names,
    lint_guideline,
    load_from_library,
    load_guideline,
    parse_guideline,
    parse_yaml,
    write_guideline,
    write_yaml,
)
from bythebook.guidelines.yaml_form import read_yaml
from bythebook.types import Guideline

DOCUMENT = """\
title: Kitchen verbs
version: 1.10
domain: kitchen
preamble: |
  Read the sentence
  first.
entity_types:
  - name: Tool
    definition: A thing to work with.
relation_types:
  - name: Dima-Dan
    definition: |
      e1 stirs e2.
      e1 wraps e2.
    arguments:
      head: [Tool]
      tail: [Tool]
    direction: (e2,e1)
    restrictions:
      - unless rarely
    overlaps:
      - 'Kora-Vel: for wrapping'
    examples:
      - sentence: The <e1>spoon</e1> stirs the <e2>soup</e2>.
        answer: Dima-Dan(e2,e1)
    near_misses:
      - sentence: A <e1>spoon</e1> by the <e2>soup</e2>.
        answer: no
        reason: only near it
  - name: Kora-Vel
    definition: Prose.
no_relation:
  name: no
  definition: nothing above holds.
"""


def test_a_document_is_read_as_the_texts_it_holds() -> None:
    book = parse_yaml(DOCUMENT)
    first = book.relation_types[0]
    # YAML would make the number 1.1 and the truth value False of these.
    assert (book.version, book.no_relation, first.near_misses[0].answer) == ("1.10", "no", "no")
    assert book.preamble == "Read the sentence\nfirst."
    assert (first.definition, first.direction) == ("e1 stirs e2.\ne1 wraps e2.", "(e2,e1)")
    assert (first.head_types, first.restrictions) == (("Tool",), ("unless rarely",))
    assert first.examples == (("The <e1>spoon</e1> stirs the <e2>soup</e2>.", "Dima-Dan(e2,e1)"),)
    assert [f for f in lint_guideline(DOCUMENT, yaml=True) if f.severity == "error"] == []


@pytest.mark.parametrize("name", library_names())
def test_a_guideline_of_the_library_is_the_same_in_both_forms(name: str) -> None:
    book = load_from_library(name)
    assert parse_yaml(write_yaml(book)) == book
    assert parse_yaml(write_yaml(book)).hash == parse_guideline(write_guideline(book)).hash == book.hash


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(book=guidelines())
def test_both_forms_hold_any_guideline_and_give_it_back(book: Guideline) -> None:
    text = write_yaml(book)
    assert parse_yaml(text) == book
    assert parse_yaml(text).hash == book.hash
    assert write_yaml(parse_yaml(text)) == text
    assert parse_guideline(write_guideline(parse_yaml(text))) == book


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=200)
    | st.lists(st.sampled_from([*DOCUMENT.splitlines(), "- x", "{", "]", "&a", "*a", "<<:"])).map("\n".join)
)
def test_any_text_is_a_guideline_that_markdown_can_hold_or_an_error_with_its_line(text: str) -> None:
    try:
        book = parse_yaml(text, "g.yaml")
    except GuidelineError as error:
        named = error
    else:
        assert parse_guideline(write_guideline(book)) == book
        return
    assert named.file == "g.yaml"
    assert named.line is not None
    assert 1 <= named.line <= max(1, len(text.splitlines()))


FAULTS = {
    "an unknown key": ("domain: kitchen", "domain: kitchen\ncolour: red", 1, "unknown key 'colour' in a guideline"),
    "an unknown key of a type": ("    direction: (e2,e1)", "    directon: (e2,e1)", 0, "unknown key 'directon'"),
    "an unknown role": ("      tail: [Tool]", "      toe: [Tool]", 0, "unknown key 'toe' in arguments"),
    "a key twice": ("domain: kitchen", "domain: kitchen\ndomain: garden", 1, "key 'domain' stands twice"),
    "no title": ("title: Kitchen verbs\n", "", 0, "no title"),
    "no version": ("version: 1.10\n", "", -1, "no Version"),
    "an empty domain": ("domain: kitchen", "domain:", -2, "no Domain"),
    "no definition": ("    definition: Prose.\n", "", -1, "'Kora-Vel' has no definition"),
    "a list for a text": ("domain: kitchen", "domain: [kitchen]", 0, "a text is expected"),
    "a text for a list": ("      head: [Tool]", "      head: Tool", 0, "'head' is a list"),
    "a text for a mapping": ("  - name: Tool\n    definition: A", "  - A", 0, "an entity type is not a mapping"),
    "a label twice": ("  - name: Kora-Vel", "  - name: Dima-Dan", 0, "declared twice"),
    "a bracket in a name": ("  - name: Kora-Vel", "  - name: Kora(Vel)", 0, "may not contain"),
    "an alias": ("      tail: [Tool]", "      tail: *a", 0, "an alias"),
    "a tag": ("domain: kitchen", "domain: !!python/name:os.system kitchen", 0, "a text is expected"),
    "a tag of a mapping": ("no_relation:\n", "no_relation: !!python/object:os.x\n", 0, "is not a mapping"),
    "a merge": ("domain: kitchen", "domain: kitchen\n<<: {}", 1, "unknown key '<<'"),
    "a key that is a list": ("domain: kitchen", "domain: kitchen\n[a]: b", 1, "unknown key 'a key that is no word'"),
    "two documents": ("no_relation:\n", "---\nno_relation:\n", 0, "but found another document"),
    "an open bracket": ("      head: [Tool]", "      head: [Tool", 1, "expected ',' or ']'"),
    "a tab": ("    direction: (e2,e1)", "\tdirection: (e2,e1)", 0, "cannot start any token|found character"),
    "a control character": ("domain: kitchen", "domain: kit\x07chen", 0, "a character that YAML does not allow"),
    "a heading in a text": ("  first.", "  # first.", 0, "'# first.' would be a heading"),
    "an empty item": ("      - unless rarely", "      - ''", 0, "an empty item of 'restrictions'"),
    "an example without answer": ("        answer: Dima-Dan(e2,e1)\n", "", -1, "no answer here"),
    "an arrow in a reason": ("only near it", "near => not in", 0, "'reason' holds '=>' or ':'"),
}
"""Name → (old, new, line of the complaint counted from where `old` stood, message)."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(fault: str) -> None:
    old, new, offset, message = FAULTS[fault]
    assert DOCUMENT.count(old) == 1
    line = DOCUMENT[: DOCUMENT.index(old)].count("\n") + 1 + offset
    with pytest.raises(GuidelineError, match=message) as caught:
        parse_yaml(DOCUMENT.replace(old, new), "kitchen.yaml")
    assert caught.value.line == line
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "# only a comment\n", "--- ~\n", "just words", "[1, 2]", "title: x\n"])
def test_what_is_no_guideline_is_refused(text: str) -> None:
    with pytest.raises(GuidelineError, match=r"g\.yaml:1: "):
        parse_yaml(text, "g.yaml")


def test_a_short_file_can_not_stand_for_an_endless_one() -> None:
    laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    _, findings = read_yaml(laughs)
    assert [f.message for f in findings.found] == ["an alias (*) is not allowed here"]
    for deep in ("[" * 100_000, "- " * 50_000, "{a: " * 50_000):
        _, findings = read_yaml(deep)
        assert [f.code for f in findings.found] == ["not-yaml"]


def test_the_suffix_says_which_form_a_file_has(tmp_path: Path) -> None:
    book = parse_yaml(DOCUMENT)
    for name, text in {"g.md": write_guideline(book), "g.yaml": DOCUMENT, "g.YML": DOCUMENT}.items():
        (tmp_path / name).write_text(text, encoding="utf-8-sig", newline="\r\n")
        assert load_guideline(tmp_path / name) == book
    (tmp_path / "g.md").write_text(DOCUMENT, encoding="utf-8")
    with pytest.raises(GuidelineError, match=r"g\.md:1: text before the title"):
        load_guideline(tmp_path / "g.md")


def test_a_file_that_is_not_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "g.yaml"
    file.write_bytes(DOCUMENT.replace("kitchen\n", "Küche\n").encode("latin-1"))
    with pytest.raises(GuidelineError, match=r"g\.yaml:3: can't be read: byte 0xfc is not UTF-8 \(save the file as"):
        load_guideline(file)


def test_what_no_document_can_hold_is_not_written() -> None:
    book = parse_yaml(DOCUMENT)
    with pytest.raises(GuidelineError, match=r"a document can't hold|would be a heading"):
        write_yaml(book.model_copy(update={"preamble": "# Read"}))
    with pytest.raises(GuidelineError, match="a document can't hold"):
        write_yaml(book.model_copy(update={"domain": "kitchen "}))
