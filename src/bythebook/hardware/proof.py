"""Whether two designs are equivalent, by proof: Yosys, where it is installed.

Both are synthesised, all clocks and resets are made logic of one clock that samples everything (so that edges and
synchrony count), and equal names are shown to have equal values by induction. What is proven is equivalent from states
that agree; what is not proven may still be.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Literal

from bythebook.hardware.design import Design, written
from bythebook.hardware.processes import Limits, program, run_limited

__all__ = ["Proof", "has_prover", "is_synthesisable", "prove_equivalent"]

Proof = Literal["proven", "not_proven", "no_yosys"]
_STEPS = 5


def has_prover() -> bool:
    """Whether Yosys is installed."""
    return program("yosys") is not None


def prove_equivalent(reference: Design, candidate: Design, limits: Limits | None = None) -> Proof:
    """Try to prove two designs with the same interface equivalent, within the limits. `not_proven` where that fails,
    for whatever reason."""
    if not has_prover():
        return "no_yosys"
    script = _script(reference.top.name, candidate.top.name)
    return "proven" if _runs(script, {"gold": reference, "gate": candidate}, limits or Limits()) else "not_proven"


def is_synthesisable(design: Design, limits: Limits | None = None) -> bool | None:
    """Whether Yosys can make hardware of a design: a filter of CodeV-R1's data. None where it is not installed."""
    if not has_prover():
        return None
    script = f"read_verilog -sv gold.v\nhierarchy -check -top {design.top.name}\nproc\ncheck -assert\nsynth -flatten\n"
    return _runs(script, {"gold": design}, limits or Limits())


def _runs(script: str, designs: dict[str, Design], limits: Limits) -> bool:
    """Whether a script of Yosys comes to its end; the designs lie beside it, by name."""
    with tempfile.TemporaryDirectory(prefix="proof-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        for side, design in designs.items():
            (folder / f"{side}.v").write_text(written(design.modules), encoding="utf-8")
        (folder / "script.ys").write_text(script, encoding="utf-8")
        command = ["yosys", "-q", "script.ys"]
        return run_limited(command, folder, limits, time.monotonic() + limits.seconds, alone=False).status == "done"


def _script(reference: str, candidate: str) -> str:
    sides = ""
    for side, top in (("gold", reference), ("gate", candidate)):
        sides += f"read_verilog -sv {side}.v\nprep -flatten -top {top}\nmemory_map\nopt -full\nclk2fflogic\n"
        sides += f"rename {top} {side}\ndesign -stash {side}\n"
    return f"""{sides}design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
equiv_make gold gate equiv
hierarchy -top equiv
opt_clean
equiv_simple -undef -seq {_STEPS}
equiv_induct -undef -seq {_STEPS}
equiv_status -assert
"""
