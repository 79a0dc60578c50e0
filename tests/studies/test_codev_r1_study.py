"""CodeV-R1's study beside its miniature: what drawing costs, the verifier on benchmarks, the round trip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bythebook.errors import InputError
from bythebook.hardware import has_prover, has_simulator
from bythebook.readers.verilog import Circuit
from bythebook.records import read_jsonl, write_jsonl
from bythebook.studies.codev_r1 import measured as room
from bythebook.studies.codev_r1.measured import measured
from bythebook.studies.codev_r1.results import results, verdicts
from bythebook.studies.codev_r1.round_trip import round_trip, round_trip_table
from bythebook.studies.codev_r1.sampling import ARMS, sampling_table, sampling_verdicts
from bythebook.studies.codev_r1.verifier_tables import benchmark_table, rejection
from bythebook.studies.codev_r1.verilog_eval import measure
from bythebook.studies.reproduce import reproduce

needs_icarus = pytest.mark.skipif(
    not has_simulator(), reason="iverilog is not installed (Debian: apt install iverilog)"
)
PATH = "BYTHEBOOK_VERILOG_EVAL"
"""In the environment: a checkout of VerilogEval."""
KEPT = Path(__file__).parents[2] / "docs" / "results" / "codev_r1"


# ------------------------------------------------------------------------------------------------------- sampling


def _update(step: int, prompts: float, rounds: float, right: float = 0.25) -> dict[str, Any]:
    return {
        "step": step,
        "prompts_drawn": prompts,
        "rounds_of_sampling": rounds,
        "tokens_generated": 100 * prompts,
        "groups_not_refilled": 0.0,
        "groups_all_right": right,
        "groups_all_wrong": 0.25,
        "groups_all_equal": 0.0,
    }


@pytest.fixture
def seeds(tmp_path: Path) -> list[Path]:
    """Two seeds of twenty updates: fixed draws 24 prompts in two rounds, the running minimum 32 in one, the window 20
    in one and a half."""
    costs = {"fixed": (24.0, 2.0), "minimum": (32.0, 1.0), "window": (20.0, 1.5)}
    for seed in ("seed0", "seed1"):
        for arm, cost in costs.items():
            write_jsonl(tmp_path / seed / "metrics" / f"{arm}.jsonl", [_update(s, *cost) for s in range(1, 21)])
    return sorted(tmp_path.iterdir())


def test_costs_by_hand(seeds: list[Path]) -> None:
    found = {row["claim"]: row for row in sampling_verdicts(seeds)}
    assert [row["verdict"] for row in found.values()] == ["confirmed", "confirmed", "not seen here", "confirmed"]
    assert [row["differences"][0]["difference"] for row in found.values()] == [1.0, 0.5, -8.0, 4.0]
    table = sampling_table(seeds)
    assert "| RL, fixed refill (DAPO) | 12.0 [12.0, 12.0] | 50.0 [50.0, 50.0] | 24.0 [24.0, 24.0] | 2.00 [" in table
    # The published simulation to 2 %: 346, 294 and 323 prompts in 2.7, 1.73 and 1.05 rounds.
    for cells in ("| 349 | 2.7", "| 296 | 1.75 |", "| 327 | 1.07 |"):
        assert cells in table
    assert all(row["test"] == "updates of the training" for row in found.values())


def test_one_seed_tests_nothing_and_no_run_has_no_table(seeds: list[Path], tmp_path: Path) -> None:
    assert {row["verdict"] for row in sampling_verdicts(seeds[:1])} == {"cannot be tested at this size"}
    assert {row["verdict"] for row in sampling_verdicts([tmp_path])} == {"cannot be tested at this size"}
    assert sampling_table([tmp_path]) == ""


def test_updates_where_prompts_ran_out_are_seen(tmp_path: Path) -> None:
    for arm in ARMS:
        row = {**_update(1, 96.0, 8.0), "groups_not_refilled": 0.5}
        write_jsonl(tmp_path / "seed0" / "metrics" / f"{arm}.jsonl", [row])
    assert "| RL, fixed refill (DAPO) | 6.0 |" in sampling_table([tmp_path / "seed0"])


# ------------------------------------------------------------------------------------------------------ benchmarks

ROWS = [
    {"id": "a", "self": "equivalent", "reason": "", "clocked": True, "tried": 5,
     "rejected": {"edge": 2, "operator": 1}, "proven": {"operator": 1}, "missed": {"constant": 1}},
    {"id": "b", "self": "unsupported", "reason": "several_clocks"},
    {"id": "c", "self": "unsupported", "reason": "does_not_compile", "message": "sorry"},
]  # fmt: skip


def test_a_table_by_hand() -> None:
    assert rejection(ROWS) == (3, 1, 1)
    assert rejection(ROWS, "operator") == (1, 1, 0)
    table = benchmark_table({"verilog_eval": ROWS})
    assert "| VerilogEval 2 | 3 | 1 | 1 | 5 | 3 | 1 | 1 | 75.0 |" in table
    assert "unsupported: several_clocks | b |" in table
    assert "unsupported: does_not_compile: sorry | c |" in table
    assert "Nothing was left unchecked." in benchmark_table({"rtllm": ROWS[:1]})


@needs_icarus
def test_one_circuit() -> None:
    source = "module m (input a, input b, output y); assign y = (a & b) | (a & ~b & 1'b0); endmodule"
    row = measured(Circuit(id="m", description="and", top="m", reference=source))
    assert (row["self"], row["clocked"], row["made"]) == ("equivalent", False, row["tried"])
    sums = {fate: sum(row[fate].values()) for fate in ("rejected", "proven", "missed")}
    assert sum(sums.values()) == row["tried"] >= 6
    # Inverting b under the constant changes nothing.
    assert (sums["proven"] if has_prover() else sums["missed"]) >= 1
    assert sums["missed"] == 0 or not has_prover()
    bad = measured(Circuit(id="n", description="bad", top="n", reference="module n (inout a); endmodule"))
    assert (bad["self"], bad["reason"]) == ("unsupported", "interface")
    assert "tried" not in bad


@needs_icarus
def test_a_benchmark_is_measured_in_place_and_goes_on(
    tmp_path: Path, fixtures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    output = tmp_path / "runs" / "found.jsonl"
    first = measure("verilog_eval", fixtures / "verilog_eval", output, most=4, limit=3, say=said.append)
    assert len(said) == len(first) == 3
    assert all(row["self"] == "equivalent" and row["tried"] <= 4 for row in first)
    with output.open("a", encoding="utf-8") as file:
        file.write('{"id": "torn')
    monkeypatch.setattr(room, "check_many", None)  # nothing is done twice
    assert measure("verilog_eval", fixtures / "verilog_eval", output, most=4, limit=3) == first
    assert [row for _, row in read_jsonl(output)] == first
    texts = (fixtures / "verilog_eval").glob("*")
    words = {line.strip() for file in texts for line in file.read_text(encoding="utf-8").splitlines() if len(line) > 20}
    assert not any(word in output.read_text(encoding="utf-8") for word in words)


@needs_icarus
def test_rtllm_has_folders(tmp_path: Path, fixtures: Path) -> None:
    found = measure("rtllm", fixtures / "rtllm", tmp_path / "found.jsonl", most=2, limit=2)
    assert [row["self"] for row in found] == ["equivalent"] * 2


@pytest.mark.slow
@needs_icarus
@pytest.mark.skipif(not os.environ.get(PATH), reason=f"{PATH} names no checkout of VerilogEval")
def test_verilog_eval_as_it_is_kept(tmp_path: Path) -> None:
    """Every reference equals itself but for those that are listed; every twelfth circuit's mutants are those kept."""
    kept = {row["id"]: row for _, row in read_jsonl(KEPT / "verilog_eval.jsonl")}
    found = measure("verilog_eval", Path(os.environ[PATH]), tmp_path / "found.jsonl", most=0)
    assert {row["id"]: row["self"] for row in found} == {name: row["self"] for name, row in kept.items()}
    assert sum(row["self"] == "equivalent" for row in found) >= 153


