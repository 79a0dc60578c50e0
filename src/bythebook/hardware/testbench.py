"""A test bench: reference and candidates side by side, the same rows of inputs, outputs compared after every row.

The bench, its instances, all modules and the lines that are printed begin with a random word, drawn for each run, so
that no candidate can print a verdict (it may print nothing anyway), name the reference, or reach into the bench.

A bit of the reference that is x leaves a candidate free; any other bit has to be equal, so that x never stands for 0
or 1. Bits of the reference that never are 0 or 1 are told to the caller: nothing is known about them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from bythebook.hardware.design import Design, written
from bythebook.hardware.interface import Interface, Port
from bythebook.hardware.stimuli import Stimuli
from bythebook.types import Noun

__all__ = ["Bench", "Difference", "Report", "difference", "make_bench", "read_report"]

_SETTLE = 10
_VECTORS = "vectors.hex"


class Bench(NamedTuple):
    """Files by name, and the name of the module to run."""

    files: dict[str, str]
    top: str
    word: str


class Difference(Noun):
    """Where a candidate first has other outputs than the reference; bits as the simulator writes them."""

    row: int
    stage: str
    inputs: dict[str, int]
    expected: dict[str, str]
    found: dict[str, str]


class Report(NamedTuple):
    """What a run printed: rows compared, bits of outputs that ever were 0 or 1, and first differences by candidate."""

    compared: int
    known: str
    first: dict[int, tuple[int, str, str]]


def make_bench(gold: Design, interface: Interface, candidates: Sequence[Design], rows: Stimuli, word: str) -> Bench:
    """The files of a run; candidates have the interface of the reference."""
    files = {"gold.v": written(gold.modules, f"{word}_g_"), _VECTORS: "".join(f"{row:x}\n" for row in rows.rows)}
    for place, candidate in enumerate(candidates):
        files[f"candidate{place}.v"] = written(candidate.modules, f"{word}_c{place}_")
    files["bench.v"] = _bench(gold, interface, candidates, rows, word)
    return Bench(files, f"{word}_bench", word)


def _bench(gold: Design, interface: Interface, candidates: Sequence[Design], rows: Stimuli, word: str) -> str:
    width, count = max(1, rows.width), len(rows.rows)
    outputs = sum(p.width for p in interface.outputs)
    live = len(candidates)
    begin = "" if rows.clock is None else f"row[{rows.clock}] = 1'b0; #{_SETTLE};"
    wires = "".join(f"  wire [{outputs - 1}:0] o{i};\n" for i in range(live))
    instances = "".join(
        _instance(c, interface, f"{word}_c{i}_", f"{word}_i{i}", f"o{i}") for i, c in enumerate(candidates)
    )
    checks = "".join(_check(i, word) for i in range(live))
    return f"""module {word}_bench;
  reg [{width - 1}:0] rows [0:{count - 1}];
  reg [{width - 1}:0] row;
  wire [{outputs - 1}:0] gold;
{wires}  reg [{outputs - 1}:0] known;
  reg [{max(0, live - 1)}:0] live;
  reg bad;
  integer k, b, left, compared;
{_instance(gold, interface, f"{word}_g_", f"{word}_gold", "gold")}{instances}  initial begin
    $readmemh("{_VECTORS}", rows);
    known = 0; live = {{{live}{{1'b1}}}}; left = {live}; compared = 0;
    {begin}
    for (k = 0; k < {count} && left > 0; k = k + 1) begin
      row = rows[k];
      #{_SETTLE};
      if (!(&known)) for (b = 0; b < {outputs}; b = b + 1) if ((gold[b] ^ gold[b]) === 1'b0) known[b] = 1'b1;
{checks}      compared = compared + 1;
    end
    $display("{word} end %0d %b", compared, known);
    $finish(0);
  end
endmodule
"""


def _check(i: int, word: str) -> str:
    """Compare one candidate until it first differs. The loop over bits runs only where vectors differ at all."""
    return f"""      if (live[{i}] && gold !== o{i}) begin
        bad = 1'b0;
        for (b = 0; b < $bits(gold); b = b + 1) if (gold[b] !== 1'bx && gold[b] !== o{i}[b]) bad = 1'b1;
        if (bad) begin
          live[{i}] = 1'b0; left = left - 1;
          $display("{word} differs {i} %0d %b %b", k, gold, o{i});
        end
      end
"""


def _instance(design: Design, interface: Interface, prefix: str, name: str, outputs: str) -> str:
    """An instance of the top module, its inputs parts of `row`, its outputs parts of the vector `outputs`."""
    own = {module.name for module in design.modules}
    pins = [(p, "row", at) for p, at in _offsets(interface.inputs)]
    pins += [(p, outputs, at) for p, at in _offsets(interface.outputs)]
    joined = ", ".join(
        f".{prefix if p.name in own else ''}{p.name}({vector}[{at + p.width - 1}:{at}])" for p, vector, at in pins
    )
    return f"  {prefix}{design.top.name} {name} ({joined});\n"


def _offsets(ports: Sequence[Port]) -> list[tuple[Port, int]]:
    """Ports with the lowest bit of each in a vector of all."""
    found, at = [], 0
    for port in ports:
        found.append((port, at))
        at += port.width
    return found


def read_report(printed: str, word: str) -> Report | None:
    """What a run printed under its word; None where it never came to its end. Total."""
    end: tuple[int, str] | None = None
    first: dict[int, tuple[int, str, str]] = {}
    for line in printed.splitlines():
        parts = line.split()
        if len(parts) == 4 and parts[:2] == [word, "end"] and _is_count(parts[2]):
            end = int(parts[2]), parts[3]
        elif len(parts) == 6 and parts[:2] == [word, "differs"] and _is_count(parts[2]) and _is_count(parts[3]):
            first.setdefault(int(parts[2]), (int(parts[3]), parts[4], parts[5]))
    return None if end is None else Report(end[0], end[1], first)


def _is_count(text: str) -> bool:
    return re.fullmatch("[0-9]{1,9}", text) is not None


def difference(interface: Interface, rows: Stimuli, row: int, gold: str, found: str) -> Difference:
    """A first difference with names: only outputs that differ are told."""
    expected, other = {}, {}
    for port, at in _offsets(interface.outputs):
        place = slice(len(gold) - at - port.width, len(gold) - at)
        wanted, got = gold[place], found[place]
        if any(a != "x" and a != b for a, b in zip(wanted, got, strict=False)):
            expected[port.name], other[port.name] = wanted, got
    return Difference(row=row, stage=rows.stage(row), inputs=rows.values(row), expected=expected, found=other)
