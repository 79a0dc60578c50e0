from __future__ import annotations

from pathlib import Path

import pytest
from books import guidelines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bythebook.errors import GuidelineError
from bythebook.guidelines import (
    library_names,
    load_from_library,
    load_guideline,
    parse_guideline,
    write_guideline,
)
from bythebook.tasks.world import examples
from bythebook.types import EntityType, Guideline, NearMiss, RelationType

DOCUMENT = """\
# Kitchen verbs

- Version: 1.2
- Domain: kitchen
Read the sentence
first.

- Then decide.

## Entity type: Tool

A thing to work with.

## Relation type: Dima-Dan

### Definition
e1 stirs e2.
e1 wraps e2.

### Arguments
- head: Tool, Person
- tail: Food

### Direction
(e2,e1)

### Restrictions
- unless rarely
- not where the sentence
  is a title

### Overlaps
- Prefer Kora-Vel for tools.

### Examples
- The <e1>spoon</e1> stirs the <e2>soup</e2>. => Dima-Dan(e2,e1)

### Near misses
- A <e1>spoon</e1> => by the <e2>soup</e2>. => Other: only near it: see above
- <e1>Soup</e1> or <e2>stew</e2>? => Other

## Relation type: Kora-Vel
### Definition
Prose.

## No relation: Other

nothing above holds.
"""

BOOK = Guideline(
    title="Kitchen verbs",
    version="1.2",
    domain="kitchen",
    preamble="Read the sentence\nfirst.\n\n- Then decide.",
    entity_types=(EntityType(name="Tool", definition="A thing to work with."),),
    relation_types=(
        RelationType(
            name="Dima-Dan",
            definition="e1 stirs e2.\ne1 wraps e2.",
            head_types=("Tool", "Person"),
            tail_types=("Food",),
            direction="(e2,e1)",
            restrictions=("unless rarely", "not where the sentence is a title"),
            overlaps=("Prefer Kora-Vel for tools.",),
            examples=(("The <e1>spoon</e1> stirs the <e2>soup</e2>.", "Dima-Dan(e2,e1)"),),
            near_misses=(
                NearMiss(
                    sentence="A <e1>spoon</e1> => by the <e2>soup</e2>.",
                    answer="Other",
                    reason="only near it: see above",
                ),
                NearMiss(sentence="<e1>Soup</e1> or <e2>stew</e2>?", answer="Other", reason=""),
            ),
        ),
        RelationType(name="Kora-Vel", definition="Prose."),
    ),
    no_relation="Other",
    no_relation_definition="nothing above holds.",
)


# ----------------------------------------------------------------------------------- reading and writing


def test_a_document_is_read_section_by_section() -> None:
    assert parse_guideline(DOCUMENT) == BOOK


def test_the_document_written_is_read_as_the_same_guideline() -> None:
    assert parse_guideline(write_guideline(BOOK)) == BOOK
    assert parse_guideline(write_guideline(BOOK)).hash == BOOK.hash


def test_other_line_ends_and_trailing_blanks_mean_the_same() -> None:
    assert parse_guideline(DOCUMENT.replace("\n", "\r\n")) == BOOK
    assert parse_guideline(DOCUMENT.replace("\n", "  \t\n")) == BOOK
    assert parse_guideline("\n\n" + DOCUMENT + "\n\n") == BOOK


@pytest.mark.parametrize("name", library_names())
def test_a_guideline_of_the_library_survives_writing_and_reading(name: str) -> None:
    book = load_from_library(name)
    assert parse_guideline(write_guideline(book)) == book


def test_guidelines_of_the_world_survive_writing_and_reading() -> None:
    for e in examples("ood", 40, seed=0, k=(2, 8)):
        assert parse_guideline(write_guideline(e.guideline)) == e.guideline


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(book=guidelines())
def test_reading_undoes_writing(book: Guideline) -> None:
    text = write_guideline(book)
    assert parse_guideline(text) == book
    assert write_guideline(parse_guideline(text)) == text


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from([*DOCUMENT.splitlines(), "#", "-", "x"])).map("\n".join))
def test_any_text_is_a_guideline_or_an_error_that_names_a_line(text: str) -> None:
    try:
        book = parse_guideline(text, "g.md")
    except GuidelineError as error:
        named = error
    else:
        assert parse_guideline(write_guideline(book)) == book
        return
    assert named.file == "g.md"
    assert named.line is not None
    assert 1 <= named.line <= max(1, len(text.splitlines()))


# ----------------------------------------------------------------------------------- what is refused, and where


def _at(old: str, new: str) -> tuple[str, int]:
    """The document with `old` replaced, and the line where `old` stood."""
    assert DOCUMENT.count(old) == 1
    return DOCUMENT.replace(old, new), DOCUMENT[: DOCUMENT.index(old)].count("\n") + 1


