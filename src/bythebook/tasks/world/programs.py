"""Self-play in miniature: exercises on tiny programs, and what is written by those who set and solve them.

`train` has both roles, for the start of self-play, which gives a model the form and some skill; `id` and `ood` have the
solver's exercises on programs that are held out: `id` as long as those of the start, `ood` longer. An answer is right
if the sandbox says so (`tasks.self_play`); the reference is only one of the right ones.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from pydantic import Field

from bythebook.errors import DataError, RecipeError
from bythebook.tasks.base import Task
from bythebook.tasks.self_play.asking import fence, proposer_example, solver_example
from bythebook.tasks.self_play.problems import IDENTITY, KINDS, Induction, Kind, Problem, Triplet
from bythebook.tasks.world.drawing import options_of
from bythebook.tasks.world.program_family import (
    DIGITS,
    OPERATIONS,
    TinyProgram,
    all_digits,
    draw_program,
    induction_of,
    triplet_of,
)
from bythebook.types import Example, Noun

__all__ = ["TASK", "ProgramOptions", "load", "problem_of", "write_as", "written_programs"]

_PROBLEM, _TRACE, _LENGTHS, _SHARES = "_problem", "_trace", "_lengths", "_shares"
_LONGEST = 8
VAGUE = "digits"
"""A message that says nothing."""


class ProgramOptions(Noun):
    """How many exercises a run uses; 0 leaves a split out."""

    seed: int = 0
    train: int = Field(default=0, ge=0)
    id: int = Field(default=0, ge=0)
    ood: int = Field(default=0, ge=0)
    longest: int = Field(default=3, ge=1, le=_LONGEST)
    """Steps of a program in `train` and `id`; in induction one less. `ood` has one step more."""
    proposed: float = Field(default=0.4, ge=0, le=1)
    """Share of `train` that is the proposer's."""
    care: float = Field(default=0.35, ge=0, le=1)
    """Share of careful solvers in the target `mixed`; our choice: what is right is rare, and can be found."""
    guesses: float = Field(default=0.2, ge=0, le=1)
    """Share of those who guess; with the careful ones 1 at most. The others are hasty."""
    references: int = Field(default=2, ge=1, le=6)
    """Exercises that the proposer is shown, at most."""
    identity: float = Field(default=0.3, ge=0, le=1)
    """Share of the proposer's prompts that show the identity program, with which self-play begins."""


def load(path: Path | str | None = None, **options: Any) -> dict[str, list[Example]]:
    """The splits asked for. RecipeError for an unknown option; the world needs no path."""
    o = options_of("world_programs", ProgramOptions, path, options)
    if o.care + o.guesses > 1:
        raise RecipeError(f"care {o.care:g} and guesses {o.guesses:g} are more than 1", remedy="lower one of them")
    splits: dict[str, list[Example]] = {}
    for split, n in (("train", o.train), ("id", o.id), ("ood", o.ood)):
        rng = random.Random(f"bythebook programs/{split}/{o.seed}")
        if n:
            splits[split] = [_exercise(o, split, number, rng) for number in range(n)]
    return splits


def _exercise(o: ProgramOptions, split: str, number: int, rng: random.Random) -> Example:
    name, kind = f"programs-{split}-{o.seed}-{number}", KINDS[number % len(KINDS)]
    if split == "train" and rng.random() < o.proposed:
        example = proposer_example(kind, _references(o, kind, rng), name)
        more = {_LENGTHS: str(o.longest)}
    else:
        longest = max(1, o.longest - (kind == "induction"))
        length = longest + 1 if split == "ood" else rng.randint(1, longest)
        example, more = _solved(draw_program(rng, length, split != "train"), kind, name, rng)
        more |= {"length": str(length), _SHARES: json.dumps([o.care, o.guesses])}
    return example.model_copy(update={"split": split, "meta": {**example.meta, "guideline_id": name, **more}})


def _solved(program: TinyProgram, kind: Kind, name: str, rng: random.Random) -> tuple[Example, dict[str, str]]:
    """The solver's exercise on a program, and what is kept with it: the problem, and the digits on the way to its
    answer."""
    if kind == "induction":
        message = _message(program, rng)
        problem: Problem = induction_of(program, message, rng)
        trace = ""
    else:
        x = rng.choice(DIGITS)
        values = program.values(x)
        problem = triplet_of(program, x)
        way = values if kind == "deduction" else [*values[-2::-1], x]
        trace = "".join(map(str, way))
    return solver_example(kind, problem, name), {_PROBLEM: problem.model_dump_json(), _TRACE: trace}


def _message(program: TinyProgram, rng: random.Random) -> str:
    return " ".join(step.name for step in program.steps) if rng.random() < 0.7 else VAGUE


