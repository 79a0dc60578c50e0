"""Bad input: rows of a team's own data."""

from __future__ import annotations

import json

from bad_case import Case
from bad_parts import BOOK, GOOD_ROW, MARKED, TEXT, document, entity, folder, link, rows

_CHECK = ("data", "check", "documents", "--path", "rows.jsonl")


UNTYPED_BOOK = BOOK.replace("## Entity type: Device\na machine\n\n", "").replace(
    "### Arguments\n- head: Device\n- tail: Device\n", ""
)


def _row(name: str, bad: object, *messages: str, sound: int = 0) -> Case:
    """One bad row between two blank lines, and what is said of its line 2."""
    listed = (f"rows: {sound} rows", *(f"rows.jsonl:2: {m}" for m in messages), f"{len(messages)} faults")
    files = {"rows.jsonl": "\n" + rows(bad) + "\n", "book.md": BOOK}
    return Case(name, (*_CHECK, "--guideline", "book.md"), "", files, listed=listed)


def _file(name: str, content: str | bytes, *lines: str) -> Case:
    return Case(name, _CHECK, "", {"rows.jsonl": content}, listed=lines)


_LONG = json.dumps({"text": "x" * 100_000, "entities": [entity(0, 100_001)]})

ROWS = (
    _row(
        "a row that is not JSON",
        "{text: x}",
        "not JSON: Expecting property name enclosed in double quotes (character 2)",
    ),
    _row("a row that is a list", [1, 2], "a line must hold one JSON object"),
    _row("a row that is a number", "1e999", "a line must hold one JSON object"),
    _row("a row that breaks off", '{"text": "x"', "not JSON: Expecting ',' delimiter (character 13)"),
    _row("a row without text", {"id": 1}, "text: Field required"),
    _row("a text that is a number", {"text": 1}, "text: Input should be a valid string, got 1"),
    _row("an empty text", {"text": " \t", "entities": []}, "the text is empty"),
    _row(
        "raw text",
        {"text": TEXT},
        (
            "raw text without entities, which the question about a pair needs (give 'entities' with "
            "character offsets, or mark the two with <e1>…</e1> and <e2>…</e2>)"
        ),
    ),
    _row(
        "marks in the wrong order",
        {"text": "<e1>a</e2> <e2>b</e1>"},
        "the marks must be <e1>…</e1> and <e2>…</e2>, each once and one after the other",
    ),
    _row(
        "a mark without its end",
        {"text": "<e1>a</e1> <e2>b"},
        "the marks must be <e1>…</e1> and <e2>…</e2>, each once and one after the other",
    ),
    _row("a marked mention that is empty", {"text": "<e1></e1> <e2>b</e2>"}, "e1 is empty"),
    _row(
        "a label without direction",
        {"text": "<e1>a</e1> <e2>b</e2>", "label": "Feeds"},
        "label 'Feeds' is not of the form Relation(e1,e2) or Relation(e2,e1), or none",
    ),
    _row(
        "a label that the guideline lacks",
        {"text": "<e1>a</e1> <e2>b</e2>", "label": "Eats(e1,e2)"},
        "the guideline declares no relation 'Eats'",
    ),
    _row(
        "relations of a marked sentence",
        {"text": "<e1>a</e1> <e2>b</e2>", "relations": []},
        "'relations' belong to a row with 'entities'; a marked sentence has 'label'",
    ),
    _row(
        "a label beside entities",
        document(entity(), label="Feeds(e1,e2)"),
        "'label' belongs to a marked sentence; a row with 'entities' has 'relations'",
    ),
    _row("an offset beyond the text", document(entity(0, 20)), "entity 'a' is [0, 20), the text has 19 characters"),
    _row("a negative offset", document(entity(-1, 3)), "entity 'a' is [-1, 3), the text has 19 characters"),
    _row("an end before its start", document(entity(5, 3)), "entity 'a' is [5, 3), the text has 19 characters"),
    _row("an empty span", document(entity(3, 3)), "entity 'a' is [3, 3), the text has 19 characters"),
    _row(
        "an offset that is true",
        document(entity(True, 3)),
        "entities.0.start: Input should be a valid integer, got true",
    ),
    _row(
        "an offset that is a fraction",
        document(entity(0.0, 3)),
        "entities.0.start: Input should be a valid integer, got 0.0",
    ),
    _row(
        "an offset that is a text",
        document(entity("0", 3)),
        'entities.0.start: Input should be a valid integer, got "0"',
    ),
    _row(
        "an offset that is NaN",
        '{"text": "abc", "entities": [{"id": 1, "start": NaN, "end": 1}]}',
        "not JSON: NaN is no number",
    ),
    _row(
        "an offset that is infinite",
        '{"text": "abc", "entities": [{"id": 1, "start": 0, "end": Infinity}]}',
        "not JSON: Infinity is no number",
    ),
    _row(
        "an offset of 30 digits",
        document(entity(0, 10**30)),
        "entity 'a' is [0, 1000000000000000000000000000000), the text has 19 characters",
    ),
    _row(
        "a number of 5,000 digits", '{"text": "abc", "n": ' + "9" * 5000 + "}", "not JSON: a number of too many digits"
    ),
    _row(
        "NaN in a key that nobody reads", '{"text": "abc", "entities": [], "weight": NaN}', "not JSON: NaN is no number"
    ),
    _row("an entity without id", document({"start": 0, "end": 3}), "entities.0.id: Field required"),
    _row("two entities with one id", document(entity(), entity(4, 8)), "entity id 'a' stands 2 times"),
    _row(
        "two entities with the same offsets",
        document(entity(), entity(name="b")),
        "the entities 'a' and 'b' are one mention: same offsets, same type",
    ),
    _row(
        "an entity whose text is another", document(entity(text="Bob")), "entity 'a' says 'Bob', its offsets say 'Ann'"
    ),
    _row(
        "an entity type that the guideline lacks",
        document(entity(type="Animal")),
        "the guideline declares no entity type 'Animal'",
    ),
    _row(
        "a relation that the guideline lacks",
        document(entity(), entity(4, 8, "b"), relations=[{"head": "a", "tail": "b", "type": "Eats"}]),
        "the guideline declares no relation 'Eats'",
    ),
    _row(
        "a relation of an unknown entity",
        document(entity(), relations=[{"head": "a", "tail": "z", "type": "Feeds"}]),
        "the tail 'z' of a relation is no entity",
    ),
    _row(
        "a relation of an entity with itself",
        document(entity(), relations=[{"head": "a", "tail": "a", "type": "Feeds"}]),
        "a relation joins 'a' with itself",
    ),
    _row(
        "two relations of one pair",
        document(
            entity(),
            entity(4, 8, "b"),
            relations=[{"head": "a", "tail": "b", "type": "Feeds"}, {"head": "b", "tail": "a", "type": "Feeds"}],
        ),
        "two relations between 'b' and 'a': an answer names one",
    ),
    _row(
        "a relation type with a bracket",
        document(entity(), entity(4, 8, "b"), relations=[{"head": "a", "tail": "b", "type": "Fe(eds"}]),
        "relations.0.type: a label name may not contain ['(']: 'Fe(eds', got \"Fe(eds\"",
    ),
    _row(
        "half of a surrogate pair",
        '{"text": "\\ud83d", "entities": []}',
        "holds half of a surrogate pair (an escape like \\ud83d alone)",
    ),
    _row(
        "a key of a row that stands twice",
        '{"text": "one", "entities": [], "text": "two"}',
        "not JSON: the key 'text' stands twice in one object",
    ),
    _row("JSON of 100,000 brackets", '{"text": ' + "[" * 100_000, "not JSON: nested too deeply"),
    _row("a line of 100,000 characters", _LONG, "entity 'a' is [0, 100001), the text has 100000 characters"),
    _row("a line of a million characters that is not JSON", "x" * 1_000_000, "not JSON: Expecting value (character 1)"),
    _row(
        "several faults in one row",
        document(entity(0, 99), entity(-1, 2), type=3),
        "entity id 'a' stands 2 times",
        "entity 'a' is [0, 99), the text has 19 characters",
        "entity 'a' is [-1, 2), the text has 19 characters",
    ),
    Case(
        "a relation of mentions that overlap",
        _CHECK,
        "",
        {
            "rows.jsonl": rows(
                document(entity(), entity(1, 8, "b"), relations=[{"head": "a", "tail": "b", "type": "Feeds"}])
            )
        },
        code=0,
        listed=(
            "rows: 1 rows",
            "note: 1 relations join mentions that overlap: such a pair is never asked",
            "0 faults",
        ),
    ),
    _file(
        "ids that stand twice",
        rows(GOOD_ROW, {**GOOD_ROW}, GOOD_ROW | {"text": "Other Ann."}),
        "rows: 1 rows",
        "rows.jsonl:2: the id 'good' stands in line 1 already",
        "rows.jsonl:3: the id 'good' stands in line 1 already",
        "2 faults",
    ),
    _file(
        "a file with a fault in every other line",
        rows("x", GOOD_ROW, "y", [1]),
        "rows: 1 rows",
        "rows.jsonl:1: not JSON: Expecting value (character 1)",
        "rows.jsonl:3: not JSON: Expecting value (character 1)",
        "rows.jsonl:4: a line must hold one JSON object",
        "3 faults",
    ),
    _file("an empty file", "", "rows: 0 rows", "rows.jsonl:1: the file holds no row", "1 faults"),
    _file("a file of blank lines", "\n  \r\n\t\n", "rows: 0 rows", "rows.jsonl:1: the file holds no row", "1 faults"),
    _file(
        "NUL bytes",
        b"\0\0\0\0\n" + rows(GOOD_ROW).encode(),
        "rows: 1 rows",
        "rows.jsonl:1: holds NUL bytes, as UTF-16 does: save the file as UTF-8",
        "1 faults",
    ),
    _file(
        "UTF-16",
        rows(GOOD_ROW).encode("utf-16"),
        "rows: 0 rows",
        "rows.jsonl:1: UTF-16: save the file as UTF-8",
        "1 faults",
    ),
    _file(
        "UTF-16 without a mark",
        rows(GOOD_ROW).encode("utf-16-le"),
        "rows: 0 rows",
        "rows.jsonl:1: holds NUL bytes, as UTF-16 does: save the file as UTF-8",
        "rows.jsonl:2: holds NUL bytes, as UTF-16 does: save the file as UTF-8",
        "2 faults",
    ),
    _file(
        "Latin-1",
        rows(GOOD_ROW).encode() + '{"text": "café"}\n'.encode("latin-1"),
        "rows: 1 rows",
        "rows.jsonl:2: not UTF-8: save the file as UTF-8",
        "1 faults",
    ),
    _file(
        "mixed line ends",
        b"x\r\ny\rz\n",
        "rows: 0 rows",
        "rows.jsonl:1: not JSON: Expecting value (character 1)",
        "rows.jsonl:2: not JSON: Expecting value (character 1)",
        "rows.jsonl:3: not JSON: Expecting value (character 1)",
        "3 faults",
    ),
    Case(
        "no such file of data",
        ("data", "check", "documents", "--path", "none.jsonl"),
        "none.jsonl: can't be read: No such file or directory",
    ),
    Case(
        "a link to nowhere",
        _CHECK,
        "rows.jsonl: can't be read: No such file or directory",
        {"rows.jsonl": link("gone")},
    ),
    Case(
        "a link to itself",
        _CHECK,
        "rows.jsonl: can't be read: Too many levels of symbolic links",
        {"rows.jsonl": link("rows.jsonl")},
    ),
    Case(
        "a folder without data",
        ("data", "check", "documents", "--path", "d"),
        "d: no .jsonl file in this folder (give a file, or a folder of .jsonl files)",
        {"d": folder},
    ),
    Case(
        "a folder named like a file",
        ("data", "check", "documents", "--path", "d"),
        "d/x.jsonl: can't be read: Is a directory",
        {"d/x.jsonl": folder},
    ),
    Case(
        "a file in place of a folder",
        ("data", "check", "semeval2010", "--path", "x/y"),
        "x/y: no such file or folder (give the folder of the release)",
        {"x": "y"},
    ),
    Case(
        "a path with a NUL byte",
        ("data", "check", "documents", "--path", "a\0b"),
        "Invalid value for '--path' / '-p': …null byte",
        code=2,
    ),
    Case(
        "a path of 5,000 characters",
        ("data", "check", "documents", "--path", "a" * 5000),
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…",
    ),
    Case(
        "a path that is not UTF-8",
        ("data", "check", "documents", "--path", "caf\udce9.jsonl"),
        "",
        {"caf\udce9.jsonl": "x\n"},
        listed=(
            "caf\\udce9: 0 rows",
            "caf\\udce9.jsonl:1: not JSON: Expecting value (character 1)",
            "1 faults",
        ),
    ),
    Case(
        "texts that nobody marked, to annotate",
        ("annotate", "rows.txt", "-g", "book.md", "-o", "out.jsonl"),
        (
            "rows.txt:1: raw text without entities, and the guideline declares no entity types to look for (declare "
            "entity types in the guideline ('## Entity type: …'), or give 'entities' with character offsets, or mark "
            "the two with <e1>…</e1> and <e2>…</e2>)"
        ),
        {"rows.txt": "The pump feeds the boiler.\n", "book.md": UNTYPED_BOOK},
    ),
    Case(
        "an id in two files to annotate",
        ("annotate", "a.jsonl", "b.jsonl", "-g", "book.md", "-o", "out.jsonl"),
        "a.jsonl:1: not JSON: Expecting value (character 1)",
        {"a.jsonl": "x", "b.jsonl": "", "book.md": BOOK},
    ),
    Case(
        "shares that are not numbers",
        ("data", "split", "rows.jsonl", "-o", "o", "--dev", "nan"),
        "shares nan and 0.15 leave nothing to train on (--dev 0.15 --test 0.15)",
        {"rows.jsonl": MARKED},
    ),
    Case(
        "a negative share",
        ("data", "split", "rows.jsonl", "-o", "o", "--dev", "-0.5"),
        "shares -0.5 and 0.15 leave nothing to train on (--dev 0.15 --test 0.15)",
        {"rows.jsonl": MARKED},
    ),
    Case(
        "too few rows to split",
        ("data", "split", "rows.jsonl", "-g", "book.md", "-o", "o"),
        (
            "rows.jsonl: 1 annotated rows leave dev empty (annotate more rows, or give other shares with --dev "
            "and --test)"
        ),
        {"rows.jsonl": rows(GOOD_ROW), "book.md": BOOK},
    ),
    Case(
        "a split of rows with a fault",
        ("data", "split", "rows.jsonl", "-g", "book.md", "-o", "o"),
        "rows.jsonl:2: not JSON: Expecting value (character 1)",
        {"rows.jsonl": rows(GOOD_ROW, "x"), "book.md": BOOK},
    ),
    Case(
        "a guideline in Latin-1 beside the data",
        (*_CHECK, "--guideline", "book.md"),
        "book.md:1: can't be read: byte 0xe9 is not UTF-8 (save the file as UTF-8)",
        {"rows.jsonl": MARKED, "book.md": b"# caf\xe9\n"},
    ),
)
