"""Every slip that people make in a guideline is found, all of them at once, each on its line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from books import guidelines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bythebook.errors import GuidelineError
from bythebook.guidelines import (
    Finding,
    library_names,
    lint_file,
    lint_guideline,
    load_from_library,
    parse_guideline,
    parse_yaml,
    write_guideline,
    write_yaml,
)
from bythebook.types import Guideline

CLEAN = """\
# Kitchen

- Version: 1
- Domain: kitchen

If a tool is named, Stirs(e1,e2) is decided first.

## Entity type: Tool
What one works with.

## Entity type: Food
What one eats.

## Relation type: Stirs
### Definition
one moves the other in circles
### Arguments
- head: Tool
- tail: Food
### Direction
First the tool, then the food.
### Restrictions
- unless the head is a Food
### Overlaps
- Is-Part: what stays in the pot is a part of the meal.
### Examples
- The <e1>spoon</e1> stirs the <e2>soup</e2>. => Stirs(e1,e2)
- The <e1>broth</e1> was stirred with a <e2>stick</e2>. => Stirs(e2,e1)
### Near misses
- The <e1>spoon</e1> lies near the <e2>soup</e2>. => Other: nothing moves

## Relation type: Is-Part
### Definition
one is an ingredient of the other
### Arguments
- head: Food
- tail: Food
### Direction
symmetric

