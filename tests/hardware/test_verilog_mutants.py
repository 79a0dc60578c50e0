"""The measure of the verifier: rewrites that behave the same are accepted, mutants are rejected."""

from __future__ import annotations

from collections import Counter

import pytest
from simulators import SHORT, needs_icarus, needs_yosys
from verilog_modules import ALU, COUNTER, DETECTOR, MODULES, PRIORITY, REWRITES

from bythebook.hardware import (
    Design,
    Filter,
    Mutant,
    Outcome,
    Plan,
    RoundTrip,
    check_many,
    is_synthesisable,
    kept_rows,
    mutants,
    prove_equivalent,
    read_design,
    read_reference,
)
from bythebook.hardware.equivalence import Reference

PLAN = Plan(sequences=12, steps=48, vectors=600)
ASKED = ("operator", "edge", "reset", "width")


def reference(name: str) -> Reference:
    found = read_reference(MODULES[name], name)
    assert isinstance(found, Reference)
    return found


def mutants_of(name: str) -> list[Mutant]:
    found = reference(name)
    return mutants(found.design, found.clocking)


def design(text: str, name: str) -> Design:
    found = read_design(text, name)
    assert isinstance(found, Design)
    return found


@pytest.fixture(scope="module")
def judged() -> dict[str, list[tuple[Mutant, Outcome]]]:
    """Every mutant of every module with its outcome; a run a module."""
    found = {}
    for name, source in MODULES.items():
        made = mutants_of(name)
        outcomes = check_many(source, [m.source for m in made], top=name, plan=PLAN, limits=SHORT)
        found[name] = list(zip(made, outcomes, strict=True))
    return found


@needs_icarus
@pytest.mark.parametrize("name", sorted(MODULES))
def test_rewrites_that_behave_the_same_are_accepted(name: str) -> None:
    outcomes = check_many(MODULES[name], [MODULES[name], *REWRITES[name]], top=name, plan=PLAN, limits=SHORT)
    assert [(o.kind, o.message) for o in outcomes] == [("equivalent", "")] * (1 + len(REWRITES[name]))


def test_there_are_twenty_rewrites_and_a_hundred_mutants_of_the_four_kinds() -> None:
    assert sum(map(len, REWRITES.values())) >= 20
    counts = Counter(m.operator for name in MODULES for m in mutants_of(name))
    assert sum(counts[kind] for kind in ASKED) >= 100  # type: ignore[index]
    assert all(counts[kind] >= 10 for kind in ASKED)  # type: ignore[index]


@needs_icarus
def test_95_of_100_mutants_are_rejected_not_counting_those_that_are_proven_equivalent(
    judged: dict[str, list[tuple[Mutant, Outcome]]],
) -> None:
    """Where there is no prover, every mutant that is accepted counts as missed."""
    counted, missed = 0, []
    for name, rows in judged.items():
        assert not any(o.about_reference for _, o in rows)
        for mutant, outcome in rows:
            if mutant.operator not in ASKED:
                continue
            if outcome.kind != "equivalent":
                counted += 1
            elif prove_equivalent(reference(name).design, design(mutant.source, name)) != "proven":
                counted += 1
                missed.append((name, mutant.line, mutant.change))
    assert counted >= 100
    assert len(missed) <= 0.05 * counted, missed


@needs_icarus
def test_mutants_are_rejected_for_what_they_do(judged: dict[str, list[tuple[Mutant, Outcome]]]) -> None:
    """Few mutants fail to compile or change the interface: the measure is of the test bench."""
    kinds = Counter(outcome.kind for rows in judged.values() for _, outcome in rows)
    assert kinds["different"] >= 0.9 * sum(kinds.values())


