"""The options of `bythebook annotate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joint_model import Extractor, by_words

from bythebook import cli

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, fixtures: Path) -> Call:
    """`bythebook annotate texts.txt` under the guideline of the machines, by the scripted model."""
    monkeypatch.chdir(tmp_path)
    Path("texts.txt").write_text("Ann runs the pump. Bo runs the kiln.\n", encoding="utf-8")
    guideline = str(fixtures / "machines" / "guideline.md")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("bythebook.generation.load_model", lambda *_, **__: Extractor(by_words))
        monkeypatch.setattr("bythebook.annotation.run.load_model", lambda *_, **__: Extractor(by_words))
        monkeypatch.setattr(sys, "argv", ["bythebook", "annotate", "texts.txt", "-g", guideline, *arguments])
        return (cli.main(), *capsys.readouterr())

    return run


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_raw_text_is_annotated(call: Call) -> None:
    code, out, _ = call("-o", "out.jsonl", "--model", "extractor")
    assert (code, out) == (0, "1 rows annotated, 0 there before: out.jsonl\n")
    assert len(rows("out.jsonl")[0]["relations"]) == 2


def test_every_option_reaches_the_annotation(call: Call) -> None:
    code, out, _ = call(
        "-o", "out.jsonl", "--sub-task", "ner", "--samples", "3", "--abstain-below", "0.9", "--window", "20",
        "--overlap", "5", "--json",
    )  # fmt: skip
    assert (code, json.loads(out)["written"]) == (0, 1)
    (row,) = rows("out.jsonl")
    assert (row["sub_task"], len(row["answers"]), {e["p"] for e in row["entities"]}) == ("ner", 2, {1.0})


def test_brat_is_a_folder(call: Call) -> None:
    code, out, _ = call("-o", "out", "--format", "brat")
    assert (code, out) == (0, "1 rows annotated, 0 there before: out\n")
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "annotation.conf", "predictions.jsonl", "texts-1.ann", "texts-1.txt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--sub-task", "all"], 1, "no sub-task 'all' (sub-tasks are: ner, re, re_plus, end2end)"),
        (["--sub-task", "re"], 1, "texts.txt:1: raw text without entities"),
        (["--format", "xml"], 1, "no format 'xml' of annotations"),
        (["--abstain-below", "0.5"], 1, "draw samples"),
        (["--window", "100", "--overlap", "90"], 1, "an overlap of 90 characters"),
        (["--window", "3"], 2, "Invalid value for '--window'"),
        (["--abstain-below", "2"], 2, "Invalid value for '--abstain-below'"),
        (["--samples", "-1"], 2, "Invalid value for '--samples'"),
    ],
)
def test_mistakes_are_told(arguments: list[str], code: int, message: str, call: Call) -> None:
    found, out, err = call("-o", "out.jsonl", *arguments)
    assert (found, out) == (code, "")
    assert message in " ".join(err.split())
    assert not Path("out.jsonl").exists()


def test_help_has_an_example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bythebook", "annotate", "--help"])
    assert cli.main() == 0
    out = capsys.readouterr().out
    for option in ("--sub-task", "--samples", "--abstain-below", "--window", "--overlap", "--format", "Example:"):
        assert option in out
