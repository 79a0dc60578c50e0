"""Bad input: answers to score, completions to reward."""

from __future__ import annotations

import gzip
import json

from bad_case import Case, Content
from bad_parts import folder, rows

_GOLD = "1\tCause-Effect(e1,e2)\n2\tOther\n"


def _scored(name: str, answers: Content, said: str, gold: Content = _GOLD) -> Case:
    command = ("score", "semeval2010", "answers.txt", "--gold", "gold.txt", "--json")
    return Case(name, command, said, {"answers.txt": answers, "gold.txt": gold})


ANSWERS = (
    _scored(
        "answers with a blank for the tab",
        "1 Other\n",
        (
            "answers.txt:1: not 'id<TAB>label': '1 Other' (one 'id<TAB>label' a line, labels like "
            "Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored(
        "answers in three columns",
        "1\tOther\tyes\n",
        (
            "answers.txt:1: unknown label: 'Other\\tyes' (one 'id<TAB>label' a line, labels like "
            "Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored(
        "an answer that is no label",
        "1\tOther\n2\tCause-Effect\n",
        (
            "answers.txt:2: label without direction: Cause-Effect; write Cause-Effect(e1,e2) or "
            "Cause-Effect(e2,e1) (one 'id<TAB>label' a line, labels like Cause-Effect(e1,e2) or Other, no id "
            "twice)"
        ),
    ),
    _scored(
        "an answer of another data set",
        "1\tUSAGE(e1,e2)\n",
        (
            "answers.txt:1: unknown label: 'USAGE(e1,e2)' (one 'id<TAB>label' a line, labels like "
            "Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored(
        "an id answered twice",
        "1\tOther\n1\tOther\n",
        (
            "answers.txt:2: id 1 stands twice (one 'id<TAB>label' a line, labels like Cause-Effect(e1,e2) or "
            "Other, no id twice)"
        ),
    ),
    _scored(
        "an id that the gold lacks",
        "1\tOther\n3\tOther\n",
        (
            "answers.txt:2: id 3 is not in the gold (one 'id<TAB>label' a line, labels like Cause-Effect(e1,e2) "
            "or Other, no id twice)"
        ),
    ),
    _scored(
        "an id with a leading zero",
        "01\tOther\n",
        (
            "answers.txt:1: not 'id<TAB>label': '01\\tOther' (one 'id<TAB>label' a line, labels like "
            "Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored(
        "an id of 20 digits",
        "9" * 20 + "\tOther\n",
        (
            "answers.txt:1: not 'id<TAB>label': '99999999999999999999\\tOther' (one 'id<TAB>label' a line, labels "
            "like Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored("an empty file of answers", "", "answers.txt: the file has no answer (write one 'id<TAB>label' a line)"),
    _scored("answers in UTF-16", "1\tOther\n".encode("utf-16"), "answers.txt:1: the file is UTF-16 (save it as UTF-8)"),
    _scored(
        "answers as JSON",
        rows({"id": "1", "answer": "Other"}),
        (
            'answers.txt:1: not \'id<TAB>label\': \'{"id": "1", "answer": "Other"}\' (one \'id<TAB>label\' a line, '
            "labels like Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored(
        "answers with a line of 100,000 characters",
        "1\t" + "x" * 100_000 + "\n",
        (
            "answers.txt:1: unknown label: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' (one "
            "'id<TAB>label' a line, labels like Cause-Effect(e1,e2) or Other, no id twice)"
        ),
    ),
    _scored("answers that are a folder", folder, "answers.txt: can't be read: Is a directory"),
    _scored(
        "a gold file of another task",
        "1\tOther\n",
        (
            'gold.txt:1: not \'id<TAB>label\': \'{"id": "1", "gold": "USAGE(e1,e2)"}\' (one \'id<TAB>label\' a line, '
            "labels like Cause-Effect(e1,e2) or Other, no id twice)"
        ),
        gold='{"id": "1", "gold": "USAGE(e1,e2)"}\n',
    ),
    _scored(
        "an empty gold file",
        "1\tOther\n",
        "gold.txt: the file has no answer (write one 'id<TAB>label' a line)",
        gold="",
    ),
    Case(
        "a gold file that is not there",
        ("score", "semeval2010", "a.txt", "--gold", "none"),
        "none: can't be read: No such file or directory",
        {"a.txt": _GOLD},
    ),
    Case(
        "answers to a task without scorer",
        ("score", "world", "a.txt", "--gold", "a.txt"),
        "task 'world' has no published scorer (use `bythebook evaluate`)",
        {"a.txt": _GOLD},
    ),
)

_OK = {"completion": "<think>x</think><answer>A-B(e1,e2)</answer>", "gold": "A-B(e1,e2)", "labels": ["A-B"]}


def _paid(name: str, bad: object, said: str) -> Case:
    """A sound completion, then a bad one."""
    return Case(name, ("reward", "r1_re", "c.jsonl"), said, {"c.jsonl": rows(_OK, bad)})


COMPLETIONS = (
    _paid("a completion that is missing", {"gold": "A-B(e1,e2)"}, "c.jsonl:2: no text under 'completion'"),
    _paid("a completion that is a list", {"completion": ["x"]}, "c.jsonl:2: no text under 'completion'"),
    _paid(
        "an unknown finish reason",
        {**_OK, "finish_reason": "tired"},
        "c.jsonl:2: unknown finish_reason 'tired' (one of stop, length, error)",
    ),
    _paid(
        "a finish reason that is a list",
        {**_OK, "finish_reason": ["stop"]},
        "c.jsonl:2: unknown finish_reason ['stop'] (one of stop, length, error)",
    ),
    _paid(
        "gold without its labels",
        {"completion": "x", "gold": "A-B(e1,e2)"},
        (
            'c.jsonl:2: bad gold: \'A-B(e1,e2)\' stands without its label set (add "labels": ["Cause-Effect", …], '
            "the relation names)"
        ),
    ),
    _paid(
        "gold that is no answer",
        {**_OK, "gold": "A-B(e1)"},
        (
            "c.jsonl:2: bad gold: 'A-B(e1)' is no answer (write Relation(e1,e2), Relation(e2,e1) or the "
            "no_relation label)"
        ),
    ),
    _paid(
        "gold that is none of its labels",
        {**_OK, "gold": "C-D(e1,e2)"},
        "c.jsonl:2: bad gold: C-D(e1,e2) is not among its own labels",
    ),
    _paid("gold that is a number", {**_OK, "gold": 7}, "c.jsonl:2: bad gold: neither an object nor a text"),
    _paid(
        "gold that is half an object",
        {**_OK, "gold": {"label": {"name": "A-B"}}},
        ('c.jsonl:2: bad gold: grammar: Field required (a label such as "A-B(e1,e2)" beside "labels": ["A-B"])'),
    ),
    _paid(
        "gold that is broken JSON",
        {**_OK, "gold": '{"label": '},
        (
            "c.jsonl:2: bad gold: Invalid JSON: EOF while parsing a value at line 1 column 10 (a label such as "
            '"A-B(e1,e2)" beside "labels": ["A-B"])'
        ),
    ),
    _paid(
        "labels that are a number",
        {**_OK, "labels": 3},
        (
            'c.jsonl:2: bad gold: relations: Input should be a valid tuple (a label such as "A-B(e1,e2)" beside '
            '"labels": ["A-B"])'
        ),
    ),
    _paid(
        "labels that are one text",
        {**_OK, "labels": "A-B"},
        (
            'c.jsonl:2: bad gold: relations: Input should be a valid tuple (a label such as "A-B(e1,e2)" beside '
            '"labels": ["A-B"])'
        ),
    ),
    _paid(
        "a label with a bracket",
        {**_OK, "labels": ["A(B"]},
        (
            "c.jsonl:2: bad gold: relations.0: a label name may not contain ['(']: 'A(B' (a label such as "
            '"A-B(e1,e2)" beside "labels": ["A-B"])'
        ),
    ),
    _paid(
        "completions with a key twice",
        '{"completion": "a", "completion": "b"}',
        "c.jsonl:2: not JSON: the key 'completion' stands twice in one object",
    ),
    _paid(
        "completions with a torn last line",
        '{"completion": "a',
        "c.jsonl:2: not JSON: Invalid control character at (character 18)",
    ),
    _paid(
        "half a surrogate pair in a completion",
        '{"completion": "\\ud83d", "gold": "A-B(e1,e2)", "labels": ["A-B", "\\ud83d"]}',
        (
            "c.jsonl:2: bad gold: relations.1: a label name may not contain control characters: '\\ud83d' (a "
            'label such as "A-B(e1,e2)" beside "labels": ["A-B"])'
        ),
    ),
    Case(
        "an unknown reward",
        ("reward", "r2_re", "c.jsonl"),
        "there is no reward 'r2_re' (choose one of r1_re, r1_re_anchored, r1_re_triplets, "
        "r2grpo, r2grpo_release, free_answer, med_rlvr, perception_r1, perception_r1_release, "
        "medical_vie, medical_vie_paper, table_r1, table_r1_release, table_r1_evaluation, "
        "codev_r1, format_only, random, bernoulli, majority, incorrect, "
        "python, no_python, no_repetition, boxed)",
        {"c.jsonl": rows(_OK)},
    ),
    Case(
        "an empty file of completions",
        ("reward", "r1_re", "c.jsonl"),
        "c.jsonl:1: the file holds no completion",
        {"c.jsonl": ""},
    ),
    Case(
        "completions that are a folder",
        ("reward", "r1_re", "c.jsonl"),
        "c.jsonl: can't be read: Is a directory",
        {"c.jsonl": folder},
    ),
    Case(
        "a gzip file that is none",
        ("reward", "r1_re", "c.jsonl.gz"),
        "c.jsonl.gz: not a whole gzip file",
        {"c.jsonl.gz": rows(_OK)},
    ),
    Case(
        "a gzip file that breaks off",
        ("reward", "r1_re", "c.jsonl.gz"),
        "c.jsonl.gz: not a whole gzip file",
        {"c.jsonl.gz": gzip.compress(rows(_OK).encode())[:-9]},
    ),
    Case(
        "a gzip file with a wrong byte",
        ("reward", "r1_re", "c.jsonl.gz"),
        "c.jsonl.gz:1: not UTF-8 (save the file as UTF-8)",
        {"c.jsonl.gz": gzip.compress(rows(_OK).encode())[:12] + b"\xff" * 90},
    ),
    Case(
        "a study of completions",
        ("study", "lengths", "c.jsonl"),
        "c.jsonl:1: not a record: schema: Field required",
        {"c.jsonl": rows(_OK)},
    ),
    Case(
        "an unknown study",
        ("study", "moods", "c.jsonl"),
        "No such command 'moods'.",
        {"c.jsonl": json.dumps(_OK)},
        code=2,
    ),
    Case("a study of nothing", ("study", "lengths", "c.jsonl"), "c.jsonl: no records", {"c.jsonl": "\n"}),
)
