"""Verilog as tokens, directives carried out, modules cut out, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verilog_modules import MODULES, REWRITES

from bythebook.hardware import Design, Refusal, read_clocking, read_design, read_interface, under_name
from bythebook.hardware.design import written
from bythebook.hardware.interface import Interface
from bythebook.hardware.tokens import number_value, tokens_of

PIECES = (
    "module m endmodule ( ) [ ] { } ; , # = <= ` `define `ifdef `endif `else A A `A 8'hff 'd3 1.5e3 \" \\ /* */ // "
    "\n (* *) @(*) posedge clk input output reg [7:0] parameter $display $signed begin end if function endfunction"
).split(" ")
hostile = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=60).map(" ".join))


def words(text: str) -> list[str]:
    return [t.text for t in tokens_of(text)]


def refusal(body: str, **options: bool) -> str:
    found = read_design(f"module m(input a, output y);\n{body}\nendmodule", **options)
    return found.code if isinstance(found, Refusal) else ""


def test_comments_attributes_and_space_are_left_out_and_operators_are_whole() -> None:
    text = '(* full *) a <= /* x\n */ b >>> 2; // end\n@(*) c === 4\'b1x0z; s = "a // b"; d[3 +: 2]'
    assert "|".join(words(text)) == """a|<=|b|>>>|2|;|@|(|*|)|c|===|4|'b1x0z|;|s|=|"a // b"|;|d|[|3|+:|2|]"""
    assert [t.line for t in tokens_of("a\n/* \n */ b")] == [1, 3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("12", 12), ("1_000", 1000), ("'hFf", 255), ("'sb101", 5), ("'d 9", 9), ("'o17", 15), ("'0", 0), ("'1", 1)],
        *[("'b1x", None), ("'hz", None), ("1.5", None), ("1e3", None), ("'x", None), ("1" * 5000, None)],
    ],
)
def test_values_of_numbers(text: str, value: int | None) -> None:
    assert number_value(text) == value


@pytest.mark.parametrize(
    "bad", ["é", "\x00", '"never closed', "/* never closed", "(* never closed", "\\esc ", "\\$display "]
)
def test_what_is_no_verilog_is_refused(bad: str) -> None:
    assert refusal(bad) == "character"


@settings(deadline=None)
@given(hostile)
def test_reading_is_total_and_lines_only_grow(text: str) -> None:
    tokens = tokens_of(text)
    assert [t.line for t in tokens] == sorted(t.line for t in tokens)
    assert all(t.text for t in tokens)
    found = read_design(text)
    if isinstance(found, Design):
        interface = read_interface(found.top)
        if isinstance(interface, Interface):
            read_clocking(found, interface)
        assert read_design(written(found.modules)) is not None


@settings(deadline=None)
@given(st.sampled_from(sorted(MODULES)), st.integers(0, 2000), st.integers(0, 40), hostile)
def test_mangled_modules_are_read_without_an_exception(name: str, at: int, length: int, put: str) -> None:
    text = MODULES[name]
    found = read_design(text[:at] + put + text[at + length :])
    if isinstance(found, Design):
        interface = read_interface(found.top)
        if isinstance(interface, Interface):
            read_clocking(found, interface)


