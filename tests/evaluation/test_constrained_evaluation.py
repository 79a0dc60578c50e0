"""Evaluation with constrained decoding beside free decoding: same questions, two arms, records that tell them apart."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bythebook import cli
from bythebook.errors import ModelError
from bythebook.evaluation import evaluate
from bythebook.generation import Constraint, ModelSettings, Sampling
from bythebook.records import read_records
from bythebook.report.files import record_files
from bythebook.report.run import Run
from bythebook.types import Completion

WORLD = {"id": 4, "ood": 4}


class Bound:
    """Answers in prose when it may, and otherwise with the first label that it is allowed."""

    name, prefilled, settings, constrains = "bound", False, ModelSettings(), True

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sampling, Constraint | None]] = []

    def generate(
        self,
        prompts: Sequence[list[dict[str, str]]],
        sampling: Sampling,
        progress: Any = None,
        *,
        constraints: Sequence[Constraint] | None = None,
    ) -> list[list[Completion]]:
        bounds = constraints or [None] * len(prompts)
        self.asked += [(p[0]["content"], sampling, b) for p, b in zip(prompts, bounds, strict=True)]
        return [[self._completion(bound)] * sampling.n for bound in bounds]

    def _completion(self, bound: Constraint | None) -> Completion:
        if bound is None:
            return Completion(text="I would say that they are related.", tokens=8)
        answer = bound.labels[0] if bound.labels else '{"ner": [], "rel": []}'
        return Completion(text=f"<think>so</think><answer>{answer}</answer>", tokens=9)

    def unknown_words(self, texts: Sequence[str]) -> tuple[str, ...]:
        return ()


@pytest.mark.parametrize("task", ["world", "world_joint"])
def test_both_arms_are_asked_the_same(task: str, tmp_path: Path) -> None:
    model = Bound()
    found = evaluate(model, task, samples=2, limit=4, output=tmp_path / "out", constrained=True, **WORLD)
    assert {f"{task}/id", f"{task}/ood", "id", "ood"} <= set(found)
    for free in found.values():
        bound = free["constrained"]
        assert free["n"] == bound["n"]
        assert free["format_rate"] == free["tokens"] - 8 == 0
        assert bound["format_rate"] == bound["tokens"] - 8 == 1
        assert free["no_answer_rate"] == 1 - bound["no_answer_rate"] == 1
        assert "constrained" not in bound
    half = len(model.asked) // 2
    free_asked, bound_asked = model.asked[:half], model.asked[half:]
    assert [(p, s) for p, s, _ in free_asked] == [(p, s) for p, s, _ in bound_asked]
    assert all(b is None for _, _, b in free_asked)
    assert all(b is not None for _, _, b in bound_asked)
    rows = {name: read_records(tmp_path / "out" / f"{task}.{name}.jsonl") for name in ("id", "id.constrained")}
    assert [(r.id, r.sample) for r in rows["id"]] == [(r.id, r.sample) for r in rows["id.constrained"]]
    assert {r.decoding for r in rows["id"]} == {None}
    assert {r.decoding for r in rows["id.constrained"]} == {"constrained"}
    names = {file.name: file.set[1] for file in record_files(Run(tmp_path / "out"))}
    assert names[f"{task}.id"] == f"{task}, in-domain"
    assert names[f"{task}.id.constrained"] == f"{task}, in-domain, constrained"


def test_an_evaluation_can_be_constrained_later_and_resumed(tmp_path: Path) -> None:
    def run(model: Bound, **more: Any) -> dict[str, Any]:
        return evaluate(model, "world", samples=0, output=tmp_path / "out", **WORLD, **more)

    first, second, third = Bound(), Bound(), Bound()
    free = run(first)
    assert all("constrained" not in scores for scores in free.values())
    both = run(second, constrained=True)
    assert all(bound is not None for _, _, bound in second.asked)
    assert len(second.asked) == len(first.asked)
    assert {name: {k: v for k, v in s.items() if k != "constrained"} for name, s in both.items()} == free
    assert run(third, constrained=True) == both
    assert third.asked == []


def test_labels_are_those_of_the_guideline_that_is_shown() -> None:
    from bythebook.guidelines import Variation

    model = Bound()
    evaluate(model, "world", samples=0, constrained=True, variation=Variation(rename_labels=3), **WORLD)
    prompt, _, bound = model.asked[-1]
    assert bound is not None
    relations = [label for label in bound.labels if "(" in label]
    assert relations
    assert all(label.startswith("R") and label.partition("(")[0] in prompt for label in relations)


def test_nothing_is_asked_or_written_where_it_can_not_be(tmp_path: Path) -> None:
    model = Bound()
    model.constrains = False
    with pytest.raises(ModelError, match="'bound' can't be constrained"):
        evaluate(model, "world", samples=0, output=tmp_path / "out", constrained=True, **WORLD)
    assert model.asked == []
    assert not (tmp_path / "out").exists()


def run_cli(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["bythebook", "evaluate", *map(str, arguments)])
    return cli.main()


def test_the_command_shows_both_arms(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("xgrammar", reason="the extra 'constrained' is not installed")
    monkeypatch.chdir(tmp_path)
    asked = ("--task", "world", "--split", "ood", "--limit", 3, "--samples", 1, "--constrained")
    assert run_cli(monkeypatch, *asked, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["world/ood"]["constrained"]["format_rate"] == 1.0
    assert found["world/ood"]["constrained"]["n"] == found["world/ood"]["n"] == 3
    assert run_cli(monkeypatch, *asked) == 0
    assert "world/ood, constrained" in capsys.readouterr().out


def test_the_command_names_the_missing_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the 'train' extra is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "xgrammar", None)
    code = run_cli(monkeypatch, "--task", "world", "--limit", 1, "--samples", 0, "--constrained", "--output", "out")
    said = capsys.readouterr().err
    assert code == 1
    assert "pip install 'bythebook[constrained]'" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
