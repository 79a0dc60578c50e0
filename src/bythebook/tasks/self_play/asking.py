"""What proposer and solver are asked, as examples: the instruction is their guideline, the problem their text.

| kind        | the proposer sees                        | and writes             | the solver sees                 |
|-------------|------------------------------------------|------------------------|---------------------------------|
| `deduction` | triplets (p, i, o)                       | p and i                | p and i                         |
| `abduction` | triplets (p, i, o)                       | p and i                | p and o                         |
| `induction` | one program p                            | inputs and a message   | a message and pairs (i, o)      |

Absolute Zero (arXiv 2505.03335), section 3.2, in our own words: the wordings of the original are not repeated. Every
block stands in a fence whose first line names it, in prompts as in answers (`parsing.fenced`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from bythebook.tasks.asking import how_to_answer
from bythebook.tasks.self_play.problems import INDUCTION_PAIRS, Induction, Kind, Problem, Triplet
from bythebook.types import Example, Guideline

__all__ = ["Role", "fence", "how_to", "proposer_example", "solver_example"]

Role = Literal["proposer", "solver"]

_FORM = (
    "Think first, inside <think> and </think>. Then write inside <answer> and </answer> the blocks that are asked for "
    "and nothing else; each block begins with a line of three backticks and its name, and ends with a line of three "
    "backticks."
)
_PROGRAM = (
    "The program is one Python function called f. It computes its value from its arguments alone: no files, no clock, "
    "no chance, no printing, and of the standard library only modules that compute. It gives the same value every "
    "time, in well under ten seconds. Arguments and value are numbers, strings, booleans, or lists, tuples, sets and "
    "dictionaries of these."
)
_INSTRUCTIONS: dict[tuple[Role, Kind], str] = {
    ("proposer", "deduction"): (
        "Set an exercise in running code by head: a program and an input, whose output somebody else has to find "
        f"without a computer. {_PROGRAM} Several steps of thought should lie between input and output, and your "
        "exercise should differ from all those below. Write a block `python` with the program and a block `input` with "
        "what stands between the parentheses of the call."
    ),
    ("proposer", "abduction"): (
        "Set an exercise in running code backwards: a program and an input. Somebody else will see the program and "
        f"its output, and has to find an input that leads there. {_PROGRAM} Guessing should not help, and your "
        "exercise should differ from all those below. Write a block `python` with the program and a block `input` with "
        "what stands between the parentheses of the call."
    ),
    ("proposer", "induction"): (
        "Below is a program. Somebody else has to find out what it does from a few of its inputs and outputs and a "
        f"message of yours. Write {INDUCTION_PAIRS} blocks `input`, each with what stands between the parentheses of a "
        "call, no two the same and together showing every side of the program; and one block `message`, a sentence "
        "that helps without giving the program away."
    ),
    ("solver", "deduction"): (
        "What does the program return for this input? Go through it line by line. Write one block `output` with the "
        "value, as Python would print it with repr."
    ),
    ("solver", "abduction"): (
        "For which input does the program return this output? Any input that leads there is right. Write one block "
        "`input` with what stands between the parentheses of the call."
    ),
    ("solver", "induction"): (
        "Find the program behind these inputs and outputs; a message says something about it. Your program is tried "
        f"on other inputs, so look for the rule and don't list cases. {_PROGRAM} Write one block `python`."
    ),
}
_TITLES: dict[tuple[Role, Kind], str] = {
    ("proposer", "deduction"): "Set an exercise: what comes out?",
    ("proposer", "abduction"): "Set an exercise: what went in?",
    ("proposer", "induction"): "Set an exercise: which program?",
    ("solver", "deduction"): "What comes out?",
    ("solver", "abduction"): "What went in?",
    ("solver", "induction"): "Which program?",
}
"""The first line of every text, all that a small model needs."""


@lru_cache
def how_to(role: Role, kind: Kind) -> Guideline:
    """The instruction as a guideline; prompts in the short style leave it out."""
    return how_to_answer("programs", f"{_INSTRUCTIONS[role, kind]} {_FORM}")


def fence(word: str, text: str) -> str:
    """A block, with the line break behind it. What comes out of a block has no line that would close another."""
    return f"```{word}\n{text}\n```\n"


def proposer_example(kind: Kind, references: Sequence[Triplet], name: str = "proposer") -> Example:
    """The proposer's prompt. ValueError for induction without a program."""
    if kind == "induction":
        if not references:
            raise ValueError("induction asks about a program, and there is none")
        body = fence("python", references[0].program)
    else:
        body = "".join(_shown(r) for r in references)
    return _example("proposer", kind, body, name, reference="")


def solver_example(kind: Kind, problem: Problem, name: str = "solver") -> Example:
    """The solver's prompt; the reference is the answer that the proposer had in mind. ValueError for a problem of
    another kind."""
    if isinstance(problem, Induction) != (kind == "induction"):
        raise ValueError(f"{type(problem).__name__} is no problem of {kind}")
    if isinstance(problem, Induction):
        pairs = "".join(fence("input", i) + fence("output", o) for i, o in problem.shown)
        return _example("solver", kind, fence("message", problem.message) + pairs, name, reference=problem.program)
    given = ("input", problem.input) if kind == "deduction" else ("output", problem.output)
    wanted = problem.output if kind == "deduction" else problem.input
    return _example("solver", kind, fence("python", problem.program) + fence(*given), name, reference=wanted)


def _shown(triplet: Triplet) -> str:
    return fence("python", triplet.program) + fence("input", triplet.input) + fence("output", triplet.output)


def _example(role: Role, kind: Kind, body: str, name: str, reference: str) -> Example:
    return Example(
        id=name,
        text=f"{_TITLES[role, kind]}\n{body}",
        guideline=how_to(role, kind),
        domain=kind,
        sub_task="question",
        reference=reference,
        meta={"role": role},
    )
