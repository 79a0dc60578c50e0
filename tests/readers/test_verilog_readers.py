"""VerilogEval and RTLLM as released."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bythebook.errors import DataError
from bythebook.readers.faults import Faults
from bythebook.readers.verilog import read_rtllm, read_verilog_eval


def test_the_folder_of_version_2(fixtures: Path) -> None:
    faults = Faults()
    found = read_verilog_eval(fixtures / "verilog_eval", faults)
    assert (len(found), faults.rows) == (10, [])
    assert (found[0].id, found[0].top) == ("Prob001_zero", "TopModule")
    assert "module RefModule" in found[0].reference
    assert "always low" in found[0].description


def test_the_rows_of_version_1_with_their_descriptions(fixtures: Path) -> None:
    faults = Faults()
    found = read_verilog_eval(fixtures / "verilog_eval_1", faults)
    assert (len(found), faults.rows) == (10, [])
    assert (found[1].id, found[1].top) == ("wire", "top_module")
    assert found[1].reference.startswith("module top_module")
    assert found[1].reference.rstrip().endswith("endmodule")
    assert found[1].description.startswith("The output is the input.\n\nmodule top_module")
    alone = read_verilog_eval(fixtures / "verilog_eval_1" / "problems.jsonl", Faults())
    assert [c.reference for c in alone] == [c.reference for c in found]
    assert alone[1].description.startswith("module top_module")


def test_the_folders_of_rtllm(fixtures: Path) -> None:
    faults = Faults()
    found = read_rtllm(fixtures / "rtllm", faults)
    assert (len(found), faults.rows) == (10, [])
    by_id = {c.id: c for c in found}
    assert by_id["memory/fifo4"].top == "fifo4"
    assert by_id["memory/fifo4"].category == "memory"
    assert "module verified_fifo4" in by_id["memory/fifo4"].reference


def messages(faults: Faults) -> list[tuple[str, int, str]]:
    return [(Path(row["file"]).name, row["line"], row["message"]) for row in faults.rows]


def test_faults_are_named_with_their_files(tmp_path: Path) -> None:
    (tmp_path / "Prob1_a_prompt.txt").write_text("An adder.")
    (tmp_path / "Prob2_b_prompt.txt").write_text("")
    (tmp_path / "Prob2_b_ref.sv").write_bytes(b"\xff")
    faults = Faults()
    assert read_verilog_eval(tmp_path, faults) == []
    assert messages(faults) == [
        ("Prob1_a_prompt.txt", 1, "there is no Prob1_a_ref.sv beside it"),
        ("Prob2_b_prompt.txt", 1, "the file is empty"),
        ("Prob2_b_ref.sv", 1, "can't be read as UTF-8"),
    ]


def test_faults_of_rows_have_their_lines(tmp_path: Path) -> None:
    good = {"task_id": "a", "prompt": "module top_module;", "canonical_solution": "endmodule"}
    rows = [good, {"task_id": "b"}, good, {"task_id": ""}]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n")
    faults = Faults()
    assert [c.id for c in read_verilog_eval(file, faults)] == ["a"]
    assert [row["line"] for row in faults.rows] == [2, 3, 4, 5]
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    faults = Faults()
    assert read_verilog_eval(empty, faults) == []
    assert messages(faults) == [("empty.jsonl", 1, "the file holds no problem")]


def test_faults_of_designs(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "design_description.txt").write_text("Module name: adder" if name != "b" else "An adder.")
    (tmp_path / "b" / "verified_b.v").write_text("module b; endmodule")
    (tmp_path / "c" / "verified_c.v").write_text("module verified_c; endmodule")
    faults = Faults()
    assert [(c.id, c.top, c.category) for c in read_rtllm(tmp_path, faults)] == [("c", "adder", "circuits")]
    assert [message for _, _, message in messages(faults)] == [
        "0 files verified_….v beside it",
        "it does not say how the module is called",
    ]


@pytest.mark.parametrize("read", [read_verilog_eval, read_rtllm])
def test_a_path_without_problems_is_refused(tmp_path: Path, read: object) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError):
            read(path, Faults())  # type: ignore[operator]
