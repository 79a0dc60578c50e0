"""Gates of two inputs: how they are described in words, and how they are written in Verilog.

Letters stand behind a space and signs do not, so that a small model that is trained on nothing else has one token for
each.
"""

from __future__ import annotations

from bythebook.types import Noun

__all__ = ["GATES", "JOINS", "Circuit", "Gate", "body", "sentence", "truth"]

GATES: dict[str, tuple[str, str, bool]] = {
    "both": ("both {} and {}", "&", False),
    "either": ("either {} or {}", "|", False),
    "neither": ("neither {} nor {}", "|", True),
    "one": ("exactly one of {} and {}", "^", False),
    "not_both": ("not both {} and {}", "&", True),
    "alike": ("none or all of {} and {}", "^", True),
    "table": ("{bits} for {} and {}", "", False),
}
"""In words; the operator, and whether its value is inverted. A table has them from its bits."""
JOINS = {"and also": "{}&{}", "or else": "{}|{}", "but not if": "{}&~({})"}


class Gate(Noun):
    """A function of two inputs."""

    kind: str
    inputs: tuple[str, str]
    inverted: tuple[bool, bool] = (False, False)
    bits: str = ""
    """Of a table: the value for 00, 01, 10, 11."""

    def said(self) -> str:
        """In words."""
        names = (("not " if inverted else "") + name for name, inverted in zip(self.inputs, self.inverted, strict=True))
        return GATES[self.kind][0].format(*names, bits=self.bits)

    def written(self) -> str:
        """An expression."""
        operator, outside, flags = self._parts()
        first, second = (("~ " if inv else " ") + name for name, inv in zip(self.inputs, flags, strict=True))
        return f"{'~' * outside}({first}{operator}{second})"

    def _parts(self) -> tuple[str, bool, tuple[bool, bool]]:
        """Operator, inverted value, inverted inputs."""
        if self.kind != "table":
            return GATES[self.kind][1], GATES[self.kind][2], self.inverted
        if self.bits.count("1") == 2:
            return "^", self.bits == "1001", (False, False)
        single = self.bits.index("1" if self.bits.count("1") == 1 else "0")
        high = bool(single & 2), bool(single & 1)
        if self.bits.count("1") == 1:
            return "&", False, (not high[0], not high[1])
        return "|", False, high


class Circuit(Noun):
    """One gate, or two that are joined."""

    first: Gate
    join: str | None = None
    second: Gate | None = None

    @property
    def gates(self) -> tuple[Gate, ...]:
        return (self.first,) if self.second is None else (self.first, self.second)


def truth(circuit: Circuit) -> tuple[bool, ...]:
    """The value of y for a b c d = 0000, 0001, … 1111, worked out from what the words mean."""
    return tuple(_value(circuit, dict(zip("abcd", f"{row:04b}", strict=True))) for row in range(16))


def _value(circuit: Circuit, inputs: dict[str, str]) -> bool:
    first, *rest = (_gate_value(gate, inputs) for gate in circuit.gates)
    if not rest:
        return first
    return {"and also": first and rest[0], "or else": first or rest[0], "but not if": first and not rest[0]}[
        circuit.join or ""
    ]


def _gate_value(gate: Gate, inputs: dict[str, str]) -> bool:
    one, other = ((inputs[name] == "1") != inv for name, inv in zip(gate.inputs, gate.inverted, strict=True))
    if gate.kind == "table":
        return gate.bits[2 * one + other] == "1"
    ones = one + other
    return {
        "both": ones == 2,
        "either": ones > 0,
        "neither": ones == 0,
        "one": ones == 1,
        "not_both": ones < 2,
        "alike": ones != 1,
    }[gate.kind]


def sentence(circuit: Circuit) -> str:
    """The description."""
    rest = "" if circuit.second is None else f", {circuit.join} {circuit.second.said()}"
    return f"y is 1 if {circuit.first.said()}{rest}."


def body(circuit: Circuit) -> str:
    """The expression of y."""
    written = [gate.written() for gate in circuit.gates]
    return written[0] if circuit.join is None else JOINS[circuit.join].format(*written)
