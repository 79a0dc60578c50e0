"""Completions of the solver → right or wrong, by running the program.

Outputs are compared in canonical form, so that equal values of equal types are equal however they are written. An input
is right if the program gives the output for it, whichever input the proposer had in mind. A program is right if it
gives the outputs of all hidden pairs, and gives them in every process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bythebook.parsing.fenced import FencedAnswer, read_fenced
from bythebook.sandbox import Job, Outcome, Sandbox
from bythebook.tasks.self_play.problems import Induction, Kind, Problem, Triplet

__all__ = ["Solution", "solutions_checked"]

_ASKED: dict[Kind, str] = {"deduction": "output", "abduction": "input", "induction": "python"}
"""The block that an answer consists of."""


class Solution(NamedTuple):
    """A completion of the solver, looked at."""

    well_formed: bool
    right: bool
    reason: str
    """Why it is not right; empty where it is."""


def solutions_checked(
    problems: Sequence[Problem],
    completions: Sequence[str],
    kind: Kind,
    sandbox: Sandbox,
    *,
    prefilled: bool = True,
) -> list[Solution]:
    """Whether each completion solves its problem. ValueError where their numbers differ, or a problem is of another
    kind. `prefilled`: see `read_fenced`."""
    if any(isinstance(problem, Induction) != (kind == "induction") for problem in problems):
        raise ValueError(f"a problem is none of {kind}")
    answers = [_answer(read_fenced(text, prefilled=prefilled), kind) for text in completions]
    asked = [(p, a) for p, a in zip(problems, answers, strict=True) if a is not None]
    outcomes = iter(sandbox.run(_job(problem, answer, kind) for problem, answer in asked))
    return [
        Solution(False, False, "bad tags, or not the block that is asked for")
        if answer is None
        else _solution(problem, next(outcomes), kind)
        for problem, answer in zip(problems, answers, strict=True)
    ]


def _answer(answer: FencedAnswer, kind: Kind) -> str | None:
    return answer.one(_ASKED[kind]) if answer.well_formed else None


def _job(problem: Problem, answer: str, kind: Kind) -> Job:
    if isinstance(problem, Induction):
        return Job(source=answer, inputs=tuple(given for given, _ in problem.hidden))
    if kind == "deduction":
        return Job(literals=(answer,))
    # The program has been through all seeds when it was proposed, but with another input.
    return Job(source=problem.program, inputs=(answer,))


def _solution(problem: Problem, outcome: Outcome, kind: Kind) -> Solution:
    if outcome.status != "ok":
        return Solution(True, False, f"{outcome.status}: {outcome.detail}")
    if kind == "deduction" and isinstance(problem, Triplet):
        said: list[str | None] = list(outcome.literals)
        wanted = [problem.output]
    else:
        said = [output.text for output in outcome.outputs]
        wanted = [o for _, o in problem.hidden] if isinstance(problem, Induction) else [problem.output]
    right = said == wanted
    return Solution(True, right, "" if right else "another value")
