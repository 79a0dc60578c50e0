"""Bad input: guidelines, in Markdown and in YAML."""

from __future__ import annotations

from bad_case import Case, Content
from bad_parts import BOOK, MARKED, folder


def _book(name: str, content: Content, *lines: str, file: str = "book.md", code: int = 1) -> Case:
    return Case(name, ("guideline", "check", file), "", {file: content}, listed=lines, code=code)


def _but(old: str, new: str) -> str:
    assert old in BOOK
    return BOOK.replace(old, new)


GUIDELINES = (
    Case(
        "a guideline to check that is a folder",
        ("guideline", "check", "d"),
        "d: can't be read: Is a directory",
        {"d": folder},
    ),
    Case(
        "a guideline that is not there",
        ("guideline", "check", "none.md"),
        "none.md: can't be read: No such file or directory",
    ),
    Case("a guideline that is a folder", ("guideline", "show", "d"), "d: can't be read: Is a directory", {"d": folder}),
    Case(
        "a guideline in no folder",
        ("guideline", "check", "x.md/book.md"),
        "x.md/book.md: can't be read: Not a directory",
        {"x.md": ""},
    ),
    _book(
        "an empty guideline",
        "",
        "book.md:1: error: the file is empty (start the file with '# Title') [empty-file]",
        "errors: 1, warnings: 0",
    ),
    _book(
        "a guideline of blank lines",
        "\n \n\t\n",
        "book.md:1: error: the file is empty (start the file with '# Title') [empty-file]",
        "errors: 1, warnings: 0",
    ),
    _book(
        "text before the title",
        "Hello\n" + BOOK,
        ("book.md:1: error: text before the title (start the file with '# Title') [text-before-title]"),
        "errors: 1, warnings: 0",
    ),
    _book(
        "no title",
        _but("# Machines\n- Version: 1\n- Domain: workshop\n", ""),
        ("book.md:2: error: the first heading is not the title (start the file with '# Title') [no-title]"),
        "errors: 1, warnings: 0",
    ),
    _book(
        "no version",
        _but("- Version: 1\n", ""),
        "book.md:1: error: no Version (add '- Version: …' under the title) [no-version]",
        "errors: 1, warnings: 0",
    ),
    _book(
        "an unknown heading",
        BOOK + "\n## Relations\n",
        (
            "book.md:26: error: unexpected heading 'Relations' (level-2 headings are 'Entity type: …', 'Relation "
            "type: …' and 'No relation: …') [unexpected-heading]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "an unknown section",
        _but("### Arguments", "### Argumants"),
        (
            "book.md:11: error: unknown section 'Argumants' (sections are: Definition, Arguments, Direction, "
            "Restrictions, Overlaps, Examples, Near misses) [unknown-section]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a section twice",
        _but("### Arguments", "### Definition\nagain\n### Arguments"),
        (
            "book.md:11: error: section 'Definition' of 'Feeds' stands twice (put what is under both under one "
            "of them) [duplicate-section]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a relation without definition",
        _but("### Definition\none supplies the other\n", ""),
        (
            "book.md:8: error: relation type 'Feeds' has no definition (say in a sentence what the relation "
            "means) [no-definition]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a label that stands twice",
        _but("type: Beside", "type: Feeds"),
        ("book.md:17: error: label declared twice: Feeds (it stands in line 8 already) [duplicate-label]"),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a name with brackets",
        _but("type: Beside", "type: Beside(e1)"),
        (
            "book.md:17: error: a label name may not contain ['(', ')']: 'Beside(e1)' (choose a short name "
            "without brackets, commas and line breaks) [bad-name]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a name of 81 characters",
        _but("type: Beside", "type: " + "B" * 81),
        (
            "book.md:17: error: a label name has 1 to 80 characters and no space around it, got "
            "'BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB' (choose a short "
            "name without brackets, commas and line breaks) [bad-name]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "an unknown argument type",
        _but("- head: Device", "- head: Divice"),
        (
            "book.md:12: error: head of 'Feeds' names the unknown entity type 'Divice' (is 'Device' meant?) "
            "[unknown-argument-type]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "an argument that is neither head nor tail",
        _but("- head: Device", "- heads: Device"),
        (
            "book.md:12: error: arguments are '- head: types' and '- tail: types' (see `bythebook guideline "
            "show` of a library guideline for the format) [bad-arguments]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "an example without answer",
        BOOK + "\n## Relation type: Eats\n### Definition\nd\n### Examples\n- x\n",
        (
            "book.md:26: warning: it is not said which argument of 'Eats' is the first (add '### Direction': a "
            "sentence, '(e1,e2)', '(e2,e1)' or 'symmetric') [no-direction]"
        ),
        "book.md:30: error: an example needs an answer (write '- sentence => answer') [no-answer]",
        "errors: 1, warnings: 1",
    ),
    _book(
        "an example that marks one argument",
        _but("### Arguments", "### Examples\n- <e1>A</e1> b => Feeds(e1,e2)\n### Arguments"),
        (
            "book.md:12: error: this example does not mark e2 (write <e2>…</e2> around the words, once) "
            "[unmarked-argument]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "an answer that no relation has",
        _but("### Arguments", "### Examples\n- <e1>A</e1> <e2>b</e2> => Fed(e1,e2)\n### Arguments"),
        (
            "book.md:12: error: the answer 'Fed(e1,e2)' is no label of this guideline (answers are a relation of "
            "this guideline with (e1,e2) or (e2,e1)) [unknown-answer]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "two labels for no relation",
        BOOK + "\n## No relation: other\n",
        ("book.md:26: error: a second no-relation label (a guideline declares at most one) [two-no-relations]"),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a guideline in Latin-1",
        BOOK.replace("machine", "máchine").encode("latin-1"),
        "book.md:6: error: byte 0xe1 is not UTF-8 (save the file as UTF-8) [not-utf8]",
        (
            "book.md:6: warning: the character U+FFFD (delete it; it is invisible, or a mark of a text that was "
            "read in the wrong encoding) [control-character]"
        ),
        "errors: 1, warnings: 1",
    ),
    _book(
        "a guideline in UTF-16",
        BOOK.encode("utf-16"),
        "book.md:1: error: the file is UTF-16 (save it as UTF-8) [not-utf8]",
        "errors: 1, warnings: 0",
    ),
    _book(
        "a guideline with NUL bytes",
        BOOK.replace("a machine", "a\0machine"),
        (
            "book.md:6: warning: the character U+0000 (delete it; it is invisible, or a mark of a text that was "
            "read in the wrong encoding) [control-character]"
        ),
        "errors: 0, warnings: 1",
        code=0,
    ),
    _book(
        "a guideline with a mark and mixed line ends",
        b"\xef\xbb\xbf" + BOOK.encode().replace(b"\n", b"\r\n", 3),
        ("book.md:1: warning: the file starts with a byte order mark (save it as UTF-8 without BOM) [byte-order-mark]"),
        (
            "book.md:1: warning: line ends are mixed: CRLF, LF (save the file with one kind of line ends) "
            "[mixed-newlines]"
        ),
        "errors: 0, warnings: 2",
        code=0,
    ),
    _book(
        "a guideline with a line of 100,000 characters",
        _but("a machine", "a machine " * 10_000),
        (
            "book.md:6: warning: a line of 100,001 characters (break it: prose may go on in the next line, an "
            "item in an indented one) [long-line]"
        ),
        "errors: 0, warnings: 1",
        code=0,
    ),
    _book(
        "a guideline of more than a million characters",
        BOOK + "x\n" * 500_000,
        (
            "book.md:1: error: the file has 1,000,343 characters, more than 1,000,000 (a prompt has to hold the "
            "whole guideline; take out what is no part of it) [too-long]"
        ),
        "errors: 1, warnings: 0",
    ),
    _book(
        "a heading line of 100,000 characters",
        "# " + "x" * 100_000 + "\n## " + "y" * 100_000,
        "book.md:1: error: no Version (add '- Version: …' under the title) [no-version]",
        "book.md:1: error: no Domain (add '- Domain: …' under the title) [no-domain]",
        (
            "book.md:1: warning: a line of 100,003 characters (break it: prose may go on in the next line, an "
            "item in an indented one) [long-line]"
        ),
        "book.md:2: error: unexpected heading 'yyyyyyyyyyyyyyyyyyyyyy…",
        (
            "book.md:2: warning: a line of 100,003 characters (break it: prose may go on in the next line, an "
            "item in an indented one) [long-line]"
        ),
        "errors: 3, warnings: 2",
    ),
    Case(
        "an unknown rendering",
        ("guideline", "show", "semeval2010", "--rendering", "html"),
        "no rendering 'html' (choose one of: markdown, yaml, full, condensed, rules, brief)",
    ),
    Case(
        "a broken guideline to annotate by",
        ("annotate", "rows.jsonl", "-g", "book.md", "-o", "out.jsonl"),
        (
            "book.md:11: unknown section 'Argumants' (sections are: Definition, Arguments, Direction, "
            "Restrictions, Overlaps, Examples, Near misses)"
        ),
        {"rows.jsonl": MARKED, "book.md": _but("### Arguments", "### Argumants")},
    ),
    Case(
        "a guideline given as data",
        ("data", "check", "documents", "--path", "book.md"),
        "",
        {"book.md": "# T\n"},
        listed=(
            "book: 0 rows",
            "book.md:1: not JSON: Expecting value (character 1)",
            "1 faults",
        ),
    ),
)