FAULTS = {
    "text before the title": ("# Kitchen verbs", "hello\n# Kitchen verbs", 0, "text before the title"),
    "no title": ("# Kitchen verbs", "## Kitchen verbs", 0, "the first heading is not the title"),
    "no version": ("- Version: 1.2\n", "", -2, "no Version"),
    "no domain": ("- Domain: kitchen\n", "", -3, "no Domain"),
    "two versions": ("- Version: 1.2\n", "- Version: 1.2\n- Version: 2\n", 1, "Version given twice"),
    "an unknown heading": ("## Entity type: Tool", "## Entity: Tool", 0, "unexpected heading 'Entity: Tool'"),
    "a heading of another level": ("## Entity type: Tool", "#### Entity type: Tool", 0, "unexpected heading"),
    "a heading without a name": ("## Relation type: Kora-Vel", "## Relation type:", 0, "unexpected heading"),
    "a second title": ("## Entity type: Tool", "# Entity type: Tool", 0, "unexpected heading"),
    "a section of an entity type": ("A thing to work with.", "### Definition\nA thing.", 0, "has no subsections"),
    "a section of the no-relation label": ("nothing above holds.", "### Examples", 0, "has no subsections"),
    "an unknown section": ("### Overlaps", "### Overlap", 0, "unknown section 'Overlap'"),
    "a section twice": ("### Overlaps", "### Restrictions", 0, "'Restrictions' of 'Dima-Dan' stands twice"),
    "no definition": ("### Definition\nProse.\n", "### Direction\nProse.\n", -1, "'Kora-Vel' has no definition"),
    "an empty definition": ("### Definition\nProse.\n", "### Definition\n\n", -1, "'Kora-Vel' has no definition"),
    "text outside the sections": (
        "### Definition\nProse.",
        "Hello.\n### Definition\nProse.",
        -1,
        "outside its sections",
    ),
    "prose in a list": ("- unless rarely", "unless rarely", 0, "'Restrictions' is a list"),
    "a list item without its blank": ("- unless rarely", "-unless rarely", 0, "'Restrictions' is a list"),
    "an unknown argument": ("- head: Tool", "- first: Tool", 0, "arguments are"),
    "an argument twice": ("- tail: Food", "- head: Food", 0, "arguments are"),
    "an argument without colon": ("- tail: Food", "- tail Food", 0, "arguments are"),
    "an example without answer": (". => Dima-Dan(e2,e1)", ".", 0, "an example needs an answer"),
    "an example with an empty answer": ("=> Dima-Dan(e2,e1)", "=>", 0, "an example needs an answer"),
    "an example without sentence": (
        "- The <e1>spoon</e1> stirs the <e2>soup</e2>.",
        "-",
        0,
        "an example needs|is a list",
    ),
    "a near miss without answer": ("? => Other", "?", 0, "an example needs an answer"),
    "a second no-relation label": ("nothing above holds.", "x\n## No relation: none", 1, "a second no-relation label"),
    "a bracket in a name": ("## Relation type: Kora-Vel", "## Relation type: Kora(Vel)", 0, "may not contain"),
    "a name too long": ("## Relation type: Kora-Vel", "## Relation type: " + "K" * 81, 0, "1 to 80 characters"),
    "a bad entity type": ("## Entity type: Tool", "## Entity type: To<ol", 0, "may not contain"),
    "a bad type of an argument": ("- tail: Food", "- tail: Fo)od", 0, "may not contain"),
    "a bad no-relation label": ("## No relation: Other", "## No relation: Ot(her)", 0, "may not contain"),
    "a label twice": ("## Relation type: Kora-Vel", "## Relation type: Dima-Dan", 0, "declared twice: Dima-Dan"),
    "no-relation label like a relation": ("## No relation: Other", "## No relation: Kora-Vel", 0, "declared twice"),
}
"""Name → (old, new, line of the complaint counted from where `old` stood, message)."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(fault: str) -> None:
    old, new, offset, message = FAULTS[fault]
    text, line = _at(old, new)
    with pytest.raises(GuidelineError, match=message) as caught:
        parse_guideline(text, "kitchen.md")
    assert caught.value.line == line + offset
    assert str(caught.value).startswith(f"kitchen.md:{caught.value.line}: ")


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_refused(text: str) -> None:
    with pytest.raises(GuidelineError, match=r"g.md:1: the file is empty"):
        parse_guideline(text, "g.md")


def test_a_guideline_without_relation_types_is_refused() -> None:
    with pytest.raises(GuidelineError, match=r"g.md:1: no relation type .*add a section"):
        parse_guideline(DOCUMENT[: DOCUMENT.index("## Relation type: Dima-Dan")], "g.md")


# ----------------------------------------------------------------------------------- files and the library


def test_a_file_is_read_and_a_byte_order_mark_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "kitchen.md"
    file.write_text(DOCUMENT, encoding="utf-8-sig")
    assert load_guideline(file) == load_guideline(str(file)) == BOOK


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.md").write_bytes("# Küche\n".encode("latin-1"))
    for name in ("absent.md", "latin.md", "."):
        with pytest.raises(GuidelineError, match="can't be read") as caught:
            load_guideline(tmp_path / name)
        assert caught.value.file == tmp_path / name


def test_an_unknown_guideline_is_answered_with_those_there_are() -> None:
    assert "semeval2010" in library_names()
    for name in ("nosuch", "../library/semeval2010", ""):
        with pytest.raises(GuidelineError, match=r"no guideline .* in the library .*semeval2010"):
            load_from_library(name)


def test_the_example_guideline_can_be_read(root: Path) -> None:
    book = load_guideline(root / "examples" / "guideline.md")
    assert parse_guideline(write_guideline(book)) == book
    assert book.no_relation == "Other"