@pytest.mark.skipif(not (KEPT / "verilog_eval.jsonl").exists(), reason="no records of VerilogEval are kept")
def test_the_counts_that_are_kept() -> None:
    rows = [row for _, row in read_jsonl(KEPT / "verilog_eval.jsonl")]
    rejected, _, missed = rejection(rows)
    assert len(rows) == 156
    assert rejected + missed >= 1000
    assert rejected >= 0.95 * (rejected + missed)


# ------------------------------------------------------------------------------------------------------ round trip


@needs_icarus
def test_the_round_trip_keeps_what_is_right() -> None:
    found = round_trip(circuits=12)
    rows = [found[name] for name in ("careful", "hasty", "guessing")]
    assert found["careful"] == {"written": 12, "kept": 12, "right": 12, "lost": 0}
    assert all(row["right"] == row["kept"] and row["lost"] == 0 for row in rows)
    assert "| all | 36 |" in round_trip_table(found)


# ------------------------------------------------------------------------------------------------------- the page


def test_the_page_needs_something(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no kept records"):
        results(tmp_path)
    assert verdicts(tmp_path) == []
    write_jsonl(tmp_path / "verilog_eval.jsonl", ROWS)
    assert results(tmp_path) == benchmark_table({"verilog_eval": ROWS})


def test_it_makes_its_own_models_and_needs_a_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="its own models"):
        reproduce("codev_r1", tmp_path / "run", model="embedded")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="Icarus Verilog"):
        reproduce("codev_r1", tmp_path / "run")
    assert json.dumps(sampling_verdicts([tmp_path]))
