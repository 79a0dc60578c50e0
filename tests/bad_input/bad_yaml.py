"""Bad input: guidelines in YAML."""

from __future__ import annotations

from bad_case import Case, Content

_YAML = """title: Machines
version: 1
domain: workshop
relation_types:
  - name: Feeds
    definition: one supplies the other
    direction: (e1,e2)
"""


def _yaml(name: str, content: Content, *lines: str) -> Case:
    return Case(name, ("guideline", "check", "book.yaml"), "", {"book.yaml": content}, listed=lines)


GUIDELINES_IN_YAML = (
    _yaml(
        "YAML with a tab",
        _YAML + "\tx: 1\n",
        (
            "book.yaml:8: error: found character '\\t' that cannot start any token (write it as YAML with two "
            "blanks a level; quote a text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "YAML that breaks off",
        _YAML + 'no_relation: {name: "x',
        (
            "book.yaml:8: error: found unexpected end of stream (write it as YAML with two blanks a level; quote "
            "a text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "an empty YAML",
        "# nothing\n",
        "book.yaml:1: error: the file is empty (start the file with 'title: …') [empty-file]",
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a YAML list",
        "- a\n- b\n",
        (
            "book.yaml:1: error: a guideline is not a mapping (keys are: title, version, domain, preamble, "
            "entity_types, relation_types, no_relation) [bad-structure]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "an unknown key",
        _YAML + "examples: []\n",
        (
            "book.yaml:8: error: unknown key 'examples' in a guideline (keys are: title, version, domain, "
            "preamble, entity_types, relation_types, no_relation) [unknown-key]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a key that stands twice",
        _YAML + "title: again\n",
        ("book.yaml:8: error: key 'title' stands twice in a guideline (keep one of them) [duplicate-key]"),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a relation that is a word",
        _YAML + "  - Beside\n",
        (
            "book.yaml:8: error: a relation type is not a mapping (keys are: name, definition, arguments, "
            "direction, restrictions, overlaps, examples, near_misses) [bad-structure]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a text where a list belongs",
        _YAML + "    restrictions: none\n",
        ("book.yaml:8: error: 'restrictions' is a list (start each item with '- ', on a line of its own) [not-a-list]"),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "an alias",
        _YAML.replace("title: Machines", "title: &a Machines") + "no_relation: {name: *a}\n",
        (
            "book.yaml:8: error: an alias (*) is not allowed here (write it as YAML with two blanks a level; "
            "quote a text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a tag that would run code",
        _YAML + "no_relation: !!python/object/apply:os.system [id]\n",
        ("book.yaml:8: error: the no-relation label is not a mapping (keys are: name, definition) [bad-structure]"),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "YAML of 100,000 brackets",
        "title: " + "[" * 100_000,
        (
            "book.yaml:1: error: more than 50 brackets inside each other (write it as YAML with two blanks a "
            "level; quote a text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "an escape that is no character",
        _YAML + 'preamble: "\\ud83d"\n',
        (
            "book.yaml:8: error: half of a surrogate pair, which is no character (write it as YAML with two "
            "blanks a level; quote a text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a control character",
        _YAML + "preamble: a\x07b\n",
        (
            "book.yaml:8: error: a character that YAML does not allow (delete it, or write it as an escape in "
            "double quotes) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "two YAML documents",
        _YAML + "---\n" + _YAML,
        (
            "book.yaml:8: error: but found another document (write it as YAML with two blanks a level; quote a "
            "text that has ': ' or ' #' in it) [not-yaml]"
        ),
        "errors: 1, warnings: 0",
    ),
    _yaml(
        "a heading in a definition",
        _YAML.replace("one supplies the other", "|\n      # Title"),
        (
            "book.yaml:7: error: '# Title' would be a heading (write it without the # and the blank after it) "
            "[heading-in-text]"
        ),
        "errors: 1, warnings: 0",
    ),
)
