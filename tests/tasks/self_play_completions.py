"""Completions of self-play as a model would write them, and scripted players."""

from __future__ import annotations

from collections.abc import Sequence

from bythebook.generation.sampling import Sampling
from bythebook.tasks.self_play import Induction, Kind, Triplet
from bythebook.tasks.self_play.problems import Problem


def fenced(word: str, text: str) -> str:
    return f"```{word}\n{text}\n```\n"


def said(*blocks: str) -> str:
    return "so</think>\n<answer>\n" + "".join(blocks) + "</answer>"


def proposal(program: str, given: str) -> str:
    return said(fenced("python", program), fenced("input", given))


def induction(inputs: Sequence[str], message: str = "what does it do?") -> str:
    return said(*(fenced("input", text) for text in inputs), fenced("message", message))


class ScriptedProposer:
    """Proposes programs that differ; every third time something that is not valid."""

    def __init__(self) -> None:
        self.calls: list[tuple[Kind, int, Sampling]] = []
        self.number = 0

    def __call__(self, kind: Kind, references: Sequence[Sequence[Triplet]], sampling: Sampling) -> list[str]:
        self.calls.append((kind, len(references), sampling))
        return [self.one(kind) for _ in references]

    def one(self, kind: Kind) -> str:
        self.number += 1
        if self.number % 3 == 0:
            return ("no tags", proposal("import os\ndef f(a):\n    return a", "1"))[self.number % 2]
        if kind == "induction":
            return induction([str(10 * self.number + i) for i in range(10)])
        return proposal(f"def f(a):\n    return [a, {self.number}]", str(self.number))


class ScriptedSolver:
    """Solves by the book, or not: the share of its answers that are right is `skill`, in eighths, spread evenly."""

    def __init__(self, eighths: int = 4) -> None:
        self.eighths = eighths
        self.calls: list[tuple[Kind, tuple[Problem, ...], Sampling]] = []

    def __call__(self, kind: Kind, problems: Sequence[Problem], sampling: Sampling) -> list[list[str]]:
        self.calls.append((kind, tuple(problems), sampling))
        return [[self.one(kind, p, i % 8 < self.eighths) for i in range(sampling.n)] for p in problems]

    def one(self, kind: Kind, problem: Problem, right: bool) -> str:
        if not right:
            return "I do not know"
        if isinstance(problem, Induction):
            return said(fenced("python", problem.program))
        if kind == "deduction":
            return said(fenced("output", problem.output))
        return said(fenced("input", problem.input))