## No relation: Other
neither of the two holds
"""

# name → (old, new, code, severity, line counted from where `old` stood)
FAULTS: dict[str, tuple[str, str, str, str, int]] = {
    "unknown argument type": ("- head: Tool", "- head: Toll", "unknown-argument-type", "error", 0),
    "an argument type twice": ("- head: Tool", "- head: Tool, Tool", "duplicate-type", "error", 0),
    "an argument without types": ("- head: Tool", "- head:", "empty-section", "warning", -4),
    "an entity type twice": ("## Entity type: Food", "## Entity type: Tool", "duplicate-type", "error", 0),
    "an unused entity type": ("- head: Tool", "- head: Food", "unused-type", "warning", -10),
    "an entity type without definition": ("What one eats.\n", "", "no-definition", "error", -1),
    "no definition": ("one moves the other in circles\n", "", "no-definition", "error", -2),
    "the definition of another": (
        "one is an ingredient of the other",
        "One moves the other\nin circles.",
        "same-definition",
        "error",
        0,
    ),
    "an unfinished definition": ("one moves the other in circles", "TBD", "unfinished", "warning", 0),
    "a definition that breaks off": ("one is an ingredient of the other", "one is...", "unfinished", "warning", 0),
    "the no-relation label without text": ("neither of the two holds\n", "", "no-definition", "warning", -1),
    "a label twice": ("## Relation type: Is-Part", "## Relation type: Stirs", "duplicate-label", "error", 0),
    "a label like another": (
        "## No relation",
        "## Relation type: Is_part\n## No relation",
        "similar-labels",
        "warning",
        0,
    ),
    "a relation like no-relation": (
        "## Relation type: Is-Part",
        "## Relation type: other",
        "clash-with-no-relation",
        "error",
        0,
    ),
    "a relation called none": (
        "## Relation type: Is-Part",
        "## Relation type: none",
        "clash-with-no-relation",
        "warning",
        0,
    ),
    "a colon in a name": ("## Relation type: Is-Part", "## Relation type: Is:Part", "colon-in-name", "warning", 0),
    "no direction": ("### Direction\nsymmetric\n", "", "no-direction", "warning", -6),
    "an empty section": ("- unless the head is a Food\n", "", "empty-section", "warning", -1),
    "a restriction twice": (
        "- unless the head is a Food",
        "- unless burnt\n- Unless burnt.",
        "duplicate-item",
        "error",
        1,
    ),
    "a restriction naming an unknown type": (
        "- unless the head is a Food",
        "- unless the head is a Gadget",
        "unknown-type",
        "error",
        0,
    ),
    "a restriction of an unknown type": ("is a Food", "is of type Gadget", "unknown-type", "error", 0),
    "a restriction that speaks of an unknown type": ("is a Food", "has a Gadget", "unknown-type", "warning", 0),
    "a restriction with a misspelt label": ("is a Food", "is is_prt to it", "misspelt-name", "warning", 0),
    "an overlap with an unknown relation": ("- Is-Part: what", "- Contains: what", "unknown-relation", "error", 0),
    "an overlap with itself": ("- Is-Part: what", "- Stirs: what", "overlap-with-itself", "warning", 0),
    "prose naming an unknown relation": ("named, Stirs(e1,e2)", "named, Shakes(e1,e2)", "unknown-relation", "error", 0),
    "a misspelt label in backquotes": ("named, Stirs(e1,e2)", "named, `Stir-s`", "misspelt-name", "warning", 0),
    "an example without e2": ("<e2>soup</e2>. => Stirs", "soup. => Stirs", "unmarked-argument", "error", 0),
    "a near miss without e1": ("<e1>spoon</e1> lies", "spoon lies", "unmarked-argument", "error", 0),
    "an unclosed mark": ("<e2>soup</e2>. => Stirs", "<e2>soup. => Stirs", "bad-mark", "error", 0),
    "a mark that is not opened": ("<e2>soup</e2>. => Stirs", "soup</e2>. => Stirs", "bad-mark", "error", 0),
    "a mark the wrong way round": ("<e2>soup</e2>. => Stirs", "</e2>soup<e2>. => Stirs", "bad-mark", "error", 0),
    "an empty mark": ("<e2>soup</e2>. => Stirs", "<e2> </e2>soup. => Stirs", "bad-mark", "error", 0),
    "two marks of one argument": (
        "<e2>soup</e2>. => Stirs",
        "<e2>so</e2><e2>up</e2>. => Stirs",
        "bad-mark",
        "error",
        0,
    ),
    "a mark with blanks": ("<e2>soup</e2>. => Stirs", "<e2>soup< /e2>. => Stirs", "bad-mark", "error", 0),
    "a mark in capitals": ("<e2>soup</e2>. => Stirs", "<E2>soup</E2>. => Stirs", "bad-mark", "error", 0),
    "a mark in the answer": ("=> Other: nothing", "=> <e1>Other</e1>: nothing", "mark-outside-sentence", "error", 0),
    "a mark in the reason": ("nothing moves", "<e1>spoon</e1> lies", "mark-outside-sentence", "error", 0),
    "an example without answer": (". => Stirs(e1,e2)", ".", "no-answer", "error", 0),
    "an unknown answer": ("=> Stirs(e1,e2)", "=> Stirrs(e1,e2)", "unknown-answer", "error", 0),
    "an answer without direction": ("=> Stirs(e1,e2)", "=> Stirs", "bad-answer", "error", 0),
    "an answer with one argument twice": ("=> Stirs(e1,e2)", "=> Stirs(e1,e1)", "bad-answer", "error", 0),
    "no-relation with a direction": ("=> Other: nothing", "=> Other(e1,e2): nothing", "bad-answer", "error", 0),
    "an example of another relation": ("=> Stirs(e1,e2)", "=> Is-Part(e1,e2)", "answer-of-another", "error", 0),
    "an example without relation": ("=> Stirs(e1,e2)", "=> Other", "answer-of-another", "error", 0),
    "a near miss that holds": ("=> Other: nothing", "=> Stirs(e1,e2): nothing", "near-miss-holds", "error", 0),
    "a near miss without reason": ("=> Other: nothing moves", "=> Other", "no-reason", "error", 0),
    "an example against its direction": (
        "First the tool, then the food.",
        "(e1,e2)",
        "against-direction",
        "warning",
        7,
    ),
    "an example twice": (
        "The <e1>broth</e1> was stirred with a <e2>stick</e2>. => Stirs(e2,e1)",
        "The <e1>spoon</e1> stirs  the <e2>soup</e2>. => Stirs(e1,e2)",
        "duplicate-example",
        "error",
        0,
    ),
    "a sentence with two answers": (
        "The <e1>spoon</e1> lies near the <e2>soup</e2>. => Other",
        "The <e1>spoon</e1> stirs the <e2>soup</e2>. => Other",
        "contradiction",
        "error",
        0,
    ),
    "an unknown section": ("### Overlaps", "### Overlap", "unknown-section", "error", 0),
    "a long line": ("one moves", "one moves " + "round and " * 300, "long-line", "warning", 0),
    "a control character": ("one moves", "one \x07moves", "control-character", "warning", 0),
    "an invisible space": ("one moves", "one \ufeffmoves", "control-character", "warning", 0),
}


def _has(findings: list[Finding], code: str, severity: str, line: int) -> bool:
    return any((f.code, f.severity, f.line) == (code, severity, line) for f in findings)


def test_a_guideline_without_faults_has_no_findings() -> None:
    assert lint_guideline(CLEAN) == []
    assert lint_guideline(write_yaml(parse_guideline(CLEAN)), yaml=True) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_on_its_line(fault: str) -> None:
    old, new, code, severity, offset = FAULTS[fault]
    assert CLEAN.count(old) == 1
    line = CLEAN[: CLEAN.index(old)].count("\n") + 1 + offset
    findings = lint_guideline(CLEAN.replace(old, new, 1))
    assert _has(findings, code, severity, line), findings
    assert all(f.message and f.remedy for f in findings)


def test_all_faults_are_found_at_once_in_the_order_of_lines() -> None:
    text, expected = CLEAN, []
    for fault in ("unknown argument type", "a near miss without reason", "an unclosed mark", "an unknown section"):
        old, new, code, severity, _ = FAULTS[fault]
        expected.append((CLEAN[: CLEAN.index(old)].count("\n") + 1, code, severity))
        text = text.replace(old, new)
    found = [(f.line, f.code, f.severity) for f in lint_guideline(text)]
    assert found == sorted(found, key=lambda f: f[0])
    assert set(expected) <= set(found)


def test_a_misspelt_name_is_answered_with_the_right_one() -> None:
    for old, new, meant in (
        ("- head: Tool", "- head: Toll", "Tool"),
        ("- Is-Part: what", "- Ispart: what", "Is-Part"),
        ("=> Stirs(e1,e2)", "=> stirs(e1,e2)", "Stirs"),
    ):
        remedies = [f.remedy for f in lint_guideline(CLEAN.replace(old, new))]
        assert f"is {meant!r} meant?" in remedies


@pytest.mark.parametrize("name", library_names())
def test_our_own_guidelines_have_no_findings(name: str) -> None:
    assert lint_guideline(write_guideline(load_from_library(name))) == []


def test_the_example_guidelines_have_no_findings(root: Path) -> None:
    files = sorted((root / "examples").rglob("guideline*.md"))
    assert files
    for file in files:
        assert lint_file(file) == []


# ----------------------------------------------------------------------------------- files


def _file(folder: Path, raw: bytes) -> list[tuple[str, str, int]]:
    (folder / "g.md").write_bytes(raw)
    return [(f.code, f.severity, f.line) for f in lint_file(folder / "g.md")]


def test_what_is_wrong_with_the_bytes_is_said(tmp_path: Path) -> None:
    good = CLEAN.encode()
    assert _file(tmp_path, good) == _file(tmp_path, good.replace(b"\n", b"\r\n")) == []
    assert _file(tmp_path, b"\xef\xbb\xbf" + good) == [("byte-order-mark", "warning", 1)]
    assert _file(tmp_path, good.replace(b"\n", b"\r\n", 3)) == [("mixed-newlines", "warning", 1)]
    assert _file(tmp_path, CLEAN.encode("utf-16")) == [("not-utf8", "error", 1)]
    latin = good.replace(b"in circles", b"in c\xefrcles").replace(b"nothing moves", b"noth\xedng moves")
    assert [x for x in _file(tmp_path, latin) if x[1] == "error"] == [
        ("not-utf8", "error", 16),
        ("not-utf8", "error", 30),
    ]
    assert _file(tmp_path, b"") == [("empty-file", "error", 1)]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in ("absent.md", ".", "nul\x00.md"):
        with pytest.raises(GuidelineError, match="can't be read"):
            lint_file(tmp_path / name)


def test_a_book_that_no_prompt_can_hold_is_refused_at_once() -> None:
    for text, code in (("# x\n" * 300_000, "too-long"), (CLEAN + "\ud800", "surrogate")):
        for yaml in (False, True):
            assert [f.code for f in lint_guideline(text, yaml=yaml)] == [code]
        with pytest.raises(GuidelineError, match=r"characters|surrogate"):
            parse_guideline(text)


# ----------------------------------------------------------------------------------- any text at all

_PIECES = [*CLEAN.splitlines(), "#", "- ", "<e1>", "</e2>", "=> ", "`", "x(e1,e2)", "A and B: c"]


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=300) | st.lists(st.sampled_from(_PIECES), max_size=40).map("\n".join), yaml=st.booleans())
def test_any_text_can_be_checked_and_loads_if_no_error_is_found(text: str, yaml: bool) -> None:
    findings = lint_guideline(text, yaml=yaml)
    assert all(1 <= f.line <= max(1, len(text.splitlines())) for f in findings)
    try:
        (parse_yaml if yaml else parse_guideline)(text)
    except GuidelineError as error:
        refused = error
    else:
        return
    assert any(f.severity == "error" and f.line == refused.line for f in findings)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(book=guidelines())
def test_both_forms_of_a_guideline_have_the_same_faults(book: Guideline) -> None:
    def content(findings: list[Finding]) -> list[tuple[str, str, str]]:
        # An argument without types stands in no form, and lines differ.
        return sorted((f.code, f.severity, f.message) for f in findings if f.code not in ("long-line",))

    assert content(lint_guideline(write_guideline(book))) == content(lint_guideline(write_yaml(book), yaml=True))


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def seen(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


_HEAD = "# T\n- Version: 1\n- Domain: d\n\n"
_TYPE = "## Relation type: A\n### Definition\nx\n"
GROWING = {
    "titles": ("", "# x\n"),
    "relation types": (_HEAD, "## Relation type: Ab-{n}\n### Definition\nx{n}\n### Overlaps\n- Ac-{n}: y\n"),
    "entity types": (_HEAD + _TYPE, "## Entity type: Tool{n}\nx\n"),
    "examples": (_HEAD + _TYPE + "### Examples\n", "- <e1>a{n}</e1> <e2>b</e2> => A(e1,e2)\n"),
    "goes on": (_HEAD + _TYPE + "### Examples\n- <e1>a</e1>", "\n <e2>"),
    "near misses": (_HEAD + _TYPE + "### Near misses\n", "- x => Ab\n"),
    "restrictions": (_HEAD + _TYPE + "### Restrictions\n", "- the head is a Too{n}, of type y{n}\n"),
    "one long restriction": (_HEAD + _TYPE + "### Restrictions\n- ", "the head is "),
    "marks": (_HEAD + _TYPE + "### Examples\n- ", "<e1>"),
    "backquotes": (_HEAD, "`A-b` "),
    "applied": (_HEAD, "Ab(e1,e2) "),
    "colons": (_HEAD + _TYPE + "### Overlaps\n- ", "A and "),
    "arrows": (_HEAD + _TYPE + "### Examples\n- ", "=> "),
    "brackets": (_HEAD + _TYPE + "### Examples\n- x => ", "A(e1,"),
    "definition": (_HEAD + "## Relation type: A\n### Definition\n", "Ab-c x\n"),
}


@pytest.mark.parametrize("case", GROWING)
def test_the_work_grows_with_the_text_and_not_with_its_square(case: str) -> None:
    head, piece = GROWING[case]

    def work(pieces: int) -> int:
        text = head + "".join(piece.replace("{n}", str(10_000 + i)) for i in range(pieces))
        return _calls(lambda: lint_guideline(text))

    # Eight times the text: quadratic work would be 64 times as much.
    small, large = work(100), work(800)
    assert large < 12 * small, (small, large)


@pytest.mark.parametrize("case", GROWING)
def test_a_hundred_thousand_characters_are_checked(case: str) -> None:
    head, piece = GROWING[case]
    text = head + "".join(piece.replace("{n}", str(10_000 + i)) for i in range(100_000 // len(piece)))
    assert len(text) > 90_000
    assert all(f.line >= 1 for f in lint_guideline(text))
