"""Bad input: run directories to report, wrong usage."""

from __future__ import annotations

from collections.abc import Mapping

from bad_case import Case, Content
from bad_parts import folder, rows

_RECORD = {
    "schema": "bythebook.prediction/1", "id": "a", "domain": "d", "sample": -1, "gold": "A-B(e1,e2)",
    "answer": "A-B(e1,e2)", "correct": True, "well_formed": True, "status": "ok",
}  # fmt: skip
_SOUND = rows(_RECORD)


def _report(name: str, files: Mapping[str, Content], said: str) -> Case:
    return Case(name, ("report", "run"), said, {"run/records/trained.test.jsonl": _SOUND, **files})


RUNS = (
    Case("a run that is not there", ("report", "run"), "run: no such run directory (give the folder that a run wrote)"),
    Case(
        "a run that is a file",
        ("report", "run"),
        "run: no such run directory (give the folder that a run wrote)",
        {"run": "x"},
    ),
    Case(
        "a folder that is no run",
        ("report", "run"),
        (
            "run: holds no run: none of demo.json, metrics.jsonl, records, evaluation.json (give the folder that "
            "`bythebook demo`, `bythebook train` or `bythebook evaluate` wrote)"
        ),
        {"run/notes.txt": "x"},
    ),
    Case(
        "a run of nothing",
        ("report", "run"),
        (
            "run: holds no run: none of demo.json, metrics.jsonl, records, evaluation.json (give the folder that "
            "`bythebook demo`, `bythebook train` or `bythebook evaluate` wrote)"
        ),
        {"run": folder},
    ),
    _report(
        "a record that is not JSON",
        {"run/records/trained.test.jsonl": _SOUND + "{\n" + _SOUND},
        ("run/records/trained.test.jsonl:2: not JSON: Expecting property name enclosed in double quotes (character 3)"),
    ),
    _report(
        "a record with a torn last line",
        {"run/records/trained.test.jsonl": _SOUND + _SOUND[:40]},
        ("run/records/trained.test.jsonl:2: not JSON: Unterminated string starting at (character 38)"),
    ),
    _report(
        "a record without status",
        {"run/records/trained.test.jsonl": rows(_RECORD | {"status": None})},
        (
            "run/records/trained.test.jsonl:1: not a record: status: Input should be 'ok', 'wrong', 'no_answer', "
            "'malformed', 'truncated' or 'unscored'"
        ),
    ),
    _report(
        "a record of a later version",
        {"run/records/trained.test.jsonl": rows(_RECORD | {"schema": "bythebook.prediction/9"})},
        (
            "run/records/trained.test.jsonl:1: not a record: schema: Input should be 'bythebook.prediction/1' or "
            "'bythebook.rollout/1'"
        ),
    ),
    _report(
        "records that are not UTF-8",
        {"run/records/trained.test.jsonl": b"\xff\n"},
        "run/records/trained.test.jsonl:1: not UTF-8 (save the file as UTF-8)",
    ),
    _report(
        "records that are a folder",
        {"run/records/trained.test.jsonl": folder},
        "run/records/trained.test.jsonl: can't be read: Is a directory",
    ),
    _report(
        "records in a broken gzip file",
        {"run/records/x.jsonl.gz": b"\x1f\x8b\x08\x00"},
        "run/records/x.jsonl.gz: not a whole gzip file",
    ),
    _report(
        "metrics without a step",
        {"run/metrics.jsonl": '{"loss": 1}\n'},
        "run/metrics.jsonl:1: a line of metrics needs a whole number `step`",
    ),
    _report(
        "metrics that are not JSON",
        {"run/metrics.jsonl": "step 1\n"},
        "run/metrics.jsonl:1: not JSON: Expecting value (character 1)",
    ),
    _report(
        "a demo that is not JSON",
        {"run/demo.json": "{\n"},
        ("run/demo.json:2: not JSON: Expecting property name enclosed in double quotes (run the command again)"),
    ),
    _report(
        "a demo without arms",
        {"run/demo.json": '{"title": "x", "arms": []}'},
        ("run/demo.json: arms: Tuple should have at least 1 item after validation, not 0 (run the command again)"),
    ),
    _report(
        "an arm that leads out of the run",
        {"run/demo.json": '{"title": "x", "arms": [{"name": "../x", "label": "x"}]}'},
        ("run/demo.json: arms.0.name: String should match pattern '^[A-Za-z0-9_-]+$' (run the command again)"),
    ),
    _report(
        "scores of 100,000 brackets",
        {"run/scores.json": "[" * 100_000},
        "run/scores.json: not JSON: nested too deeply, or a number too long",
    ),
    _report(
        "a page that is a folder",
        {"run/report.html/x": ""},
        "run/report.html: Is a directory (choose another --output)",
    ),
)


def _usage(name: str, said: str, *arguments: str) -> Case:
    return Case(name, arguments, said, code=2)


USAGE = (
    _usage("an unknown command", "No such command 'anotate'. Did you mean 'annotate'?", "anotate"),
    _usage("an unknown option", "No such option: --yaml", "recipes", "--yaml"),
    _usage("an option without value", "Option '--task' requires an argument.", "evaluate", "--task"),
    _usage("a missing argument", "Missing argument 'run'.", "report"),
    _usage("a missing option", "Missing option '--task' / '-t'.", "evaluate"),
    _usage("an argument too many", "Got unexpected extra argument(s) (b)", "report", "a", "b"),
    _usage(
        "a negative number of samples",
        "Invalid value for '--samples': Input should be greater than or equal to 0",
        "evaluate",
        "--task",
        "world",
        "--samples",
        "-1",
    ),
    _usage(
        "a limit of nothing",
        "Invalid value for '--limit': Input should be greater than or equal to 1",
        "evaluate",
        "--task",
        "world",
        "--limit",
        "0",
    ),
    _usage(
        "a negative seed",
        "Invalid value for '--seed': Input should be greater than or equal to 0",
        "demo",
        "--seed",
        "-1",
    ),
    _usage(
        "a seed that is no number",
        ("Invalid value for '--seed': Input should be a valid integer, unable to parse string as an integer"),
        "demo",
        "--seed",
        "x",
    ),
    _usage(
        "a number of workers below one",
        "Invalid value for '--workers': Input should be greater than or equal to 1",
        "demo",
        "--workers",
        "0",
    ),
    _usage(
        "no requests at once",
        "Invalid value for '--concurrency': Input should be greater than or equal to 1",
        "evaluate",
        "--task",
        "world",
        "--concurrency",
        "0",
    ),
    _usage(
        "no rows to show",
        "Invalid value for '--rows': Input should be greater than or equal to 1",
        "data",
        "show",
        "world",
        "--rows",
        "0",
    ),
    _usage(
        "no windows",
        "Invalid value for '--windows': Input should be greater than or equal to 1",
        "study",
        "lengths",
        "x",
        "--windows",
        "0",
    ),
    _usage(
        "too few rounds",
        "Invalid value for '--rounds': Input should be greater than or equal to 5",
        "bench",
        "scoring",
        "--rounds",
        "1",
    ),
    _usage(
        "a share that is no number",
        ("Invalid value for '--dev': Input should be a valid number, unable to parse string as a number"),
        "data",
        "split",
        "x",
        "-o",
        "y",
        "--dev",
        "half",
    ),
)
