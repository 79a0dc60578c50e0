"""Bad input: outputs that can't be written or hold something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from bad_case import Case, Content
from bad_parts import BOOK, MARKED, folder, rows

from bythebook.guidelines import parse_guideline
from bythebook.recipe import dump_recipe, load_recipe

_ASK = ("annotate", "rows.jsonl", "-g", "book.md", "-o")


def _annotate(name: str, output: str, files: Mapping[str, Content], said: str) -> Case:
    return Case(name, (*_ASK, output), said, {"rows.jsonl": MARKED, "book.md": BOOK, **files})


def _predicted(**changes: object) -> str:
    row = {
        "schema": "bythebook.prediction/1", "id": "m", "text": "The pump feeds the boiler.", "answers": [],
        "errors": [], "guideline": {"name": "x", "hash": "0"}, "model": "embedded",
    }  # fmt: skip
    return rows(row | changes)


_EVALUATE = ("evaluate", "--task", "world", "--split", "id", "--limit", "1", "--samples", "0", "--json", "-o")
_TRAIN = ("train", "r1_re_tiny_sft", "data.options.train=4", "data.options.id=4", "data.options.ood=4", "--json", "-o")
_SPLIT = ("data", "split", "rows.jsonl", "-g", "book.md", "-o")


def _other_recipe(path: Path) -> None:
    path.write_text(dump_recipe(load_recipe("r1_re_tiny_sft", [*_TRAIN[2:5], "seed=3"])), encoding="utf-8")


OUTPUTS = (
    _annotate("an output that is a folder", "d", {"d": folder}, "d: is no file (choose another output)"),
    _annotate(
        "an output below a file",
        "f/out.jsonl",
        {"f": "x"},
        "f/out.jsonl: can't be written: File exists (choose another output)",
    ),
    _annotate(
        "an output that is a device without room", "/dev/full", {}, "/dev/full: is no file (choose another output)"
    ),
    _annotate(
        "an output of rows of something else",
        "out.jsonl",
        {"out.jsonl": '{"id": 1}\n'},
        "out.jsonl:1: holds something else than predictions (choose another output)",
    ),
    _annotate(
        "an output that is not JSON",
        "out.jsonl",
        {"out.jsonl": "hello\n"},
        "out.jsonl:1: holds something else than predictions (choose another output)",
    ),
    _annotate(
        "an output under another guideline",
        "out.jsonl",
        {"out.jsonl": _predicted()},
        "out.jsonl:1: holds predictions under another guideline (x) (choose another output)",
    ),
    _annotate(
        "the input as output",
        "rows.jsonl",
        {},
        "rows.jsonl:1: holds something else than predictions (choose another output)",
    ),
    _annotate(
        "the guideline as output",
        "book.md",
        {},
        "book.md:1: holds something else than predictions (choose another output)",
    ),
    _annotate(
        "the input as output, without a last line break",
        "rows.jsonl",
        {"rows.jsonl": MARKED + MARKED.strip()},
        "rows.jsonl:1: holds something else than predictions (choose another output)",
    ),
    _annotate(
        "a prediction that is not JSON",
        "out.jsonl",
        {"out.jsonl": _predicted()[:60] + "\n" + _predicted()},
        "out.jsonl:1: not JSON: …",
    ),
    _annotate(
        "predictions of another model",
        "out.jsonl",
        {"out.jsonl": _predicted(guideline={"name": "Machines", "hash": parse_guideline(BOOK).hash}, model="other")},
        "out.jsonl:1: holds predictions of another model (other) (choose another output)",
    ),
    Case(
        "an evaluation into a file",
        (*_EVALUATE, "f"),
        "f: can't be written: File exists (choose another folder)",
        {"f": "x"},
    ),
    Case(
        "an evaluation below a file",
        (*_EVALUATE, "f/e"),
        "f/e: can't be written: Not a directory (choose another folder)",
        {"f": "x"},
    ),
    Case(
        "an evaluation beside another",
        (*_EVALUATE, "e"),
        (
            "e/evaluation.json: the records here were made with another setting of: model, weights, style, "
            "sampling, data (choose another output)"
        ),
        {"e/evaluation.json": json.dumps({"model": "x"})},
    ),
    Case(
        "an evaluation beside a broken one",
        (*_EVALUATE, "e"),
        (
            "e/evaluation.json: can't be read: Expecting property name enclosed in double quotes: line 1 column "
            "2 (char 1) (choose another output folder)"
        ),
        {"e/evaluation.json": "{"},
    ),
    Case(
        "an evaluation beside a list",
        (*_EVALUATE, "e"),
        "e/evaluation.json: not what an evaluation notes (choose another output folder)",
        {"e/evaluation.json": "[]"},
    ),
    Case(
        "an evaluation over broken records",
        (*_EVALUATE, "e"),
        ("e/world.id.jsonl:1: not JSON: Expecting property name enclosed in double quotes (character 3)"),
        {"e/world.id.jsonl": "{\n{}\n"},
        leaves=("e/evaluation.json", "e/guidelines.json"),
    ),
    Case(
        "an evaluation beside broken guidelines",
        (*_EVALUATE, "e"),
        (
            "e/guidelines.json: the whole: Invalid JSON: EOF while parsing an object at line 1 column 1 (delete "
            "it: what reads it goes without)"
        ),
        {"e/guidelines.json": "{"},
        leaves=("e/evaluation.json",),
    ),
    Case("a training run into a file", (*_TRAIN, "f"), "f: File exists (choose another --output)", {"f": "x"}),
    Case(
        "a training run below a file",
        (*_TRAIN, "f/run"),
        "f/run: Not a directory (choose another --output)",
        {"f": "x"},
    ),
    Case(
        "a training run over a finished one",
        (*_TRAIN, "run"),
        "run: there is a finished run here (choose another --output)",
        {"run/model/config.json": "{}"},
    ),
    Case(
        "a training run over an unfinished one",
        (*_TRAIN, "run"),
        (
            "run: there is an unfinished run here, with a checkpoint of step 3 (--resume goes on with it; to "
            "start anew, choose another --output)"
        ),
        {"run/checkpoints/checkpoint-3/run.json": '{"step": 3, "examples": "x"}'},
    ),
    Case(
        "a run that goes on under another recipe",
        (*_TRAIN, "run", "--resume"),
        (
            "run/recipe.yaml: the run here was started with another seed (3 → 0) (give the settings it was "
            "started with, or choose another --output)"
        ),
        {"run/recipe.yaml": _other_recipe},
    ),
    Case(
        "a run that goes on over half a recipe",
        (*_TRAIN, "run", "--resume"),
        (
            "run/recipe.yaml: system: Field required (`bythebook recipes` lists examples, `bythebook train NAME "
            "--dry-run` prints one)"
        ),
        {"run/recipe.yaml": "name: x\n"},
    ),
    Case(
        "a run that goes on without the right recipe",
        (*_TRAIN, "run", "--resume"),
        (
            "run/recipe.yaml: a recipe is a mapping of sections (`bythebook recipes` lists examples, `bythebook "
            "train NAME --dry-run` prints one)"
        ),
        {"run/recipe.yaml": "- x"},
    ),
    Case(
        "a run that goes on over broken metrics",
        (*_TRAIN, "run", "--resume"),
        ("run/metrics.jsonl:1: not JSON: Expecting property name enclosed in double quotes (character 3)"),
        {"run/metrics.jsonl": "{\n", "run/records": folder},
        leaves=("run/recipe.yaml", "run/environment.json", "run/checkpoints"),
        chatty=True,
    ),
    Case(
        "a run that goes on with other examples",
        (*_TRAIN, "run", "--resume"),
        (
            "run/checkpoints/checkpoint-3: the training examples are not those that this checkpoint was made "
            "with (give the same data, or choose another --output)"
        ),
        {"run/checkpoints/checkpoint-3/run.json": '{"step": 3, "examples": "x"}'},
        leaves=("run/recipe.yaml",),
    ),
    Case(
        "a split into a file",
        (*_SPLIT, "f"),
        "f: there is something here already (choose another --output)",
        {"rows.jsonl": MARKED, "book.md": BOOK, "f": "x"},
    ),
    Case(
        "a split into a folder that holds something",
        (*_SPLIT, "d"),
        "d: there is something here already (choose another --output)",
        {"rows.jsonl": MARKED, "book.md": BOOK, "d/x": ""},
    ),
    Case(
        "an example over files of one's own",
        ("data", "example", "d"),
        "d/rest.jsonl: the file is there already (choose another folder)",
        {"d/rest.jsonl": ""},
    ),
    Case(
        "an example below a file",
        ("data", "example", "f/d"),
        "f/d: can't be made: Not a directory (choose another folder)",
        {"f": "x"},
    ),
    Case(
        "a demo into a file",
        ("demo", "--quick", "--json", "-o", "f"),
        "f: File exists (choose another --output)",
        {"f": "x"},
    ),
    Case(
        "a split of a task that is not there",
        ("evaluate", "--task", "world", "--split", "dev"),
        "task 'world' has no split 'dev' here (it has: id, ood)",
    ),
    Case(
        "an unknown task to evaluate",
        ("evaluate", "--task", "word"),
        "no task 'word' "
        "(there are: crossre, documents, free_answers, key_values, mcqa, mdkg, rtllm, scier, scierc, semeval2010, "
        "semeval2018, sroie, tables, verdicts, verilog_eval, world, world_answers, world_circuits, world_fields, "
        "world_forms, world_joint, world_mcqa, world_programs, world_scenes, world_tables)",
    ),
    Case(
        "a guideline for a task that has its own",
        ("evaluate", "--task", "world", "--guideline", "b.md"),
        (
            "world option guideline: Extra inputs are not permitted (options are: seed, k, train, domains, "
            "fresh_share, id, ood, train_per_guideline, per_guideline)"
        ),
        {"b.md": BOOK},
    ),
)