def _references(o: ProgramOptions, kind: Kind, rng: random.Random) -> list[Triplet]:
    number = 1 if kind == "induction" else rng.randint(1, o.references)
    drawn = [_any_triplet(o.longest, rng) for _ in range(number)]
    return [IDENTITY, *drawn[1:]] if rng.random() < o.identity else drawn


def _any_triplet(longest: int, rng: random.Random) -> Triplet:
    return triplet_of(draw_program(rng, rng.randint(1, longest), False), rng.choice(DIGITS))


def problem_of(example: Example) -> Problem:
    """What is asked of the solver. DataError for another example."""
    text = example.meta.get(_PROBLEM)
    if text is None:
        raise DataError(f"example {example.id} is no exercise for the solver")
    noun = Induction if example.domain == "induction" else Triplet
    return noun.model_validate_json(text)


# ------------------------------------------------------------------------------------------------ what is imitated


def write_as(care: str, example: Example, rng: random.Random) -> str:
    """A completion: of the proposer any exercise of the family; of a `careful` solver the digits on the way and the
    answer, of a `hasty` one the answer, of a `guess` any answer of the right form."""
    if example.meta["role"] == "proposer":
        return _form("", _proposed(example, rng))
    word = {"deduction": "output", "abduction": "input", "induction": "python"}[example.domain]
    if care == "guess":
        return _form("", fence(word, _guess(word, rng)))
    trace = example.meta[_TRACE] if care == "careful" else ""
    return _form(trace, fence(word, str(example.reference)))


def _guess(word: str, rng: random.Random) -> str:
    return draw_program(rng, rng.randint(1, 2), False).source if word == "python" else str(rng.choice(DIGITS))


def _proposed(example: Example, rng: random.Random) -> str:
    """Blocks of a proposal. An induction names the steps of its program, which only those of the family have."""
    if example.domain == "induction":
        inputs = "".join(fence("input", str(x)) for x in all_digits(rng))
        names = [name for line in example.text.splitlines() for name in _named(line)]
        return inputs + fence("message", " ".join(names) if names and rng.random() < 0.7 else VAGUE)
    triplet = _any_triplet(int(example.meta[_LENGTHS]), rng)
    return fence("python", triplet.program) + fence("input", triplet.input)


def _named(line: str) -> list[str]:
    """The name of the step on a line of a program."""
    return [n for n, o in OPERATIONS.items() if line.startswith(f"    x = {o.before}") and line.endswith(o.behind)][:1]


def _form(thinking: str, blocks: str) -> str:
    return f"<think>{thinking}</think>\n<answer>\n{blocks}</answer>"


def _mixed(example: Example, rng: random.Random) -> str:
    care, guesses = json.loads(example.meta.get(_SHARES, "[1, 0]"))  # all proposers write alike
    weights = (care, max(0.0, 1 - care - guesses), guesses)
    return write_as(rng.choices(("careful", "hasty", "guess"), weights=weights)[0], example, rng)


def written_programs() -> tuple[list[str], list[str]]:
    """(words, longer pieces) of everything that is written in this world, each one token of its models."""
    words = ["user", "assistant", VAGUE, *(f"{space}{name}" for name in OPERATIONS for space in ("", " "))]
    titles = {proposer_example(kind, [IDENTITY]).text.splitlines()[0] + "\n" for kind in KINDS}
    problems: dict[Kind, Problem] = {"deduction": IDENTITY, "abduction": IDENTITY}
    titles |= {solver_example(kind, problem).text.splitlines()[0] + "\n" for kind, problem in problems.items()}
    pair = Induction(program="", message="", pairs=(("", ""), ("", "")))
    titles.add(solver_example("induction", pair).text.splitlines()[0] + "\n")
    fences = [f"```{word}\n" for word in ("python", "input", "output", "message")]
    steps = [part for o in OPERATIONS.values() for part in (f"    x = {o.before}", f"{o.behind}\n")]
    others = ["\n```\n", "</think>\n<answer>\n", "def f(x):\n", "    return x", IDENTITY.program, IDENTITY.input]
    return words, list(dict.fromkeys([*sorted(titles), *fences, *steps, *others]))


TASK = Task(
    name="world_programs",
    summary="exercises on tiny programs, to be run by head, backwards, or found: the world of self-play; needs no data",
    load=load,
    needs_path=False,
    targets={
        "answer": lambda example, rng: write_as("hasty", example, rng),
        "careful": lambda example, rng: write_as("careful", example, rng),
        "mixed": _mixed,
    },
    test_options={"id": 384, "ood": 384},
    in_domain=("id",),
    out_of_domain=("ood",),
)
