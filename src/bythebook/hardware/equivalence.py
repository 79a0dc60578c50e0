"""Whether a candidate does what a reference does, as far as a rule-based test bench can tell.

The verifier of CodeV-R1 (arXiv 2505.24183) without its holes: what the candidate prints has no say; a reference whose
outputs are never known proves nothing; rare values come from the sources; resets are held; asynchronous ones are
asserted between edges; there is one limit of time. A test bench shows differences, never their absence: what waits for
a value that neither source names, or for more cycles than are run, passes. `proof` proves, where Yosys can.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bythebook.hardware.clocking import Clocking, read_clocking
from bythebook.hardware.design import Design, read_design
from bythebook.hardware.directives import Refusal
from bythebook.hardware.interface import Interface, read_interface
from bythebook.hardware.processes import Limits
from bythebook.hardware.simulator import Simulated, need_simulator, simulate
from bythebook.hardware.stimuli import Plan, Stimuli, constants_of, stimuli
from bythebook.hardware.testbench import Difference, Report, difference, make_bench
from bythebook.types import Noun

__all__ = ["Kind", "Outcome", "Reference", "Side", "check_equivalence", "check_many", "read_reference"]

Kind = Literal["equivalent", "different", "does_not_compile", "interface_differs", "unsupported", "timed_out"]
Side = Literal["reference", "candidate"]
_NO_VERILOG = frozenset({"character", "module", "no_module", "outside_module", "macro"})
_BATCH = 24
"""Candidates in one run."""


class Outcome(Noun):
    """What a check found. `different` has its first difference, `unsupported` a reason and the side it lies on; what is
    wrong with the reference is no fault of the candidate."""

    kind: Kind
    side: Side | None = None
    reason: str = ""
    message: str = ""
    compared: int = 0
    """Rows of inputs after which outputs were compared."""
    first: Difference | None = None

    @property
    def about_reference(self) -> bool:
        """Whether nothing can be said of any candidate."""
        return self.side == "reference"


@dataclass(frozen=True)
class Reference:
    """A reference as read."""

    design: Design
    interface: Interface
    clocking: Clocking


def read_reference(text: str, top: str | None = None, clocking: Clocking | None = None) -> Reference | Outcome:
    """Read a reference; an Outcome (`unsupported`, by reason) where it can't be checked against. `clocking` is taken as
    it is where the caller knows better than `read_clocking`."""
    design = read_design(text, top, silenced=True)
    if isinstance(design, Refusal):
        return _unsupported(design, "reference")
    interface = read_interface(design.top)
    if isinstance(interface, Refusal):
        return _unsupported(interface, "reference")
    if not interface.outputs:
        return _unsupported(Refusal(code="no_output", message="there is nothing to compare"), "reference")
    found = clocking or read_clocking(design, interface)
    if isinstance(found, Refusal):
        return _unsupported(found, "reference")
    return Reference(design, interface, found)


def check_equivalence(
    reference: str,
    candidate: str,
    *,
    top: str | None = None,
    clocking: Clocking | None = None,
    plan: Plan | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Compare one candidate with a reference: see `check_many`."""
    return check_many(reference, [candidate], top=top, clocking=clocking, plan=plan, limits=limits)[0]


def check_many(
    reference: str,
    candidates: Sequence[str],
    *,
    top: str | None = None,
    clocking: Clocking | None = None,
    plan: Plan | None = None,
    limits: Limits | None = None,
) -> list[Outcome]:
    """Compare candidates with a reference, one Outcome each; many in one run, alone where a run breaks off.

    A candidate needs a module of the name of the reference's top module (`top`, by default the one that no other uses)
    with the same ports. Inputs are drawn from `plan.seed` and the text of the reference. `limits` hold for each run.
    InputError where Icarus Verilog is not installed.
    """
    need_simulator()
    read = read_reference(reference, top, clocking)
    if isinstance(read, Outcome):
        return [read] * len(candidates)
    run = _Run(read, plan or Plan(), limits or Limits(), _seed(reference, plan or Plan()))
    found: dict[int, Outcome] = {}
    designs: dict[int, Design] = {}
    for place, text in enumerate(candidates):
        design = _candidate(text, read)
        if isinstance(design, Outcome):
            found[place] = design
        else:
            designs[place] = design
    places = list(designs)
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        found.update(zip(batch, run.outcomes([designs[p] for p in batch]), strict=True))
    return [found[place] for place in range(len(candidates))]


