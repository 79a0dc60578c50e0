"""What a hand-made attention head does, as data: how a tiny model looks things up in a guideline and keeps its place.

The residual stream is divided into *flags* (one dimension each: which kind of token this is) and *blocks* of a token's
code (a few dimensions that tell tokens apart). Block 0 is the token's own; block j the one of the token j places back,
which layer 0 writes; named blocks are written by later heads. A head

matches     the code in the query's block `query` with the one in the key's block `key`, or
points      (`query` None) at the nearest key that has a flag, or
stays       (`self_only`) at its own position,

and copies the key's block `value` into the query's block `into`. It does so where its `gate` is open; otherwise, and
where no key is found, it looks at the *sink*, a token in front of everything that has no code, and copies nothing.
What is not copied but follows from flags alone, a unit of the MLP of the last layer but one says (`SayPlan`).
`heads_install` turns plans into weights; training goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

__all__ = ["OUT", "OWN", "STATE", "Block", "Flag", "Gate", "HeadPlan", "Layout", "ModelPlan", "SayPlan"]

Block = int | str
"""Places back (0: the token itself), or the name of a block that a head writes."""
STATE = "state"
"""In place of an offset: the flag is written by a head, not by the token."""
Flag = tuple[int | str, str]
"""(places back or `STATE`, name)"""
OUT: Block = "out"
"""What layers 1 and 2 retrieve; the last layer copies it into block 0, where the output embedding reads it."""
OWN: Block = 0


@dataclass(frozen=True)
class Gate:
    """Open where the weights of the flags that are set reach `threshold`."""

    weights: Mapping[Flag, float]
    threshold: float = 1.0


@dataclass(frozen=True)
class HeadPlan:
    """One head; the module says what it does."""

    layer: int
    query: Block | None = None
    key: Block = 0
    value: Block | None = 0
    into: Block = OUT
    need: tuple[Flag, ...] = ()
    """Of a key: one of them is set."""
    both: Flag | None = None
    """Of a key: this one is set as well."""
    avoid: tuple[Flag, ...] = ()
    """Of a key: none of them is set."""
    gate: Gate | None = None
    recent: bool = False
    self_only: bool = False
    writes: tuple[tuple[Flag | None, str], ...] = ()
    """(flag of the key, or None for 1; the state that it sets at the query)"""
    gain: float = 1.0
    """Of what is copied; negative: taken away."""


@dataclass(frozen=True)
class SayPlan:
    """A token that flags decide, where none is copied."""

    gate: Gate
    """Open half a flag above what lacks one, so a threshold lies between the two."""
    token: str | None = None
    form: float = 0.0
    """Added to the dimension `Layout.form`."""
    quote: float = 0.0
    """Added to the dimension `Layout.quote`."""


@dataclass(frozen=True)
class ModelPlan:
    """All heads of a model, and the flags they rely on."""

    flags: Mapping[str, Sequence[str]]
    """Name → tokens. `sink` must name one that stands in front of everything."""
    carried: Sequence[tuple[int, str]]
    """(offset, flag): which flags layer 0 copies beside the code."""
    states: Sequence[str]
    offsets: Sequence[int]
    blocks: Sequence[Block]
    heads: Sequence[HeadPlan]
    says: Sequence[SayPlan] = ()
    always: Flag = (STATE, "in text")
    """A flag that is set wherever one of `says` may be."""
    same_code: Mapping[str, str] = field(default_factory=dict)
    """Token → token with the same code, such as a word without the space before it."""
    quoted: Mapping[str, str] = field(default_factory=dict)
    """Token in quotation marks → token with the same code."""
    silent: Sequence[str] = ()
    """Further tokens without a code: those in front of the sink."""


@dataclass
class Layout:
    """Which dimensions of the residual stream hold what. ValueError if they are too few."""

    plan: ModelPlan
    hidden: int
    code: int
    """Dimensions of a block."""
    _at: dict[Flag, int] = field(init=False)
    _blocks: dict[Block, int] = field(init=False)

    def __post_init__(self) -> None:
        names: list[Flag] = [(0, name) for name in self.plan.flags]
        names += [*self.plan.carried, *((STATE, name) for name in self.plan.states)]
        self._at = {name: self.hidden - 1 - number for number, name in enumerate(names)}
        order: list[Block] = [0, *self.plan.offsets, *self.plan.blocks]
        self._blocks = {block: number * self.code for number, block in enumerate(order)}
        needed = len(order) * self.code + len(names) + 2
        if needed > self.hidden:
            raise ValueError(f"the plan needs a hidden size of {needed}, there are {self.hidden}")

    def at(self, flag: Flag) -> int:
        """The dimension of a flag."""
        return self._at[flag]

    @property
    def form(self) -> int:
        """The dimension that tells tokens of the same code apart; beside block 0 the output reads this and `quote`."""
        return self.hidden - 1 - len(self._at)

    @property
    def quote(self) -> int:
        """The dimension that tells tokens in quotation marks from those without."""
        return self.hidden - 2 - len(self._at)

    def block(self, block: Block) -> slice:
        """The dimensions of a block."""
        start = self._blocks[block]
        return slice(start, start + self.code)

    def reads(self, block: Block) -> torch.Tensor:
        """(code, hidden): the projection on a block."""
        out = torch.zeros(self.code, self.hidden)
        out[:, self.block(block)] = torch.eye(self.code)
        return out
