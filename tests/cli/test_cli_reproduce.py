"""`bythebook reproduce`: what is printed where, and what a stop says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bythebook import cli
from bythebook.studies import reproduce as room

FOUND = {"system": "r2grpo", "run": "x", "kept": "x/kept", "tables": "### A table", "claims": []}


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bythebook", "reproduce", *arguments])
    return cli.main()


def test_tables_go_to_standard_output_and_progress_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[Any] = []

    def pretend(system: str, output: Path, **options: Any) -> dict[str, Any]:
        options.pop("say")("working")
        asked.append((system, output, options))
        return FOUND

    monkeypatch.setattr(room, "reproduce", pretend)
    assert _call(monkeypatch, "r2grpo", "--seeds", "2", "--model", "m", "--output", str(tmp_path), "--quick") == 0
    assert capsys.readouterr() == ("### A table\n", "working\n")
    assert asked == [("r2grpo", tmp_path, {"seeds": 2, "model": "m", "data": None, "workers": None, "quick": True})]
    assert _call(monkeypatch, "r2grpo", "--json") == 0
    assert json.loads(capsys.readouterr().out) == FOUND
    assert asked[1][1] == Path("runs/r2grpo")


def test_a_system_that_there_is_not_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert _call(monkeypatch, "r3grpo", "--output", str(tmp_path)) == 1
    assert "no system 'r3grpo' (there are: r1_re, r2grpo, " in capsys.readouterr().err


def test_a_stop_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "reproduce", stop)
    assert _call(monkeypatch, "r2grpo") == 130
    assert "the same command goes on" in capsys.readouterr().err


@pytest.mark.parametrize("system", room.SYSTEMS)
def test_every_system_passes_on_what_is_asked(system: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib

    rooms = {"r1_re": "r1_re", "r2grpo": "r2grpo", "invisible_leash": "leash", "reward_bridge": "reward_bridge"}
    rooms |= {"modomodo": "mixture", "absolute_zero": "absolute_zero"}
    makes_its_own = ("reward_bridge", "absolute_zero", "perception_r1", "codev_r1", "medical_vie", "table_r1")
    own, model = system in rooms, None if system in makes_its_own else "elsewhere"
    study = f"bythebook.studies.{rooms.get(system, 'miniature')}"
    seen: dict[str, Any] = {}

    def run(*given: Any, **options: Any) -> None:
        seen.update(options, output=given[-1], of=[m.system for m in given[:-1]])

    monkeypatch.setattr(importlib.import_module(f"{study}.experiments"), "run_experiments", run)
    monkeypatch.setattr(importlib.import_module(f"{study}.results"), "keep_experiments", lambda *_: None)
    for page in (study, *(["bythebook.studies.codev_r1"] if system == "codev_r1" else [])):
        module = importlib.import_module(f"{page}.results")
        monkeypatch.setattr(module, "results", lambda folder: f"page of {folder.name}")
        if system != "r1_re":
            monkeypatch.setattr(module, "verdicts", lambda _: [])
    monkeypatch.setattr("bythebook.hardware.need_simulator", lambda: None)
    found = room.reproduce(system, tmp_path, seeds=1, model=model, quick=True)
    assert found["tables"] == "page of kept"
    assert (seen["output"], seen["of"]) == (tmp_path, [] if own else [system])
    assert seen["seeds"] == 1
    assert model is None or seen["size"].model == model