@pytest.mark.parametrize("unit", ["(* ", "/*", '"', "'b ", "`a ", "module ", "((((", "`define A `A\n`A ", "a[", "#("])
def test_long_hostile_sources_come_to_an_end(unit: str) -> None:
    assert isinstance(read_design(unit * (190_000 // len(unit))), Refusal)
    assert read_design(" " * 200_001) == Refusal(code="too_long", message="more than 200000 characters")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_source_that_is_written_again_is_the_same_to_us(name: str) -> None:
    for source in (MODULES[name], *REWRITES[name]):
        design = read_design(source, name)
        assert isinstance(design, Design)
        again = read_design(written(design.modules), name)
        assert isinstance(again, Design)
        assert [[t.text for t in m.tokens] for m in again.modules] == [
            [t.text for t in m.tokens] for m in design.modules
        ]
        renamed = written(design.modules, "w1_")
        assert f"module w1_{name} " in renamed
        assert f"module {name} " not in renamed


def test_plain_macros_and_conditions_are_carried_out() -> None:
    text = """`timescale 1ns/1ps
`default_nettype none
`define W 8 // bits
`define TOP `W-1
`ifdef NOWHERE
  `include "secret.v"
  nonsense
`else
module m(input [`TOP:0] a, output y);
`ifndef W
  assign y = 0;
`else
  assign y = a[0];
`endif
endmodule
`endif
"""
    design = read_design(text)
    assert isinstance(design, Design)
    assert " ".join(t.text for t in design.top.tokens) == (
        "module m ( input [ 8 - 1 : 0 ] a , output y ) ; assign y = a [ 0 ] ; endmodule"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('`include "other.v"', "directive"),
        ("`UNKNOWN", "macro"),
        ("`ifdef A", "directive"),
        ("`endif", "directive"),
        ("`elsif A", "directive"),
        ("`pragma x", "macro"),
        ("`define A `A\n`A", "macro"),
        ("`define A `B `B\n`define B `C `C\n`define C `D `D\n`define D `E `E\n`define E x x\n`A", ""),
    ],
)
def test_directives_that_are_not_supported_are_refused(body: str, code: str) -> None:
    assert refusal(body) == code


def test_empty_macros_of_macros_do_not_explode() -> None:
    levels = "".join(f"`define M{i} {f'`M{i + 1} ' * 12}\n" for i in range(14)) + "`define M14\n"
    assert refusal(levels + "`M0") == "macro"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('initial begin $display("All tests passed."); $finish; end', "system_task"),
        ("initial $readmemh(x, y);", "system_task"),
        ("`define SAY $display\ninitial `SAY;", "system_task"),
        ("assign y = $signed(a) + $clog2(4);", ""),
        ("assign #3 y = a;", "delay"),
        ("always #5 y = a;", "delay"),
        ("initial #(5) y = a;", "delay"),
        ("always @(a) y <= #1 a;", ""),
        ("sub #(.W(3)) s (a, y);", ""),
        ("initial force y = a;", "statement"),
        ("bind m other o();", "statement"),
        ("initial wait (a);", "statement"),
        ("initial forever y = a;", "statement"),
        ("endmodule package p; endpackage module n; ", "statement"),
        ("endmodule parameter X = 3; module n; ", "outside_module"),
        ("endmodule module m; ", "module"),
        ("endmodule module n; module o; endmodule", "module"),
    ],
)
def test_what_could_speak_or_look_around_is_refused(body: str, code: str) -> None:
    assert refusal(body) == code


def test_a_reference_may_print_and_is_silenced() -> None:
    body = 'initial begin $display("%d", f(a)); $monitor(y); end assign y = a;'
    assert refusal(body) == "system_task"
    assert refusal(body, silenced=True) == ""
    assert refusal("initial $finish;", silenced=True) == "system_task"


def test_the_top_is_the_module_that_no_other_uses_or_the_one_that_is_named() -> None:
    text = "module low(input a); endmodule module high(input a); low l(a); endmodule"
    first, named = read_design(text), read_design(text, "low")
    assert isinstance(first, Design)
    assert isinstance(named, Design)
    assert (first.top.name, named.top.name) == ("high", "low")
    assert read_design(text, "none") == Refusal(code="no_such_module", message="there is no module 'none'")
    assert isinstance(read_design("// nothing"), Refusal)


def test_a_top_module_gets_another_name() -> None:
    text = "module low(input a); endmodule module RefModule(input a); low l(a); endmodule"
    design = read_design(under_name(text, "TopModule"))
    assert isinstance(design, Design)
    assert design.top.name == "TopModule"
    assert under_name(text, "low") == text
    assert under_name("no module", "x") == "no module"
