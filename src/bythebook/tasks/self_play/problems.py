"""What is asked about a program p with p(i) = o.

| kind        | given → wanted                                  | right                              |
|-------------|-------------------------------------------------|------------------------------------|
| `deduction` | p, i → o                                        | an equal value                     |
| `abduction` | p, o → i                                        | any i' with p(i') = o              |
| `induction` | a message and half of the pairs (i, o) → p      | p' gives the o of all other pairs  |

Absolute Zero (arXiv 2505.03335), section 3.2. Its names in the published code are `code_o`, `code_i` and `code_f`.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from bythebook.types import Noun

__all__ = ["IDENTITY", "INDUCTION_PAIRS", "KINDS", "Induction", "Kind", "Problem", "Triplet"]

Kind = Literal["deduction", "abduction", "induction"]
KINDS: tuple[Kind, ...] = get_args(Kind)
INDUCTION_PAIRS = 10
"""Inputs of one problem of induction; half of their pairs are shown."""


class Triplet(Noun):
    """A program, the text of its arguments, and the canonical text of what it gives for them."""

    program: str
    input: str
    output: str


class Induction(Noun):
    """A program to be found from a message and some of its pairs (input, output)."""

    program: str
    message: str
    pairs: tuple[tuple[str, str], ...] = Field(min_length=2)

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """The first half, which the solver sees."""
        return self.pairs[: len(self.pairs) // 2]

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """The others, which decide."""
        return self.pairs[len(self.pairs) // 2 :]


Problem = Triplet | Induction

IDENTITY = Triplet(program="def f(a):\n    return a", input="'Hello world'", output="'Hello world'")
"""All that is given from outside: the paper's seed."""
