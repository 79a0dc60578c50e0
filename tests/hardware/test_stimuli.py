"""What designs are driven with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verilog_modules import MODULES

from bythebook.hardware import Clocking, Interface, Plan, Port, Reset, read_reference
from bythebook.hardware.equivalence import Reference
from bythebook.hardware.stimuli import Stimuli, constants_of, stimuli
from bythebook.hardware.tokens import tokens_of

SMALL = Plan(sequences=5, steps=6, vectors=50)


def made(name: str, plan: Plan = SMALL, seed: int = 0) -> Stimuli:
    reference = read_reference(MODULES[name])
    assert isinstance(reference, Reference)
    return stimuli(reference.interface, reference.clocking, (), plan, seed)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(MODULES)), st.integers(0, 2**64), st.integers(1, 6), st.integers(1, 9))
def test_a_row_changes_the_clock_or_other_inputs_and_never_both(
    name: str, seed: int, sequences: int, steps: int
) -> None:
    rows = made(name, Plan(sequences=sequences, steps=steps, vectors=20), seed)
    assert rows == made(name, Plan(sequences=sequences, steps=steps, vectors=20), seed)
    assert all(0 <= row < 1 << rows.width for row in rows.rows)
    assert [first for first, _ in rows.stages] == sorted(first for first, _ in rows.stages)
    if rows.clock is None:
        return
    assert not rows.rows[0] >> rows.clock & 1
    for before, after in zip(rows.rows, rows.rows[1:], strict=False):
        changed = before ^ after
        assert not changed >> rows.clock & 1 or changed == 1 << rows.clock


def test_values_are_told_by_name() -> None:
    ports = (Port(name="a", direction="input", width=3), Port(name="b", direction="input", width=2))
    rows = Stimuli(ports, (0b10_101, 0b01_000), ((0, "first"), (1, "second")))
    assert rows.values(0) == {"a": 5, "b": 2}
    assert (rows.stage(0), rows.stage(1)) == ("first", "second")
    assert rows.width == 5


def test_few_inputs_are_tried_in_all_values() -> None:
    rows = made("adder4", SMALL)
    assert set(rows.rows) == set(range(512))
    assert [name for _, name in rows.stages] == ["all vectors", "directed", "random"]
    assert [name for _, name in made("adder4", Plan(exhaustive_bits=8)).stages] == ["directed", "random"]


def test_every_reset_has_a_stage_and_is_held_between_edges_and_over_them() -> None:
    rows = made("mixed")
    names = [name for _, name in rows.stages]
    assert names == ["reset by arst_n and srst", "reset by arst_n", "reset by srst", "random resets"]
    first = rows.stages[1][0]
    values = [rows.values(row) for row in range(first, first + 8)]
    held = [v for v in values if v["arst_n"] == 0]
    # Asserted while the clock stands still, for two rows; then under both edges.
    assert held[0]["clk"] == held[1]["clk"]
    assert {v["clk"] for v in held} == {0, 1}
    assert all(v["srst"] == 0 for v in values)
    assert len(held) >= 4


def test_resets_are_asserted_while_the_clock_is_low_and_while_it_is_high() -> None:
    rows = made("counter", Plan(sequences=8, steps=5))
    end = rows.stages[1][0]
    begins = {
        rows.values(row)["clk"]
        for row in range(1, end)
        if rows.values(row)["rst_n"] == 0 and rows.values(row - 1)["rst_n"] == 1
    }
    assert begins == {0, 1}


def test_in_the_stage_of_random_resets_they_come_and_go() -> None:
    rows = made("counter", Plan(sequences=20, steps=40))
    values = [rows.values(row)["rst_n"] for row in range(rows.stages[-1][0] + 10, len(rows.rows))]
    assert 0 < values.count(0) < len(values) // 2


def test_without_resets_there_is_one_stage() -> None:
    interface = Interface(name="m", ports=(Port(name="clk", direction="input", width=1),))
    rows = stimuli(interface, Clocking(clock="clk"), (), SMALL, 0)
    assert [name for _, name in rows.stages] == ["no reset"]
    assert set(rows.rows) == {0, 1}


@pytest.mark.parametrize("active", [0, 1])
def test_both_polarities_are_asserted(active: int) -> None:
    ports = tuple(Port(name=n, direction="input", width=1) for n in ("clk", "rst"))
    resets = (Reset(name="rst", active=1 if active else 0, asynchronous=False),)
    rows = stimuli(Interface(name="m", ports=ports), Clocking(clock="clk", resets=resets), (), SMALL, 0)
    assert rows.values(0)["rst"] == active
    assert rows.values(8)["rst"] == 1 - active


def test_constants_of_the_sources_are_tried_whole_in_pieces_and_one_off() -> None:
    constants = constants_of([tokens_of("a == 32'hdeadbeef; b == 64'h0123456789abcdef; c == 4'bx; 7")])
    assert constants == (32, 0xDEADBEEF, 64, 0x0123456789ABCDEF, 4, 7)
    port = Port(name="a", direction="input", width=32)
    rows = stimuli(Interface(name="m", ports=(port,)), Clocking(), constants, Plan(vectors=1), 0)
    wanted = {0xDEADBEEF, 0xDEADBEEE, 0xDEADBEF0, 0x89ABCDEF, 0x01234567, 0, 1, 2**32 - 1, 2**31}
    assert wanted <= set(rows.rows)


def test_values_worth_trying_are_tried_at_two_inputs_at_once() -> None:
    ports = tuple(Port(name=n, direction="input", width=32) for n in "ab")
    rows = stimuli(Interface(name="m", ports=ports), Clocking(), (), Plan(vectors=100), 0)
    assert {(2**32 - 1) << 32, 2**32 - 1, 2**63, 1 | 2**32} <= set(rows.rows)
    many = tuple(Port(name=f"a{i}", direction="input", width=8) for i in range(60))
    assert len(stimuli(Interface(name="m", ports=many), Clocking(), (), Plan(vectors=100), 0).rows) < 10_000


def test_equal_operands_are_tried() -> None:
    ports = tuple(Port(name=n, direction="input", width=64) for n in "ab")
    rows = stimuli(Interface(name="m", ports=ports), Clocking(), (), Plan(vectors=200), 0)
    assert sum(row >> 64 == row & (2**64 - 1) for row in rows.rows) > 5
