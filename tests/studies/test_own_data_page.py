"""The commands of docs/own_data.md, run word for word in an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from bythebook.records import read_jsonl

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_RIGHT = (
    "Koda-Mut(e1,e2) Koda-Mut(e2,e1) Other Havi-Kas(e2,e1) Havi-Kas(e1,e2) Havi-Kas(e2,e1) Zeno-Sot(e1,e2) "
    "Zeno-Sot(e2,e1) Nemo-Dur(e2,e1) Nemo-Dur(e1,e2) Other Other"
).split()


class Step(NamedTuple):
    """A block of commands, and the text shown right after it, if there is one."""

    commands: str
    shown: str | None


@pytest.fixture(scope="module")
def steps(root: Path) -> list[Step]:
    blocks = _BLOCK.findall((root / "docs" / "own_data.md").read_text(encoding="utf-8"))
    found = []
    for i, (kind, text) in enumerate(blocks):
        if kind == "sh":
            following = blocks[i + 1] if i + 1 < len(blocks) else ("", "")
            found.append(Step(text, following[1] if following[0] == "text" else None))
    return found


def run(commands: str, folder: Path, package: Path) -> str:
    """Standard output of a shell in `folder`, in which `bythebook` is this source tree's."""
    tools = folder.parent / "tools"
    tools.mkdir(exist_ok=True)
    program = tools / "bythebook"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bythebook "$@"\n')
    program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(package.parent),
        "COLUMNS": "200",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", commands],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def same(shown: str, printed: str) -> bool:
    """Whether two texts agree but for white space at the ends of lines."""
    return [x.rstrip() for x in shown.strip("\n").splitlines()] == [
        x.rstrip() for x in printed.strip("\n").splitlines()
    ]


def test_the_page_goes_from_a_corpus_to_annotations(steps: list[Step]) -> None:
    verbs = [re.findall(r"^bythebook (\w+(?: (?:example|check|split))?)", s.commands, re.M) for s in steps]
    assert [v for step in verbs for v in step] == [
        "data example",
        "data check",
        "data split",
        "evaluate",
        "train",
        "evaluate",
        "annotate",
    ]


def test_what_needs_no_model_runs_and_prints_what_the_page_shows(
    steps: list[Step], tmp_path: Path, package: Path
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    for step in steps[:3]:
        printed = run(step.commands, folder, package)
        assert step.shown is None or same(step.shown, printed), printed


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_whole_page_ends_with_an_annotated_file(steps: list[Step], tmp_path: Path, package: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    for step in steps:
        run(step.commands, folder, package)
    chosen = json.loads((folder / "run/chosen.json").read_text())
    seen = {row["step"]: row["accuracy"] for row in chosen["seen"]}
    assert list(seen) == [0, 4, 8, 12, 16, 20, 24]
    assert chosen["on"] == "dev"
    assert chosen["accuracy"] == max(seen.values()) > seen[0]
    assert chosen["step"] == min(step for step, value in seen.items() if value == chosen["accuracy"])
    # Before the choice nothing looked at test, and only the chosen model did afterwards.
    evals = [row["eval"] for _, row in read_jsonl(folder / "run/metrics.jsonl") if "eval" in row]
    assert {key for row in evals for key in row} == {"dev_accuracy"}
    assert sorted(p.name for p in (folder / "run/records").glob("*.test.jsonl")) == ["trained.test.jsonl"]
    records = [row for _, row in read_jsonl(folder / "run/records/trained.test.jsonl")]
    assert {row["tags"]["chosen_step"] for row in records} == {str(chosen["step"])}
    predictions = [row for _, row in read_jsonl(folder / "annotated.jsonl")]
    assert [row["id"] for row in predictions] == [f"r{i:02}" for i in range(1, 13)]
    assert {row["status"] for row in predictions} == {"ok"}
    assert sum(row["answer"] == right for row, right in zip(predictions, _RIGHT, strict=True)) >= 9
