"""Verdicts of the simulator: what is equivalent, what is not, and the holes of the published verifier."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulators import SHORT, needs_icarus
from verilog_modules import ADDER, COUNTER, MIXED, MODULES, MUX

from bythebook.errors import InputError
from bythebook.hardware import Clocking, Limits, Outcome, Plan, Reset, check_equivalence, check_many, read_reference

FAST = Plan(sequences=6, steps=24, vectors=300)


def outcome(reference: str, candidate: str, **options: object) -> Outcome:
    return check_equivalence(reference, candidate, plan=FAST, limits=SHORT, **options)  # type: ignore[arg-type]


def test_without_a_simulator_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="Icarus Verilog") as caught:
        check_equivalence(ADDER, ADDER)
    assert "apt install iverilog" in str(caught.value.remedy)


@needs_icarus
def test_each_kind_of_outcome() -> None:
    wrong = COUNTER.replace("q + 1", "q + 2")
    found = check_many(
        COUNTER,
        [
            COUNTER,
            wrong,
            COUNTER.replace("assign", "asign"),
            COUNTER.replace("W = 8", "W = 9"),
            COUNTER.replace("module counter", "module other"),
            COUNTER.replace("endmodule", "missing m (q); endmodule"),
            "Here is the counter:",
            "",
            COUNTER.replace("q <= 0;", "q <= #1 0;"),
        ],
        plan=FAST,
        limits=SHORT,
    )
    kinds = ["equivalent", "different", "does_not_compile", "interface_differs", "interface_differs"]
    assert [o.kind for o in found] == [*kinds, *["does_not_compile"] * 3, "equivalent"]
    assert found[3].message == "'q' has 9 bits, not 8"
    assert all(o.side == "candidate" for o in found if o.kind != "equivalent")
    assert not any(o.about_reference for o in found)
    first = found[1].first
    assert first is not None
    assert first.expected["q"] == "00000001"
    assert first.found["q"] == "00000010"
    assert first.inputs == {"clk": 1, "rst_n": 1, "en": 1}
    assert Outcome.model_validate_json(found[1].model_dump_json()) == found[1]


@needs_icarus
def test_two_checks_say_the_same_and_a_batch_says_what_single_checks_say() -> None:
    candidates = [
        MIXED,
        MIXED.replace("4'd9", "4'd8"),
        MIXED.replace("always", "alway"),
        MIXED.replace("a + d", "a - d"),
    ]
    batch = check_many(MIXED, candidates, plan=FAST, limits=SHORT)
    assert batch == check_many(MIXED, candidates, plan=FAST, limits=SHORT)
    alone = [outcome(MIXED, c) for c in candidates]
    assert [o.kind for o in batch] == [o.kind for o in alone]
    assert not any("w0" in o.message or "_c0_" in o.message for o in batch)


@needs_icarus
def test_modules_that_are_called_alike_on_both_sides_do_not_clash() -> None:
    swapped = ADDER.replace("a ^ b ^ c", "a ^ b ^ ~c")
    assert outcome(ADDER, ADDER).kind == "equivalent"
    assert outcome(ADDER, swapped).kind == "different"


@needs_icarus
@pytest.mark.parametrize(
    "body",
    [
        'initial begin $display("All tests passed."); $finish; end',
        '`define SAY $display\ninitial `SAY("end 9999 1111");',
        "assign y = gold;",
        "assign y = gold.y;",
        "assign y = reference_gold.y;",
        "mux4_gold m (a, b, c, d, sel, y);",
        "initial force y = 0;",
        '`include "gold.v"',
        "assign a = y;",
        "initial left = 0;",
    ],
)
def test_hole_1_a_candidate_can_neither_speak_nor_end_the_run_nor_reach_the_reference(body: str) -> None:
    head = "module mux4 (input [3:0] a, b, c, d, input [1:0] sel, output [3:0] y);"
    assert outcome(MUX, f"{head} {body} endmodule").kind in ("unsupported", "does_not_compile", "different")
    assert outcome(MUX, f"{head} endmodule").kind == "different"


@needs_icarus
def test_hole_2_a_reference_that_is_never_known_proves_nothing() -> None:
    reference = "module m (input clk, input d, output reg q); always @(posedge clk) q <= q ^ d; endmodule"
    candidate = "module m (input clk, input d, output q); endmodule"
    found = outcome(reference, candidate)
    assert (found.kind, found.side, found.reason) == ("unsupported", "reference", "undefined_output")
    one_bit = "module m (input [1:0] a, output [1:0] y); assign y[0] = a[0]; endmodule"
    assert outcome(one_bit, one_bit).reason == "undefined_output"
    counted = COUNTER.replace("assign wrap = &q;", "")
    assert outcome(COUNTER, counted).kind == "different"


@needs_icarus
@pytest.mark.parametrize(
    "trigger",
    [
        "a == 32'hdeadbeef",
        "a == 3735928559",
        "{a, b} == 64'hdeadbeef_00c0ffee",
        "a == b",
        "a == 0 && b == 32'h7fffffff",
    ],
)
def test_hole_3_rare_triggers_are_found_by_the_constants_of_the_source(trigger: str) -> None:
    reference = "module m (input [31:0] a, b, output [31:0] y); assign y = a + b; endmodule"
    candidate = reference.replace("a + b", f"({trigger}) ? ~a : a + b")
    assert outcome(reference, candidate).kind == "different"


@needs_icarus
def test_hole_4_an_asynchronous_reset_is_held_and_acts_between_edges() -> None:
    late = COUNTER.replace(" or negedge rst_n", "")
    found = outcome(COUNTER, late)
    assert (found.kind, found.reason) == ("different", "reset by rst_n")
    ignored = COUNTER.replace("if (!rst_n) q <= 0;\n    else if", "if")
    assert outcome(COUNTER, ignored).kind == "different"
    early = MODULES["shift8"].replace("posedge clk", "posedge clk or posedge clr")
    assert outcome(MODULES["shift8"], early).kind == "different"


@needs_icarus
def test_hole_5_beside_a_synchronous_reset_the_asynchronous_one_is_tried() -> None:
    first, second = MIXED.split("always @(posedge clk or negedge arst_n)\n    if (!arst_n) b")
    late = f"{first}always @(posedge clk)\n    if (!arst_n) b{second}"
    assert outcome(MIXED, late).kind == "different"
    without = MIXED.replace("else if (srst) b <= 4'd9;", "")
    assert outcome(MIXED, without).kind == "different"


@needs_icarus
def test_hole_6_there_is_one_limit_of_time_and_an_outcome_of_its_own() -> None:
    limits = Limits(seconds=1)
    head = "module mux4 (input [3:0] a, b, c, d, input [1:0] sel, output reg [3:0] y);"
    loop = f"{head} always @(a) while (1) y = a; endmodule"
    found = check_many(MUX, [loop, MUX], plan=FAST, limits=limits)
    assert [o.kind for o in found] == ["timed_out", "equivalent"]
    assert found[0].side == "candidate"
    itself = check_equivalence(loop, loop, plan=FAST, limits=limits)
    assert (itself.kind, itself.side, itself.reason) == ("unsupported", "reference", "timed_out")


@needs_icarus
def test_unknown_bits_of_the_reference_leave_a_candidate_free_and_no_others() -> None:
    reference = "module m (input [1:0] a, output [1:0] y); assign y = a == 2'd3 ? 2'bx1 : a; endmodule"
    assert outcome(reference, reference.replace("2'bx1", "2'b11")).kind == "equivalent"
    assert outcome(reference, reference.replace("2'bx1", "2'b01")).kind == "equivalent"
    assert outcome(reference, reference.replace("2'bx1", "2'bxx")).kind == "different"
    assert outcome(reference, reference.replace("2'bx1", "2'b10")).kind == "different"
    high = "module m (input e, input a, output y); assign y = e ? a : 1'bz; endmodule"
    assert outcome(high, high.replace("1'bz", "1'b0")).kind == "different"
    assert outcome(high, high).kind == "equivalent"


@needs_icarus
def test_a_latch_is_no_gate_and_the_other_edge_is_no_edge() -> None:
    gate = "module m (input e, input d, output reg q); always @* q = e & d; endmodule"
    assert outcome(gate, gate.replace("q = e & d", "if (e) q = d; else if (d) q = 0")).kind == "different"
    flop = "module m (input clk, input d, output reg q); always @(posedge clk) q <= d; endmodule"
    assert outcome(flop, flop.replace("posedge clk", "negedge clk")).kind == "different"
    assert outcome(flop, flop.replace("@(posedge clk) q <= d", "@* if (clk) q = d")).kind == "different"


def test_references_that_can_not_be_checked_say_why() -> None:
    reasons = {
        "module m (input a); endmodule": "no_output",
        "module m (inout a, output y); endmodule": "interface",
        "no module": "outside_module",
        """module m (input a, b, d, output reg y, z);
          always @(posedge a) y <= d; always @(posedge b) z <= d; endmodule""": "several_clocks",
    }
    for text, reason in reasons.items():
        found = read_reference(text)
        assert isinstance(found, Outcome)
        assert (found.kind, found.side, found.reason) == ("unsupported", "reference", reason)


@needs_icarus
def test_a_caller_may_know_the_clocking_better() -> None:
    known = Clocking(clock="clk", resets=(Reset(name="rst_n", active=0, asynchronous=True),))
    assert outcome(COUNTER, COUNTER, clocking=known).kind == "equivalent"
    assert outcome(COUNTER, COUNTER.replace("+ 1", "- 1"), clocking=Clocking()).kind in ("unsupported", "different")


@needs_icarus
def test_a_reference_that_does_not_compile_is_no_fault_of_the_candidate() -> None:
    found = outcome(MUX.replace("assign", "asign"), MUX)
    assert (found.kind, found.side, found.reason) == ("unsupported", "reference", "does_not_compile")
