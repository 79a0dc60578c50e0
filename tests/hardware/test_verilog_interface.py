"""Ports with directions and widths, constant expressions, clocks and resets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verilog_modules import MODULES, REWRITES

from bythebook.hardware import (
    Clocking,
    Design,
    Interface,
    Port,
    Refusal,
    Reset,
    read_clocking,
    read_design,
    read_interface,
)
from bythebook.hardware.constants import constant
from bythebook.hardware.tokens import tokens_of


def interface(text: str) -> Interface | Refusal:
    design = read_design(text)
    assert isinstance(design, Design)
    return read_interface(design.top)


def clocking(text: str) -> Clocking | Refusal:
    design = read_design(text)
    assert isinstance(design, Design)
    found = read_interface(design.top)
    assert isinstance(found, Interface)
    return read_clocking(design, found)


def ports(text: str) -> list[tuple[str, str, int]]:
    found = interface(text)
    assert isinstance(found, Interface), found
    return [(p.name, p.direction, p.width) for p in found.ports]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8 - 1", 7),
        ("2 ** 3 * 2 - 1", 15),
        ("10 - 3 - 2", 5),
        ("$clog2(DEPTH) + 1", 5),
        ("$clog2(1)", 0),
        ("W > 4 ? W : 4'd4", 8),
        ("W == 8 && !0 ? 1 : 2", 1),
        ("(W / 3) % 2", 0),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("1 << 4 | 3", 19),
        ("8'hF0 >> 4", 15),
        ("W", 8),
        ("UNKNOWN", None),
        ("1 / 0", None),
        ("2 ** 65", None),
        ("1 << 64", None),
        ("1 << -1", None),
        ("", None),
        ("1 +", None),
        ("(1", None),
        ("1 2", None),
        ("f(1)", None),
        ("4'bx", None),
        ("(" * 100 + "1" + ")" * 100, None),
        ("-" * 5000 + "1", None),
    ],
)
def test_constant_expressions(text: str, value: int | None) -> None:
    assert constant(tokens_of(text), {"W": 8, "DEPTH": 16}) == value


@settings(deadline=None)
@given(st.lists(st.sampled_from("1 2 W ( ) + - * / % ** << >> ? : $clog2 ! == && 'd3 x".split()), max_size=80))
def test_constant_expressions_are_total(pieces: list[str]) -> None:
    value = constant(tokens_of(" ".join(pieces)), {"W": 8})
    assert value is None or abs(value) < 2**64


_LITERALS = st.integers(0, 50).map(str)
_EXPRESSIONS = st.recursive(
    _LITERALS,
    lambda e: st.tuples(e, st.sampled_from(["+", "-", "*"]), e).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=8,
)


@settings(deadline=None)
@given(_EXPRESSIONS)
def test_arithmetic_agrees_with_sums_over_their_values(text: str) -> None:
    found = constant(tokens_of(text), {})
    doubled = constant(tokens_of(f"{text} + {text} * 3 - {text}"), {})
    if found is not None and abs(found) < 2**60:
        assert doubled == 3 * found


def test_headers_of_both_styles() -> None:
    new = """module m #(parameter W = 8, parameter [3:0] D = 2 * W, localparam integer L = $clog2(D))
      (input wire clk, rst, input signed [W-1:0] a, b, output reg [D:1] y, output logic [1:0][L-1:0] z,
       input integer i);
      endmodule"""
    assert ports(new) == [
        ("clk", "input", 1),
        ("rst", "input", 1),
        ("a", "input", 8),
        ("b", "input", 8),
        ("y", "output", 16),
        ("z", "output", 8),
        ("i", "input", 32),
    ]
    read = interface(new)
    assert isinstance(read, Interface)
    assert read.parameters == {"W": 8, "D": 16, "L": 4}
    assert [p.name for p in read.ports if p.signed] == ["a", "b", "i"]
    old = """module m (clk, a, y); parameter N = 4; localparam M = N - 1;
      input clk; input [M:0] a; output [0:2*N] y; reg [0:2*N] y;
      function [7:0] f; input [3:0] v; f = v; endfunction
      endmodule"""
    assert ports(old) == [("clk", "input", 1), ("a", "input", 4), ("y", "output", 9)]
    assert ports("module m; endmodule") == []
    assert ports("module m (); endmodule") == []


@pytest.mark.parametrize(
    "header",
    [
        "(inout a)",
        "(input [W-1:0] a)",
        "(input a [3:0])",
        "(input state_t a)",
        "(a, b); input a",
        "(input a, output a)",
        "(input [5000:0] a)",
        "(.a(b))",
        "(input [3] a)",
        "(input a, output)",
        "(ref a)",
    ],
)
def test_headers_that_are_not_supported_are_refused(header: str) -> None:
    found = interface(f"module m {header}; endmodule")
    assert isinstance(found, Refusal)
    assert found.code == "interface"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_rewrites_have_the_interface_and_the_clocking_of_the_original(name: str) -> None:
    designs = [read_design(text, name) for text in (MODULES[name], *REWRITES[name])]
    found = [read_interface(d.top) for d in designs if isinstance(d, Design)]
    assert len(found) == len(designs)
    first = found[0]
    assert isinstance(first, Interface)
    for other in found[1:]:
        assert isinstance(other, Interface)
        assert first.difference(other) == ""


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("input a, output [3:0] y", ""),
        ("output [3:0] y, input a", ""),
        ("input a", "there is no port 'y'"),
        ("input a, b, output [3:0] y", "the port 'b' is not asked for"),
        ("output a, output [3:0] y", "'a' is an output, not an input"),
        ("input a, output [4:0] y", "'y' has 5 bits, not 4"),
    ],
)
def test_what_another_interface_has_otherwise(other: str, difference: str) -> None:
    wanted = Interface(
        name="m", ports=(Port(name="a", direction="input", width=1), Port(name="y", direction="output", width=4))
    )
    found = interface(f"module m ({other}); endmodule")
    assert isinstance(found, Interface)
    assert wanted.difference(found) == difference


def reset(name: str, active: int, asynchronous: bool) -> Reset:
    return Reset(name=name, active=1 if active else 0, asynchronous=asynchronous)


@pytest.mark.parametrize(
    ("name", "clock", "resets"),
    [
        ("counter", "clk", [reset("rst_n", 0, True)]),
        ("up_down", "clk", [reset("reset", 1, False)]),
        ("alu", None, []),
        ("detector", "clk", [reset("rst", 1, True)]),
        ("shift8", "clk", [reset("clr", 1, False)]),
        ("adder4", None, []),
        ("edges", "clk", [reset("rst", 1, False)]),
        ("mixed", "clk", [reset("arst_n", 0, True), reset("srst", 1, False)]),
    ],
)
def test_clocks_and_resets_of_our_modules(name: str, clock: str | None, resets: list[Reset]) -> None:
    found = clocking(MODULES[name])
    assert isinstance(found, Clocking)
    assert (found.clock, list(found.resets)) == (clock, resets)


HEAD = "module m (input c, input d, input rst, input rstn, input aresetn, input [1:0] x, output reg q);"


@pytest.mark.parametrize(
    ("body", "clock", "resets"),
    [
        ("always @(posedge c) q <= d;", "c", [("rst", 1, False), ("rstn", 0, False), ("aresetn", 0, False)]),
        (
            "always @(posedge c) if (rst == 1'b0) q <= 0;",
            "c",
            [("rst", 0, False), ("rstn", 0, False), ("aresetn", 0, False)],
        ),
        ("always @(posedge d, posedge c) if (d) q <= 0; else q <= x[0];", "c", None),
        ("always @(posedge c or negedge aresetn) if (~aresetn) q <= 0; else q <= d;", "c", None),
        ("always @(posedge c) q <= d; always @(negedge c) q <= x[1];", "c", None),
        ("always @(*) q = d;", None, []),
        ("always @(posedge x[0]) q <= d;", None, []),
    ],
)
def test_clocks_and_resets_of_other_blocks(
    body: str, clock: str | None, resets: list[tuple[str, int, bool]] | None
) -> None:
    found = clocking(f"{HEAD} {body} endmodule")
    assert isinstance(found, Clocking)
    assert found.clock == clock
    if resets is not None:
        assert [(r.name, r.active, r.asynchronous) for r in found.resets] == resets
    if "aresetn)" in body:
        assert ("aresetn", 0, True) in [(r.name, r.active, r.asynchronous) for r in found.resets]


def test_a_clock_below_the_top_is_found_by_its_name() -> None:
    low = """module low (input clk, input rst_n, output reg q);
      always @(posedge clk or negedge rst_n) if (!rst_n) q <= 0; endmodule"""
    text = f"{low} module m (input clk, input rst_n, output q); low l (clk, rst_n, q); endmodule"
    found = clocking(text)
    assert found == Clocking(clock="clk", resets=(reset("rst_n", 0, True),))


def test_two_clocks_are_refused() -> None:
    text = (
        "module m (input a, b, d, output reg p, q); always @(posedge a) p <= d; always @(posedge b) q <= d; endmodule"
    )
    found = clocking(text)
    assert isinstance(found, Refusal)
    assert found.code == "several_clocks"
