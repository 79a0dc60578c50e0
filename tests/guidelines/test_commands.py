"""`guideline check`, `guideline show`, and evaluation under another rendering, as a user types them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bythebook import cli
from bythebook.evaluation import evaluate
from bythebook.guidelines import Variation, library_names, load_from_library, load_guideline, parse_yaml
from bythebook.records import read_records

BROKEN = """\
# Kitchen
- Version: 1
- Domain: kitchen

## Entity type: Tool
What one works with.

## Relation type: Stirs
### Definition
one moves the other
### Arguments
- head: Toll
### Near misses
- The <e1>spoon</e1> lies near the soup. => Stirs(e1,e2): it stirs
"""


class Result(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["bythebook", *map(str, arguments)])
        return Result(cli.main(), *capsys.readouterr())

    return run


def test_every_fault_is_printed_with_file_and_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "kitchen.md").write_text(BROKEN, encoding="utf-8")
    result = call("guideline", "check", "kitchen.md")
    lines = result.out.splitlines()
    assert (result.code, result.err) == (1, "")
    assert [line.split(" ", 2)[:2] for line in lines[:-1]] == [
        ["kitchen.md:5:", "warning:"],
        ["kitchen.md:8:", "warning:"],
        ["kitchen.md:12:", "error:"],
        ["kitchen.md:14:", "error:"],
        ["kitchen.md:14:", "error:"],
    ]
    assert "'Toll' (is 'Tool' meant?) [unknown-argument-type]" in lines[2]
    assert lines[-1] == "errors: 3, warnings: 2"


def test_json_has_every_finding_and_what_was_loaded(call: Call, tmp_path: Path) -> None:
    (tmp_path / "kitchen.md").write_text(BROKEN, encoding="utf-8")
    result = call("guideline", "check", "kitchen.md", "--json")
    assert result.code == 1
    found: dict[str, Any] = json.loads(result.out)
    assert (found["file"], found["errors"], found["warnings"]) == ("kitchen.md", 3, 2)
    assert all(set(f) == {"code", "severity", "line", "message", "remedy"} for f in found["findings"])
    book = load_guideline(tmp_path / "kitchen.md")
    assert found["guideline"] == {
        "title": "Kitchen",
        "version": "1",
        "hash": book.hash,
        "labels": ["Stirs(e1,e2)", "Stirs(e2,e1)"],
    }
    (tmp_path / "kitchen.md").write_text("hello", encoding="utf-8")
    result = call("guideline", "check", "kitchen.md", "--json")
    assert (result.code, json.loads(result.out)["guideline"]) == (1, None)


def test_warnings_alone_are_no_failure(call: Call, tmp_path: Path) -> None:
    text = BROKEN.replace("Toll", "Tool").split("### Near misses")[0]
    (tmp_path / "kitchen.md").write_text(text, encoding="utf-8")
    result = call("guideline", "check", "kitchen.md")
    assert (result.code, result.out.splitlines()[-1]) == (0, "errors: 0, warnings: 1")


@pytest.mark.parametrize("name", library_names())
def test_a_guideline_of_the_library_is_checked_by_name_and_shown_as_yaml(name: str, call: Call, tmp_path: Path) -> None:
    assert call("guideline", "check", name) == (0, "errors: 0, warnings: 0\n", "")
    shown = call("guideline", "show", name, "--rendering", "yaml")
    assert parse_yaml(shown.out) == load_from_library(name)
    (tmp_path / "g.yaml").write_text(shown.out, encoding="utf-8")
    assert call("guideline", "check", "g.yaml").out == "errors: 0, warnings: 0\n"
    assert call("guideline", "show", "g.yaml").out == call("guideline", "show", name).out


def test_a_file_that_is_not_there_is_one_line(call: Call) -> None:
    result = call("guideline", "check", "nosuch.md")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("bythebook: nosuch.md: can't be read")
    assert result.err.count("\n") == 1


# ----------------------------------------------------------------------------------- evaluation

_WORLD = {"samples": 0, "limit": 6, "split": "ood"}


def test_an_evaluation_shows_another_rendering_and_scores_by_it(tmp_path: Path) -> None:
    variation = Variation(shuffle_relations=1, permute_labels=2)
    evaluate("embedded", "world", output=tmp_path / "plain", **_WORLD)
    evaluate("embedded", "world", output=tmp_path / "varied", variation=variation, **_WORLD)
    plain, varied = (read_records(tmp_path / name / "world.ood.jsonl") for name in ("plain", "varied"))
    assert [r.id for r in plain] == [r.id for r in varied]
    assert [r.gold for r in plain] != [r.gold for r in varied]
    assert {r.guideline for r in plain}.isdisjoint({r.guideline for r in varied})
    assert {r.tags["variation"] for r in varied} == {"shuffle_relations=1 permute_labels=2"}
    assert all(r.correct == (r.answer == r.gold) for r in varied)


def test_the_command_takes_the_seeds_and_keeps_renderings_apart(call: Call) -> None:
    ask = ("evaluate", "--task", "world", "--split", "ood", "--samples", 0, "--limit", 4, "--output", "o", "--json")
    assert call(*ask, "--shuffle-relations", 3).code == 0
    again = call(*ask, "--shuffle-relations", 3)
    assert (again.code, json.loads(again.out)["world/ood"]["n"]) == (0, 4)
    for other in (("--rename-labels", 3), ("--permute-labels", 3), ("--shuffle-relations", 4), ()):
        result = call(*ask, *other)
        assert result.code == 1
        assert "another" in result.err