def _seed(reference: str, plan: Plan) -> int:
    text = f"{plan.seed}\n{reference}".encode("utf-8", errors="replace")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _unsupported(refusal: Refusal, side: Side) -> Outcome:
    where = "" if refusal.line is None else f"line {refusal.line}: "
    return Outcome(kind="unsupported", side=side, reason=refusal.code, message=f"{where}{refusal.message}")


def _candidate(text: str, reference: Reference) -> Design | Outcome:
    """A candidate as read, or what is wrong with it before it is run."""
    design = read_design(text, reference.design.top.name)
    refusal: Design | Refusal | Interface = design
    if isinstance(design, Design):
        refusal = read_interface(design.top)
        if isinstance(refusal, Interface):
            fault = reference.interface.difference(refusal)
            return Outcome(kind="interface_differs", side="candidate", message=fault) if fault else design
    assert isinstance(refusal, Refusal)
    outcome = _unsupported(refusal, "candidate")
    if refusal.code in _NO_VERILOG:
        return outcome.model_copy(update={"kind": "does_not_compile"})
    if refusal.code in ("no_such_module", "interface"):
        return outcome.model_copy(update={"kind": "interface_differs"})
    return outcome


@dataclass(frozen=True)
class _Run:
    """Runs against one reference."""

    reference: Reference
    plan: Plan
    limits: Limits
    seed: int

    def outcomes(self, designs: Sequence[Design]) -> list[Outcome]:
        """One Outcome a design. Where a run of several breaks off, the sources that the messages name are run alone and
        the others together again; where none or all are named, each is run alone."""
        rows = self.rows(designs)
        ran = self.simulated(designs, rows)
        if ran.report is not None:
            return [self.told(i, ran.report, rows) for i in range(len(designs))]
        if len(designs) == 1:
            return [self.broken(ran)]
        alone = [i for i in range(len(designs)) if f"candidate{i}.v:" in ran.said] or list(range(len(designs)))
        found = {i: self.outcomes([designs[i]])[0] for i in alone}
        rest = [i for i in range(len(designs)) if i not in found]
        found.update(zip(rest, self.outcomes([designs[i] for i in rest]) if rest else [], strict=True))
        return [found[i] for i in range(len(designs))]

    @cached_property
    def itself(self) -> Simulated:
        """The reference beside itself."""
        design = self.reference.design
        return self.simulated([design], self.rows([design]))

    def rows(self, designs: Sequence[Design]) -> Stimuli:
        modules = [m for design in (self.reference.design, *designs) for m in design.modules]
        constants = constants_of(m.tokens for m in modules)
        return stimuli(self.reference.interface, self.reference.clocking, constants, self.plan, self.seed)

    def simulated(self, designs: Sequence[Design], rows: Stimuli) -> Simulated:
        word = f"w{secrets.token_hex(12)}"
        bench = make_bench(self.reference.design, self.reference.interface, designs, rows, word)
        return simulate(bench, self.limits)

    def told(self, place: int, report: Report, rows: Stimuli) -> Outcome:
        """What a finished run says of one candidate."""
        if place in report.first:
            row, gold, found = report.first[place]
            first = difference(self.reference.interface, rows, row, gold, found)
            return Outcome(kind="different", side="candidate", compared=row + 1, first=first, reason=first.stage)
        if "0" in report.known:
            message = "outputs of the reference are never known"
            return Outcome(kind="unsupported", side="reference", reason="undefined_output", message=message)
        if report.compared != len(rows.rows):
            return Outcome(kind="unsupported", side="candidate", reason="incomplete", compared=report.compared)
        return Outcome(kind="equivalent", compared=report.compared)

    def broken(self, ran: Simulated) -> Outcome:
        """Whose fault it is that a run with one candidate has no end: the reference's if it fails beside itself."""
        side: Side = "candidate" if self.itself.report is not None else "reference"
        if side == "reference":
            reason = "does_not_compile" if self.itself.status == "compile" else self.itself.status
            return Outcome(kind="unsupported", side=side, reason=reason, message=self.itself.said)
        if ran.status == "timed_out":
            seconds = f"more than {self.limits.seconds:g} s"
            return Outcome(kind="timed_out", side=side, reason="timed_out", message=seconds)
        kind: Kind = "does_not_compile" if ran.status == "compile" else "unsupported"
        return Outcome(kind=kind, side=side, reason=ran.status, message=ran.said)
