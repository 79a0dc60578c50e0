"""What is asked of the sandbox, within which limits, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bythebook.types import Noun

__all__ = ["Job", "Layer", "Limits", "Outcome", "Output", "RunStatus"]

RunStatus = Literal["ok", "refused", "nondeterministic", "timeout", "killed"]
"""`ok`: it ran, and each output says how; `refused`: it may not run, `detail` says why; `nondeterministic`: processes
with different hash seeds disagree; `timeout`: of wall clock or processor time; `killed`: its process ended in another
way."""
Layer = Literal["syntax", "limits", "user", "calls", "namespaces"]
"""What stood between program and machine: the allow-list of syntax and names; the kernel's limits; a user who is not
root; the filter of system calls; namespaces of its own (bubblewrap)."""
_Entry = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]


class Limits(Noun):
    """What one program may use. 10 s is the limit of AZR's executor (arXiv 2505.03335); the others are our choice."""

    wall_s: float = Field(default=10.0, gt=0, le=600)
    cpu_s: int = Field(default=5, ge=1, le=600)
    memory_bytes: int = Field(default=512 * 2**20, ge=64 * 2**20)
    """Address space, that of the interpreter (about 40 MB) included."""
    output_characters: int = Field(default=10_000, ge=1, le=1_000_000)
    """Of all outputs of a program together."""
    source_characters: int = Field(default=20_000, ge=1, le=1_000_000)
    """Of the program; its inputs and the literals may have as many together."""


class Job(Noun):
    """A program with the inputs to call its function with, and literals to bring into canonical form.

    An input is the text between the parentheses of the call, such as `"a", [1, 2]`; it is read, never evaluated.
    """

    source: str | None = None
    """None: there are literals only."""
    entry: _Entry = "f"
    inputs: tuple[str, ...] = Field(default=(), max_length=100)
    literals: tuple[str, ...] = Field(default=(), max_length=1_000)
    every_seed: bool = True
    """Whether to compare processes with different hash seeds; not needed of a program that has passed before."""


class Output(Noun):
    """What one call gave: its value in canonical form, or the name of what went wrong.

    Errors are names of exceptions, and `impure` (a second call gave something else), `not_literal`, `too_large`,
    `input_not_literals`.
    """

    text: str | None = None
    error: str | None = None


class Outcome(Noun):
    """What became of a job. `outputs` has one entry an input where `status` is `ok`, else none."""

    status: RunStatus
    detail: str = ""
    outputs: tuple[Output, ...] = ()
    literals: tuple[str | None, ...] = ()
    """Canonical forms, None for what is no literal; of equal values of equal types they are equal."""
    layers: tuple[Layer, ...] = ()