@needs_icarus
@needs_yosys
def test_a_round_trip_keeps_what_is_equivalent_with_a_precision_of_99_in_100(
    judged: dict[str, list[tuple[Mutant, Outcome]]],
) -> None:
    """Regenerations: the rewrites, which are right, and the mutants, which are not unless a proof says so."""
    rows, right = [], {}
    for name, found in judged.items():
        sources = [MODULES[name], *REWRITES[name]]
        for number, outcome in enumerate(check_many(MODULES[name], sources, top=name, plan=PLAN, limits=SHORT)):
            rows.append(RoundTrip(id=f"{name}-right-{number}", regenerated=(outcome.kind,)))
            right[rows[-1].id] = True
        for number, (mutant, outcome) in enumerate(found):
            rows.append(RoundTrip(id=f"{name}-mutant-{number}", regenerated=(outcome.kind,)))
            if outcome.kind == "equivalent":
                proof = prove_equivalent(reference(name).design, design(mutant.source, name))
                right[rows[-1].id] = proof == "proven"
    kept, reasons = kept_rows(rows, Filter())
    assert len(kept) == reasons["kept"] >= 35
    assert sum(right[row.id] for row in kept) / len(kept) >= 0.99


@needs_yosys
def test_proofs_tell_equivalent_designs_from_others() -> None:
    counter = reference("counter").design
    same = COUNTER.replace("assign wrap = &q;", "assign wrap = q == 8'hff;")
    assert prove_equivalent(counter, design(same, "counter")) == "proven"
    for change in (
        ("posedge clk", "negedge clk"),
        (" or negedge rst_n", ""),
        ("q <= 0", "q <= 1"),
        ("&q", "|q"),
        ("+ 1", "- 1"),
    ):
        other = design(COUNTER.replace(*change), "counter")
        assert prove_equivalent(counter, other) == "not_proven"
    assert prove_equivalent(counter, design(COUNTER.replace("assign wrap", "assign never"), "counter")) == "not_proven"


@needs_yosys
def test_what_can_be_made_in_hardware() -> None:
    assert all(is_synthesisable(reference(name).design) for name in ("counter", "alu", "fifo4"))
    head = "module m (input a, input b, output reg y);"
    for body in ("always @(posedge a or negedge a) y <= b;", "always @* y = b; always @* y = ~a;", "none n (a, y);"):
        assert is_synthesisable(design(f"{head} {body} endmodule", "m")) is False


def test_without_a_prover_nothing_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    counter = reference("counter").design
    assert prove_equivalent(counter, counter) == "no_yosys"
    assert is_synthesisable(counter) is None


def test_each_operator_of_mutation() -> None:
    def changes(text: str) -> set[tuple[str, str]]:
        found = read_reference(text)
        assert isinstance(found, Reference)
        return {(m.operator, m.change) for m in mutants(found.design, found.clocking)}

    assert changes(COUNTER) == {
        ("edge", "posedge → negedge"),
        ("reset", "negedge → posedge"),
        ("reset", "or negedge rst_n → nothing"),
        ("reset", "! → nothing"),
        ("constant", "0 → 1"),
        ("operator", "+ → -"),
        ("constant", "1 → 2"),
        ("operator", "& → |"),
    }
    assert ("reset", "rst → ! rst") in changes(DETECTOR)
    assert ("width", "8 → 7") in changes(ALU)
    assert ("width", "7 → 6") in changes(ALU)
    assert ("operator", "~ → nothing") in changes(ALU)
    assert {("operator", "< → <="), ("operator", "< → >")} <= changes(PRIORITY)


def test_a_mutant_differs_in_one_place_and_keeps_its_header() -> None:
    for name in MODULES:
        original = reference(name)
        words = [t.text for m in original.design.modules for t in m.tokens]
        for mutant in mutants_of(name):
            other = [t.text for m in design(mutant.source, name).modules for t in m.tokens]
            start = next(i for i, (a, b) in enumerate(zip(words, other, strict=False)) if a != b)
            kept = len(words) - start
            assert any(words[start + cut :] == other[start + put :] for cut in range(4) for put in range(3))
            assert kept > 0
