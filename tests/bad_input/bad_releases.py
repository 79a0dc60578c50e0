"""Bad input: releases of published data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bad_case import Case
from bad_parts import folder

_FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def _release(name: str, file: str = "", old: bytes = b"", new: bytes = b"") -> Callable[[Path], None]:
    """A fixture, with the first `old` in one of its files replaced."""

    def make(path: Path) -> None:
        shutil.copytree(_FIXTURES / name, path)
        if file:
            raw = (path / file).read_bytes()
            assert old in raw
            (path / file).write_bytes(raw.replace(old, new, 1))

    return make


def _without_text(path: Path) -> None:
    _release("mdkg/brat")(path)
    (path / "201.txt").unlink()


def _checked(name: str, task: str, release: Callable[[Path], None], *lines: str) -> Case:
    return Case(name, ("data", "check", task, "--path", "r"), "", {"r": release}, listed=lines)


_TRAIN = "training/TRAIN_FILE.TXT"
RELEASES = (
    Case(
        "a release that is not there",
        ("data", "check", "semeval2010", "--path", "none"),
        "none: no such file or folder (give the folder of the release)",
    ),
    Case(
        "a folder without the release",
        ("data", "show", "semeval2010", "--path", "d"),
        "d: TRAIN_FILE.TXT is missing (give the folder of one unpacked release)",
        {"d": folder},
    ),
    Case(
        "the folder of another release",
        ("data", "check", "crossre", "--path", "r"),
        "r: no <domain>-<split>.json (give the folder crossre_data of the release)",
        {"r": _release("mdkg")},
    ),
    Case(
        "a file where a release belongs",
        ("data", "check", "crossre", "--path", "f"),
        "f: no such folder (give the folder crossre_data of the release)",
        {"f": "x"},
    ),
    Case(
        "a release in an answers file",
        ("data", "check", "semeval2010", "--path", "f.txt"),
        "",
        {"f.txt": "1\tOther\n"},
        listed=(
            "f: 0 rows",
            "f.txt:1: the sentence is not in double quotes",
            "f.txt:1: the block has 1 of 3 lines",
            "2 faults",
        ),
    ),
    _checked(
        "a label that the release lacks",
        "semeval2010",
        _release("semeval2010_task8", _TRAIN, b"(e1,e2)", b"(e1,e3)"),
        "train: 9 rows",
        "test: 4 rows",
        "r/training/TRAIN_FILE.TXT:2: not one of the 19 labels: 'Cause-Effect(e1,e3)'",
        "1 faults",
    ),
    _checked(
        "a sentence without its mark",
        "semeval2010",
        _release("semeval2010_task8", _TRAIN, b"<e1>", b""),
        "train: 9 rows",
        "test: 4 rows",
        ("r/training/TRAIN_FILE.TXT:1: the sentence needs <e1>, </e1>, <e2>, </e2>, each once and in this order"),
        "1 faults",
    ),
    _checked(
        "a number that stands twice",
        "semeval2010",
        _release("semeval2010_task8", _TRAIN, b"2\t", b"1\t"),
        "train: 9 rows",
        "test: 4 rows",
        "r/training/TRAIN_FILE.TXT:5: id 1 stands twice",
        "1 faults",
    ),
    _checked(
        "XML that breaks off",
        "semeval2018",
        _release("semeval2018_task7", "1.1.text.xml", b"</title>", b""),
        "1.1 train: 0 rows",
        "1.1 test: 3 rows",
        "r/1.1.text.xml:10: not XML: mismatched tag",
        "r/1.1.relations.txt:1: no entity 'T01-1.1' in the texts",
        "r/1.1.relations.txt:2: no entity 'T01-1.3' in the texts",
        "r/1.1.relations.txt:3: no entity 'T01-1.5' in the texts",
        "r/1.1.relations.txt:4: no entity 'T01-1.5' in the texts",
        "r/1.1.relations.txt:5: no entity 'T01-2.2' in the texts",
        "r/1.1.relations.txt:6: no entity 'T01-2.5' in the texts",
        "r/1.1.relations.txt:8: no entity 'T01-2.7' in the texts",
        "8 faults",
    ),
    _checked(
        "XML with a document type",
        "semeval2018",
        _release("semeval2018_task7", "1.1.text.xml", b"<doc>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><doc>"),
        "1.1 train: 0 rows",
        "1.1 test: 3 rows",
        "r/1.1.text.xml:2: a document type declaration does not belong to the format",
        "r/1.1.relations.txt:1: no entity 'T01-1.1' in the texts",
        "r/1.1.relations.txt:2: no entity 'T01-1.3' in the texts",
        "r/1.1.relations.txt:3: no entity 'T01-1.5' in the texts",
        "r/1.1.relations.txt:4: no entity 'T01-1.5' in the texts",
        "r/1.1.relations.txt:5: no entity 'T01-2.2' in the texts",
        "r/1.1.relations.txt:6: no entity 'T01-2.5' in the texts",
        "r/1.1.relations.txt:8: no entity 'T01-2.7' in the texts",
        "8 faults",
    ),
    _checked(
        "a relation that the release lacks",
        "semeval2018",
        _release("semeval2018_task7", "1.1.relations.txt", b"USAGE", b"USES"),
        "1.1 train: 6 rows",
        "1.1 test: 3 rows",
        "r/1.1.relations.txt:1: not one of the 6 relations: 'USES'",
        "1 faults",
    ),
    _checked(
        "tokens that the sentence lacks",
        "crossre",
        _release("crossre", "ai-train.json", b'"ner": [[0', b'"ner": [[99'),
        "ai train: 0 rows",
        "ai test: 2 rows",
        "news train: 4 rows",
        "news dev: 2 rows",
        "news test: 1 rows",
        "r/ai-train.json:1: entity [99, 1] has no such tokens",
        "r/ai-train.json:1: the relation [0, 1, 4, 4] joins tokens that are no entity",
        "r/ai-train.json:1: the relation [0, 1, 8, 8] joins tokens that are no entity",
        "3 faults",
    ),
    _checked(
        "a mention beyond its text",
        "mdkg",
        _release("mdkg/brat", "201.ann", b"T1\t", b"T1\tdisease 5000 5001\tx\nT9\t"),
        "brat: 2 rows",
        (
            "note: 5 related pairs within a sentence; 0 of them have several labels (relation or direction) and "
            "are left out, because a question has one gold answer; the option several=first takes the first "
            "label in the file"
        ),
        ("note: 1 relations are not asked: across sentences, between mentions that overlap, or the same one again"),
        "r/201.ann:1: T1 is [5000, 5001), the text has 145 characters",
        "r/201.ann:9: there is no entity 'T1'",
        "2 faults",
    ),
    _checked(
        "a text that is missing",
        "mdkg",
        _without_text,
        "brat: 1 rows",
        (
            "note: 3 related pairs within a sentence; 0 of them have several labels (relation or direction) and "
            "are left out, because a question has one gold answer; the option several=first takes the first "
            "label in the file"
        ),
        ("note: 0 relations are not asked: across sentences, between mentions that overlap, or the same one again"),
        "r/201.ann:1: there is no 201.txt beside it",
        "1 faults",
    ),
    Case(
        "JSON that breaks off in a release",
        ("data", "check", "mdkg", "--path", "a.json"),
        "a.json:1: not JSON: Expecting ',' delimiter",
        {"a.json": '[{"tokens": ["a"]'},
    ),
    Case(
        "JSON of 100,000 brackets in a release",
        ("data", "check", "mdkg", "--path", "a.json"),
        "a.json:1: not JSON: nested too deeply",
        {"a.json": "[" * 100_000},
    ),
    Case(
        "a task without files",
        ("data", "check", "world", "--path", "."),
        "task 'world' reads no files (`bythebook data show` shows what it makes)",
    ),
    Case(
        "an unknown task",
        ("data", "show", "semeval2011"),
        (
            "no task 'semeval2011' "
            "(there are: crossre, documents, free_answers, key_values, mcqa, mdkg, rtllm, scier, scierc, semeval2010, "
            "semeval2018, sroie, tables, verdicts, verilog_eval, world, world_answers, world_circuits, world_fields, "
            "world_forms, world_joint, world_mcqa, world_programs, world_scenes, world_tables)"
        ),
    ),
)
