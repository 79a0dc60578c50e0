"""The benches of training and decoding: what they try and report. Sides are scripted; a slow test runs real ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from bythebook.errors import InputError
from bythebook.studies import bench_annotate, bench_growth, bench_rollout, bench_sides, bench_train
from bythebook.studies.bench_growth_show import draw, tables
from bythebook.studies.bench_rollout import share_that_differs
from bythebook.studies.bench_sides import Turn
from bythebook.studies.bench_tables import filled, kept_tables
from bythebook.training.benches.counting import multiplications
from bythebook.training.benches.workload import Workload

CONTRACT = {"ours_s", "peer_s", "ratio", "peak_memory_ratio", "max_relative_error", "setting"}


class Scripted:
    """In the place of a side: seconds from its arguments, and a log of all turns."""

    log: list[str]

    def __init__(self, work: str, **arguments: Any) -> None:
        self.work, self.arguments, self.number = work.split(":")[1], arguments, count(1)
        self.name = arguments.get("side") or arguments.get("peer") or "ours"
        self.peak = 0

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append(f"{self.name} closed")

    def load(self) -> None:
        self.log.append(f"{self.name} loaded")

    def turn(self) -> Turn:
        self.log.append(str(self.name))
        number = next(self.number)
        if self.work == "compare":
            return Turn(1.0, 0, {"loss": 2e-7, "gradient": 1e-6, "loss_value": 0.5})
        seconds, self.peak = self._cost()
        # The first turn is slow, as it is where memory is not yet warm.
        return Turn(seconds * (10 if number == 1 else 1) + number / 1e6, self.peak, self._value())

    def _cost(self) -> tuple[float, int]:
        if self.name == "ours":
            return 1.0, 100
        if self.work == "step":
            size = self.arguments["micro_batch"]
            slower = 3.0 if self.arguments["checkpointing"] else 0.0
            return {2: 14.0, 4: 9.0, 8: 12.0}[size] + slower, size * (50 if slower else 100)
        rows = self.arguments["batch_size"]
        return (6.0 if self.name == "generate" else 3.0) + abs(rows - 16) / 100, 300

    def _value(self) -> list[str] | None:
        texts: list[str] | None = self.arguments.get("texts")
        if texts is None:
            return ["1 2", "3 4"] if self.arguments.get("greedy") else None
        return [text if self.name != "cached" else "x" for text in texts]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log: list[str] = []
    monkeypatch.setattr(Scripted, "log", log, raising=False)
    for module in (bench_sides, bench_train, bench_rollout, bench_annotate):
        if hasattr(module, "Side"):
            monkeypatch.setattr(module, "Side", Scripted)
    return log


def test_the_fastest_split_of_trl_is_the_peer(scripted: list[str]) -> None:
    found = bench_train.bench_train(rounds=5, quick=True)
    assert set(found) >= CONTRACT
    # Every split is tried, the fastest with activation checkpointing, too.
    assert [(s["micro_batch"], s["checkpointing"]) for s in found["peer_splits"]] == [
        (2, False), (4, False), (8, False), (4, True),
    ]  # fmt: skip
    assert [round(s["seconds"]) for s in found["peer_splits"]] == [14, 9, 12, 12]
    assert "2 × 4 rollouts, without activation checkpointing" in found["setting"]["peer"]
    assert found["ours_s"] == pytest.approx(1.0, abs=1e-3)
    assert found["ratio"] == pytest.approx(9.0, abs=1e-3)
    assert found["peak_memory_ratio"] == 4.0
    assert found["leanest_peer_memory_ratio"] == 2.0
    assert found["max_relative_error"] == 1e-6
    assert {len(turns) for turns in found["turns"].values()} == {5}
    assert json.loads(json.dumps(found)) == found


def test_a_split_that_is_far_slower_ends_the_search(scripted: list[str]) -> None:
    tried = bench_train.splits_of({**bench_train.workload_of(quick=True), "group": 8}, (4, 2, 8))
    assert [(s["micro_batch"], s["checkpointing"]) for s in tried] == [(4, False), (2, False), (4, True)]


def test_a_split_that_is_given_is_taken(scripted: list[str]) -> None:
    found = bench_train.bench_train(rounds=1, quick=True, micro_batch=2)
    assert found["peer_splits"] == []
    assert "4 × 2 rollouts" in found["setting"]["peer"]
    assert found["leanest_peer_memory_ratio"] == found["peak_memory_ratio"] == 2.0
    with pytest.raises(InputError, match="8 rollouts are not split into micro-batches of 3"):
        bench_train.bench_train(quick=True, micro_batch=3)


def test_steps_are_made_in_turns_after_all_sides_are_loaded(scripted: list[str]) -> None:
    bench_train.bench_train(rounds=2, quick=True)
    measured = scripted[scripted.index("ours loaded") :]
    assert measured == ["ours loaded", "trl loaded", *["ours", "trl"] * 4, "trl closed", "ours closed"]


def test_what_is_not_asked_for_has_its_default() -> None:
    known = bench_train.workload_of()
    assert (known["model"], known["vocabulary"], known["guideline"], known["tail"]) == ("qwen2-6m", None, 1000, 100)
    assert (known["prompts"], known["group"], known["completion"], known["dtype"]) == (4, 8, 64, "float32")
    asked = bench_train.workload_of(group=16, vocabulary=32768, guideline_tokens=500, completion_tokens=32)
    assert (asked["group"], asked["vocabulary"], asked["guideline"], asked["completion"]) == (16, 32768, 500, 32)


def test_the_tables_show_what_was_kept(scripted: list[str], tmp_path: Path) -> None:
    for name, bench in (("train_b", bench_train.bench_train), ("train", bench_train.bench_train)):
        found = bench(rounds=2, quick=True, group=4 if name == "train" else 2)
        (tmp_path / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    found = bench_annotate.bench_annotate(rounds=1, quick=True)
    (tmp_path / "annotate.json").write_text(json.dumps(found), encoding="utf-8")
    found = kept_tables(tmp_path)
    assert set(found) == {"train", "splits", "decoding"}
    shown = [line for table in found.values() for line in table.splitlines()]
    assert shown[2] == "| tiny | 64 | 4 | 9.00 | 1.00 | 9.0 × | 4.0 × | 2.0 × | 2e-07 | 1e-06 |"
    assert shown[3].startswith("| tiny | 64 | 2 | 9.00")
    assert "| 4 | yes | 12.0 | 0 |" in shown
    assert shown[-1] == "| 12 sentences × 4 | 1.00 | 6.08 | 6.1 × | 3.0 × | 3.08 | 3.1 × | 3.0 × | 0% |"


def test_tables_are_put_in_their_places() -> None:
    document = "x\n<!-- bench: a -->\nold\n<!-- end -->\ny\n<!-- bench: b -->\n<!-- end -->\n"
    once = filled(document, {"a": "| 1 |", "b": "| 2 |"})
    assert once == "x\n<!-- bench: a -->\n\n| 1 |\n\n<!-- end -->\ny\n<!-- bench: b -->\n\n| 2 |\n\n<!-- end -->\n"
    assert filled(once, {"b": "| 2 |"}) == once
    with pytest.raises(InputError, match="no place for the table 'c'"):
        filled(document, {"c": ""})


def test_the_document_shows_the_kept_runs(root: Path) -> None:
    document = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    assert filled(document, kept_tables(root / "bench")) == document
    places = ["train", "splits", "decoding", "growth", "doublings", "pays"]
    assert re.findall(r"<!-- bench: (\w+) -->", document) == places


def test_rollouts_are_compared_with_both_peers_at_their_best(scripted: list[str]) -> None:
    found = bench_rollout.bench_rollout(rounds=3)
    assert set(found) >= CONTRACT
    assert set(found["batch_sizes"]["generate"]) == {"8", "16", "32"}
    assert found["setting"]["peer"] == "generate, 16 rows at once"
    assert found["ratio"] == pytest.approx(6.0, abs=1e-3)
    assert found["cached_prefix"]["ratio"] == pytest.approx(3.0, abs=1e-3)
    assert found["cached_prefix"]["batch_size"] == 16
    assert found["greedy"]["differing"] == {"generate": 0.0, "cached": 0.0}
    assert found["max_relative_error"] == 0
    assert [x for x in scripted if " " not in x][-15:-3] == ["ours", "generate", "cached"] * 4


def test_annotations_are_compared_in_every_round(scripted: list[str]) -> None:
    found = bench_annotate.bench_annotate(rounds=2, quick=True)
    assert set(found) >= CONTRACT
    assert found["setting"]["sentences"] == 12
    assert found["differing"] == {"generate": 0.0, "cached": 1.0}
    assert found["max_relative_error"] == 0
    assert found["ratio"] == pytest.approx(6.08, abs=1e-3)
    assert found["cached_prefix"]["ratio"] == pytest.approx(3.08, abs=1e-3)


def test_completions_that_differ_are_counted() -> None:
    assert share_that_differs(["a", "b", "c", "d"], ["a", "b", "x", "d"]) == 0.25
    with pytest.raises(ValueError, match="argument"):
        share_that_differs(["a"], ["a", "b"])


def test_growth_covers_the_sizes_it_promises() -> None:
    base = bench_train.workload_of(group=16)
    points = list(bench_growth.points_of(base))
    along = {axis: [p["sizes"][axis] for p in points if p["axis"] == axis] for axis in bench_growth.AXES}
    assert (along["guideline"][0], along["guideline"][-1]) == (250, 4000)
    assert (along["group"][0], along["group"][-1]) == (2, 32)
    assert (along["completion"][0], along["completion"][-1]) == (32, 512)
    assert {p["sizes"]["group"] for p in points if p["axis"] == "pays"} == {2}


def _point(axis: str, guideline: int, completion: int, ours: float, peer: float) -> dict[str, Any]:
    return {
        "axis": axis,
        "workload": {"guideline": guideline, "completion": completion, "group": 2},
        "ours_s": ours,
        "peer_s": peer,
        "ratio": peer / ours,
        "peak_memory_ratio": 2.0,
        "peak_bytes": {"ours": 10, "peer": 20},
    }


def test_a_doubled_guideline_costs_what_it_costs() -> None:
    points = [
        {**_point("doubling", size, 64, ours, 1.0), "counted": {"ours": size, "larger": 1.0}}
        for size, ours in ((250, 1), (500, 1.2), (1500, 2))
    ]
    points += [_point("guideline", 500, 64, 9.0, 9.0)]  # measured at another time: not compared
    assert bench_growth.doublings(points) == [{"from": 250, "to": 500, "ours": 1.2, "counted": 2.0, "larger": 1.0}]


def test_multiplications_are_those_of_distinct_tokens() -> None:
    # One layer of d = 2 without output matrix to speak of would be too small for Qwen2: by hand for the shape `tiny`.
    small = Workload(model="tiny", guideline=10, tail=2, prompts=3, group=4, completion=5)
    d, layers, mlp, rows = 16, 2, 32, 64
    tokens, completions = 10 + 3 * 2 + 12 * 5, 12 * 5
    seen = 10 * 5 + 6 * 11 + 60 * 14.5
    found = multiplications(small)
    assert found["matrices"] == 4 * layers * (4 * d * d + 3 * d * mlp) * tokens
    assert found["output"] == 4 * d * rows * completions
    assert found["attention"] == 4 * 2 * layers * d * seen
    assert found["all"] == found["matrices"] + found["output"] + found["attention"]


def test_the_crossover_lies_where_both_are_even() -> None:
    def line(guideline: int, *ratios: float) -> list[dict[str, Any]]:
        return [_point("pays", guideline, size, 1.0, r) for size, r in zip((16, 64, 256), ratios, strict=True)]

    points = [*line(10, 0.9, 0.8, 0.7), *line(20, 4.0, 2.0, 0.5), *line(30, 8.0, 4.0, 2.0)]
    found = bench_growth.crossovers(points)
    assert [f["completion"] for f in found] == [16.0, pytest.approx(128.0), None]
    assert {f["measured_to"] for f in found} == {256}


def test_points_are_written_as_they_are_measured_and_drawn(scripted: list[str], tmp_path: Path) -> None:
    found = bench_growth.bench_growth(rounds=1, quick=True, output=tmp_path)
    assert set(found) >= CONTRACT
    rows = [json.loads(line) for line in (tmp_path / "growth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == found["points"]
    assert {row["axis"] for row in rows} == {"doubling", "guideline", "group", "completion", "pays"}
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    shown = tables(rows)
    assert shown["growth"].count("time, TRL ÷ ours") == 3
    assert shown["pays"].splitlines()[0] == "| guideline | 4 | 8 | even at |"
    assert shown["doublings"].splitlines()[-1].startswith("| 16 → 32 | 1.00 × | 1.")
    assert draw(rows, tmp_path / "again.png").stat().st_size == (tmp_path / "growth.png").stat().st_size


def test_a_stopped_run_goes_on_where_it_was_in_the_same_setting_only(scripted: list[str], tmp_path: Path) -> None:
    whole = bench_growth.bench_growth(rounds=1, quick=True, output=tmp_path)
    steps = len(scripted)
    lines = (tmp_path / "growth.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "growth.jsonl").write_text("".join(lines[:-2]), encoding="utf-8")
    again = bench_growth.bench_growth(rounds=1, quick=True, output=tmp_path)
    assert again["points"][:-2] == whole["points"][:-2]
    assert [p["workload"] for p in again["points"]] == [p["workload"] for p in whole["points"]]
    assert len(scripted) - steps < steps / 2
    before = len(scripted)
    bench_growth.bench_growth(rounds=2, quick=True, output=tmp_path)
    assert len(scripted) - before >= steps


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train", "rollout", "annotate"])
def test_a_bench_runs(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bythebook", "bench", name, "--quick", "--rounds", "5", "--threads", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=280, check=True)
    found = json.loads(done.stdout)
    assert set(found) >= CONTRACT
    assert found["max_relative_error"] < 1e-4
    assert min(found["ours_s"], found["peer_s"], found["ratio"]) > 0


def test_sides_that_were_opened_are_closed(scripted: list[str]) -> None:
    with ExitStack() as stack:
        bench_train.sides(stack, bench_train.workload_of(quick=True), {"micro_batch": 4, "checkpointing": False})
        assert scripted == ["ours loaded", "trl loaded"]
    assert scripted[-2:] == ["trl closed", "ours closed"]
