from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import DataError, InputError
from bythebook.records import Record, write_jsonl
from bythebook.studies.r1_re.by_step import mean_over_prompts, windows_of
from bythebook.studies.r1_re.traces import behaviour_rates, length_dynamics, print_study, study_files


def _record(step: int | None = 0, completion: str | None = "<think>guess</think>", **fields: Any) -> Record:
    base: dict[str, Any] = {"id": "a", "domain": "d", "well_formed": True, "status": "ok", "gold": "A-B(e1,e2)"}
    schema = "bythebook.prediction/1" if step is None else "bythebook.rollout/1"
    return Record(**{"schema": schema, **base, "step": step, "completion": completion, **fields})


def test_steps_are_cut_into_windows_and_records_without_one_stand_first() -> None:
    records = [_record(step) for step in (0, 1, 1, 2, 3, 4, 9)] + [_record(None)]
    found = windows_of(records, 3)
    assert [(w.steps, len(w.records)) for w in found] == [(None, 1), ((0, 3), 5), ((4, 7), 1), ((8, 9), 1)]
    assert [w.steps for w in windows_of(records[:3], 9)] == [(0, 0), (1, 1)]
    assert windows_of([], 3) == []


def test_the_interval_is_over_prompts_not_over_rollouts() -> None:
    prompts = [_record(id=str(i // 50)) for i in range(100)]
    found = mean_over_prompts([1.0] * 50 + [0.0] * 50, prompts)
    assert found is not None
    # Two prompts: one of them may be drawn twice.
    assert (found.mean, found.low, found.high) == (0.5, 0.0, 1.0)
    many = mean_over_prompts([float(i % 2) for i in range(100)], [_record(id=str(i)) for i in range(100)])
    assert many is not None
    assert 0.35 < many.low < 0.5 < many.high < 0.65
    assert mean_over_prompts([], []) is None


def test_rates_and_accuracies_by_hand() -> None:
    right, wrong = {"correct": True}, {"correct": False}
    rows = [
        _record(0, "<think>no rule</think>", id="a", **right),
        _record(0, "<think>guess</think>", id="b", **wrong),
        _record(1, "<think>perhaps it is no rule</think>", id="c", **wrong),
        _record(1, "<think>no rule; saw x yes</think>", id="d", **right),
    ]
    first, second = behaviour_rates(rows, 2)
    assert (first["steps"], first["n"], first["accuracy"]) == ((0, 0), 2, 0.5)
    compare = first["behaviours"]["compare"]
    assert (compare["rate"], compare["with"], compare["without"]) == (0.5, 1.0, 0.0)
    assert second["behaviours"]["compare"]["rate"] == 1.0
    assert second["behaviours"]["compare"]["without"] is None
    assert second["behaviours"]["verify"]["rate"] == second["behaviours"]["hypothesise"]["rate"] == 0.5
    assert all(of["rate"] == 0 for of in (first["behaviours"][b] for b in ("identify", "verify", "conclude")))


def test_lengths_by_hand() -> None:
    rows = [
        _record(0, tokens=10, correct=True, id="a"),
        _record(0, tokens=20, correct=False, finish_reason="length", id="b"),
        _record(5, tokens=30, correct=True),
        _record(5, tokens=None),
    ]
    first, second = length_dynamics(rows, 2)
    assert (first["tokens"], first["right"], first["wrong"], first["truncated"]) == (15, 10, 20, 0.5)
    assert (second["n"], second["tokens"], second["wrong"]) == (1, 30, None)


def test_records_without_what_is_needed_are_refused(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "r.jsonl", [_record(completion=None, tokens=None)])
    with pytest.raises(InputError, match="keep no completions"):
        study_files("behaviours", [tmp_path / "r.jsonl"])
    with pytest.raises(InputError, match="count no tokens"):
        study_files("lengths", [tmp_path / "r.jsonl"])
    with pytest.raises(InputError, match=r"no study 'x' \(there are: behaviours, lengths\)"):
        study_files("x", [])
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match=r"empty\.jsonl: no records"):
        study_files("lengths", [tmp_path / "empty.jsonl"])
    (tmp_path / "bad.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"bad\.jsonl:1: not a record"):
        study_files("lengths", [tmp_path / "bad.jsonl"])


def test_files_are_read_together_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, step in (("a", 0), ("b", 7)):
        write_jsonl(tmp_path / f"{name}.jsonl", [_record(step, tokens=9, correct=True)])
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for study, column in (("behaviours", "verify"), ("lengths", "truncated")):
        found = study_files(study, files, 2)
        assert (found["files"], found["records"], len(found["windows"])) == (2, 2, 2)
        print_study(found)
        out = capsys.readouterr().out
        assert column in out
        assert "0…3" in out
