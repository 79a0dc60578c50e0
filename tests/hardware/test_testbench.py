"""The text of a test bench and what is read from its print."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from verilog_modules import ADDER, MIXED

from bythebook.hardware import Interface, Plan, Port
from bythebook.hardware.equivalence import Reference, read_reference
from bythebook.hardware.stimuli import Stimuli, stimuli
from bythebook.hardware.testbench import Report, difference, make_bench, read_report

WORD = "w0"


def test_modules_of_both_sides_have_names_of_their_own() -> None:
    reference = read_reference(ADDER)
    assert isinstance(reference, Reference)
    rows = stimuli(reference.interface, reference.clocking, (), Plan(vectors=3), 0)
    bench = make_bench(reference.design, reference.interface, [reference.design] * 2, rows, WORD)
    assert sorted(bench.files) == ["bench.v", "candidate0.v", "candidate1.v", "gold.v", "vectors.hex"]
    for file, prefix in (("gold.v", "w0_g_"), ("candidate0.v", "w0_c0_"), ("candidate1.v", "w0_c1_")):
        assert bench.files[file].count(f"module {prefix}") == 2
        assert f"{prefix}full_adder f0" in bench.files[file]
    assert bench.files["vectors.hex"].count("\n") == len(rows.rows)
    assert "w0_c1_adder4 w0_i1 (" in bench.files["bench.v"]


def test_the_clock_is_known_before_anything_changes() -> None:
    reference = read_reference(MIXED)
    assert isinstance(reference, Reference)
    rows = stimuli(reference.interface, reference.clocking, (), Plan(sequences=1, steps=1), 0)
    assert "row[0] = 1'b0; #10;" in make_bench(reference.design, reference.interface, [], rows, WORD).files["bench.v"]


def test_what_is_printed_is_read() -> None:
    printed = "hello\nw0 differs 1 17 01x 011\nw1 differs 0 3 0 1\nw0 differs 1 18 000 111\nw0 end 40 111\n"
    assert read_report(printed, WORD) == Report(40, "111", {1: (17, "01x", "011")})
    assert read_report(printed, "w2") is None
    assert read_report("All tests passed.\nw0 end x 1", WORD) is None


@settings(deadline=None)
@given(
    st.text(), st.lists(st.sampled_from("w0 end differs 1 0 01x 99999999999 \n".split(" ")), max_size=20).map(" ".join)
)
def test_reading_what_is_printed_is_total(text: str, mix: str) -> None:
    read_report(text, WORD)
    read_report(mix, WORD)


def test_a_difference_has_names_and_leaves_out_what_is_free() -> None:
    ports = [("a", "input", 2), ("y", "output", 2), ("z", "output", 1)]
    interface = Interface(
        name="m",
        ports=tuple(Port.model_validate(dict(zip(("name", "direction", "width"), p, strict=True))) for p in ports),
    )
    rows = Stimuli(interface.inputs, (3, 1), ((0, "random"),))
    found = difference(interface, rows, 1, "x01", "110")
    assert (found.row, found.stage, found.inputs) == (1, "random", {"a": 1})
    assert (found.expected, found.found) == ({"y": "01"}, {"y": "10"})
    assert difference(interface, rows, 0, "x01", "101").expected == {}
