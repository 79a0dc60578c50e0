"""Hardware descriptions: reading Verilog, driving it in a simulator, and telling whether two modules do the same.

Simulation needs Icarus Verilog, proofs need Yosys; reading and making test benches needs neither.
"""

from bythebook.hardware.checked import check_pairs, forget_checks
from bythebook.hardware.clocking import Clocking, Reset, read_clocking
from bythebook.hardware.design import Design, Module, read_design, under_name
from bythebook.hardware.directives import Refusal
from bythebook.hardware.equivalence import Outcome, check_equivalence, check_many, read_reference
from bythebook.hardware.interface import Interface, Port, read_interface
from bythebook.hardware.mutants import Mutant, mutants
from bythebook.hardware.processes import Limits
from bythebook.hardware.proof import has_prover, is_synthesisable, prove_equivalent
from bythebook.hardware.round_trip import Filter, RoundTrip, kept_rows
from bythebook.hardware.simulator import has_simulator, need_simulator
from bythebook.hardware.stimuli import Plan
from bythebook.hardware.testbench import Difference

__all__ = [
    "Clocking",
    "Design",
    "Difference",
    "Filter",
    "Interface",
    "Limits",
    "Module",
    "Mutant",
    "Outcome",
    "Plan",
    "Port",
    "Refusal",
    "Reset",
    "RoundTrip",
    "check_equivalence",
    "check_many",
    "check_pairs",
    "forget_checks",
    "has_prover",
    "has_simulator",
    "is_synthesisable",
    "kept_rows",
    "mutants",
    "need_simulator",
    "prove_equivalent",
    "read_clocking",
    "read_design",
    "read_interface",
    "read_reference",
    "under_name",
]
