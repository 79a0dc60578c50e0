"""Runs of mixtures: what is read, and every fault by its line."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bythebook.errors import DataError
from bythebook.readers.mixture_runs import MixtureRun, domains_of, read_mixture_runs

_ROW: dict[str, Any] = {"name": "a", "weights": {"x": 0.5, "y": 0.5}, "scores": {"t": 0.5}, "seed": 1}


def _written(folder: Path, *rows: Any) -> Path:
    path = folder / "runs.jsonl"
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def test_the_fixture_is_read(fixtures: Path) -> None:
    runs = read_mixture_runs(fixtures / "mixture_runs" / "ten.jsonl")
    assert len(runs) == 11
    assert domains_of(runs) == ("genes", "law", "news")  # of poems, which no run drew from, nothing is known
    assert (runs[0].weights, runs[0].scores["far"], runs[0].items["farther"]) == ({}, 0.20, 300)
    assert (runs[-1].name, runs[-1].seed, runs[-1].method) == ("more law", 2, "by hand")


def test_rounded_weights_are_divided_by_their_sum(fixtures: Path) -> None:
    uniform = read_mixture_runs(fixtures / "mixture_runs" / "ten.jsonl")[7]
    assert uniform.weights["law"] == pytest.approx(1 / 3, abs=1e-12)
    assert math.fsum(uniform.weights.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": {"x": 0.5, "y": 0.4}}, "the sum 0.9, not 1"),
        ({"weights": {"x": 1.5, "y": -0.5}}, "the weight of 'y' is negative"),
        ({"weights": {"x": "1"}}, "weights.x"),
        ({"weights": {"x": True}}, "weights.x"),
        ({"scores": {}}, "scores"),
        ({"scores": {"t": None}}, "scores.t"),
        ({"items": {"u": 3}}, "items of 'u', which has no score"),
        ({"items": {"t": 0}}, "'t' has 0 items"),
        ({"score": 1}, "score"),
        ({"name": ""}, "name"),
        ({"seed": 1}, "'a' with this seed stands on line 1, too"),
        ({"weights": {"x": 1.0}}, "'a' had other weights before"),
        ({"scores": {"t": 0.5, "u": 0.5}}, "a score of 'u' is new here"),
        ({"scores": {"u": 0.5}}, "a score of 't' is missing"),
    ],
)
def test_a_fault_is_named_by_file_and_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = _written(tmp_path, _ROW, "", _ROW | {"seed": 2} | change)
    with pytest.raises(DataError) as caught:
        read_mixture_runs(path)
    assert said in caught.value.message
    assert (caught.value.file, caught.value.line) == (path, 3)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "row", ["{", "[]", '{"name": "a"}', '{"name": "a", "weights": {"x": NaN}, "scores": {"t": 1}}']
)
def test_a_line_that_is_no_run_is_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(DataError) as caught:
        read_mixture_runs(_written(tmp_path, _ROW, row))
    assert caught.value.line == 2


def test_an_empty_file_and_none_are_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no run"):
        read_mixture_runs(_written(tmp_path, ""))
    with pytest.raises(DataError, match="can't be read"):
        read_mixture_runs(tmp_path / "absent.jsonl")


def test_fifty_domains_are_the_most(tmp_path: Path) -> None:
    rows = [_ROW | {"name": f"d{i}", "weights": {f"d{i}": 1.0}} for i in range(51)]
    assert len(read_mixture_runs(_written(tmp_path, *rows[:50]))) == 50
    with pytest.raises(DataError, match="more than 50 domains"):
        read_mixture_runs(_written(tmp_path, *rows))


_KEYS = st.sampled_from(["name", "weights", "scores", "seed", "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=8,
)
_RUN = st.fixed_dictionaries(
    {
        "name": st.text(max_size=3),
        "weights": st.dictionaries(st.text(max_size=2), st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=3),
        "scores": st.dictionaries(st.sampled_from(["t", "u"]), st.floats(), max_size=2),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.lists(_JSON | _RUN, max_size=4).map(lambda rows: _lines(rows)))
def test_whatever_stands_there_is_runs_or_a_fault(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.jsonl"
        path.write_bytes(content)
        try:
            runs = read_mixture_runs(path)
        except DataError:
            return
        for run in runs:
            assert isinstance(run, MixtureRun)
            assert not run.weights or math.fsum(run.weights.values()) == pytest.approx(1)


def _lines(rows: list[Any]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()
